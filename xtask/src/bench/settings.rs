//! What the person who runs the benchmark may choose.

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) rows: u64,
    pub(super) rounds: usize,
    /// Rounds in which the Python script takes part; it is slow.
    pub(super) python_rounds: usize,
    /// Whether memory is measured at a million rows.
    pub(super) million: bool,
}

const USAGE: &str = "cargo xtask bench sync [--rounds N] [--rows N] [--python-rounds N] [--million]; rows are at least 100, \
     rounds at least 1, Python's rounds 0 or at most as many";

impl Settings {
    /// Defaults for what is not given; the last one counts of what is given twice.
    pub(super) fn parse(arguments: &[&str]) -> Result<Settings, String> {
        let (mut rows, mut rounds, mut python_rounds, mut million) = (100_000, 3, 1, false);
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--rows" => rows = number(argument, rest.next())?,
                "--rounds" => rounds = number(argument, rest.next())?,
                "--python-rounds" => python_rounds = number(argument, rest.next())?,
                "--million" => million = true,
                unknown => return Err(format!("unknown option `{unknown}`: {USAGE}")),
            }
        }
        // A hundred rows have one that can change; each round of Python needs one of the engine beside it.
        if rows < 100 || rounds == 0 || python_rounds > rounds {
            return Err(format!("nothing to measure with these numbers: {USAGE}"));
        }
        Ok(Settings { rows, rounds, python_rounds, million })
    }
}

fn number<T: std::str::FromStr>(option: &str, text: Option<&&str>) -> Result<T, String> {
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{option} wants a whole number: {USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_has_a_default() {
        let default = Settings { rows: 100_000, rounds: 3, python_rounds: 1, million: false };
        assert_eq!(Settings::parse(&[]), Ok(default));
        let arguments = ["--rows", "500", "--million", "--rounds", "5", "--python-rounds", "0"];
        let chosen = Settings { rows: 500, rounds: 5, python_rounds: 0, million: true };
        assert_eq!(Settings::parse(&arguments), Ok(chosen));
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let table: [(&[&str], &str); 6] = [
            (&["--fast"], "`--fast`"),
            (&["--rows"], "--rows wants"),
            (&["--rounds", "many"], "--rounds wants"),
            (&["--rows", "99"], "nothing to measure"),
            (&["--rounds", "0"], "nothing to measure"),
            (&["--python-rounds", "4"], "nothing to measure"),
        ];
        for (arguments, part) in table {
            let error = Settings::parse(arguments).unwrap_err();
            assert!(error.contains(part), "{arguments:?}: {error}");
        }
    }
}
