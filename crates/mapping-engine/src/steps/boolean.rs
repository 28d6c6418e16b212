//! Truth values from words and numbers.

use rust_decimal::Decimal;
use sync_types::Value;

use crate::flow::{Failure, Flow};

/// The words that are taken, in lower case.
#[derive(Clone, Debug)]
pub(crate) struct BoolWords {
    pub(crate) yes: Vec<String>,
    pub(crate) no: Vec<String>,
}

impl Default for BoolWords {
    fn default() -> BoolWords {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        BoolWords { yes: words(&["true", "yes", "y", "1"]), no: words(&["false", "no", "n", "0"]) }
    }
}

impl BoolWords {
    /// Whether `true` and `false` are among the words.
    pub(crate) fn is_plain(&self) -> bool {
        self.yes.iter().any(|word| word == "true") && self.no.iter().any(|word| word == "false")
    }

    pub(crate) fn read(&self, flow: &Flow<'_>) -> Result<bool, Failure> {
        match flow {
            Flow::Other(Value::Bool(value)) => Ok(*value),
            Flow::Other(Value::Number(value)) if *value == Decimal::ONE => Ok(true),
            Flow::Other(Value::Number(value)) if value.is_zero() => Ok(false),
            Flow::Text(text) => {
                let is = |words: &[String]| {
                    let text = text.trim();
                    if text.is_ascii() {
                        words.iter().any(|word| word.eq_ignore_ascii_case(text))
                    } else {
                        words.contains(&text.to_lowercase())
                    }
                };
                if is(&self.yes) {
                    Ok(true)
                } else if is(&self.no) {
                    Ok(false)
                } else {
                    Err(bad())
                }
            }
            _ => Err(bad()),
        }
    }
}

fn bad() -> Failure {
    Failure::new(
        "bad-boolean",
        "the value is none of the words for true and false",
        "correct it at the source, or name its words: `{ boolean = { true = [\"…\"], false = [\"…\"] } }`",
    )
}
