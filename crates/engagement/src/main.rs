//! An engagement with nothing built in: it takes `mapping.toml`, `settings.toml` and `data` from the folder in which
//! it is started. For the first hour with a customer, before there is a program of the customer's own.

use std::process::ExitCode;

use engagement::Engagement;

const SETTINGS: &str = r#"
[mapping]
file = "mapping.toml"
[source]
kind = "csv"
folder = "data"
"#;

fn main() -> ExitCode {
    engagement::run(Engagement::new("engagement", "", SETTINGS))
}
