//! The engagement's program: a mapping that flows both ways and settings that allow it, built in.

mod story;

use std::process::ExitCode;

use engagement::Engagement;

fn main() -> ExitCode {
    let engagement =
        Engagement::new("club", include_str!("../mapping.toml"), include_str!("../settings.toml"));
    engagement::run(engagement.with_story(story::STORY))
}
