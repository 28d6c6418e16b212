//! The engagement's program: a mapping that flows both ways and settings that allow it, built in.

use std::process::ExitCode;

use engagement::Engagement;

fn main() -> ExitCode {
    engagement::run(Engagement::new(
        "club",
        include_str!("../mapping.toml"),
        include_str!("../settings.toml"),
    ))
}
