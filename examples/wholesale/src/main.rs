//! The engagement's program: its mapping, its settings and, for `demo`, a business of its own.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use engagement::{Demo, Engagement};
use wholesale::business::Business;

fn main() -> ExitCode {
    let engagement =
        Engagement::new("wholesale", include_str!("../mapping.toml"), include_str!("../settings.toml"));
    engagement::run(engagement.with_demo(Demo { rows: 1_200, write, change }))
}

fn write(folder: &Path, people: usize) -> io::Result<()> {
    Business::new(people).write(folder).map(drop)
}

fn change(folder: &Path, people: usize) -> io::Result<String> {
    let after = Business::new(people).change(people / 40);
    after.write(folder)?;
    Ok(format!(
        "{} people have a new job and number, {} customers reach their file late",
        after.changed,
        after.late_customers()
    ))
}
