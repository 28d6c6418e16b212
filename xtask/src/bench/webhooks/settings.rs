//! What the person who runs the benchmark may choose.

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) rounds: usize,
    /// Of each load.
    pub(super) seconds: u64,
}

const USAGE: &str = "cargo xtask bench webhooks [--rounds N] [--seconds N], both at least 1";

impl Settings {
    /// Defaults for what is not given; the last one counts of what is given twice.
    pub(super) fn parse(arguments: &[&str]) -> Result<Settings, String> {
        let mut settings = Settings { rounds: 3, seconds: 5 };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            let number = rest.next().and_then(|text| text.parse::<u32>().ok()).filter(|number| *number > 0);
            let wanted = || format!("{option} wants a whole number: {USAGE}");
            match *option {
                "--rounds" => settings.rounds = number.ok_or_else(wanted)? as usize,
                "--seconds" => settings.seconds = number.ok_or_else(wanted)?.into(),
                unknown => return Err(format!("unknown option `{unknown}`: {USAGE}")),
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_or_refused() {
        assert_eq!(Settings::parse(&[]), Ok(Settings { rounds: 3, seconds: 5 }));
        let given = Settings::parse(&["--seconds", "2", "--rounds", "1"]);
        assert_eq!(given, Ok(Settings { rounds: 1, seconds: 2 }));
        for arguments in [&["--fast"][..], &["--rounds"], &["--rounds", "0"], &["--seconds", "x"]] {
            assert!(Settings::parse(arguments).is_err_and(|error| error.contains("bench webhooks")));
        }
    }
}
