//! The engagement's program: the business's mapping and settings, built in.

use std::process::ExitCode;

use engagement::Engagement;

fn main() -> ExitCode {
    engagement::run(Engagement::new(
        "food-trade",
        include_str!("../mapping.toml"),
        include_str!("../settings.toml"),
    ))
}
