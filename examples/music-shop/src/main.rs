//! The engagement's program: a mapping and settings, built in. The source is a SQLite file.

use std::process::ExitCode;

use engagement::Engagement;

fn main() -> ExitCode {
    engagement::run(Engagement::new(
        "music-shop",
        include_str!("../mapping.toml"),
        include_str!("../settings.toml"),
    ))
}
