//! The engagement's program: the school's API, mapping and settings, built in.

use std::process::ExitCode;

use engagement::Engagement;

fn main() -> ExitCode {
    let engagement =
        Engagement::new("academy", include_str!("../mapping.toml"), include_str!("../settings.toml"));
    engagement::run(engagement.with_description(include_str!("../directus.toml")))
}
