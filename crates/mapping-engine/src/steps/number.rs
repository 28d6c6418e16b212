//! Numbers from text: exact decimals, with declared decimal mark and grouping.

use rust_decimal::Decimal;

use crate::flow::Failure;

/// How numbers are written at the source. Nothing is guessed: `1,234` is a number only if the mapping says what
/// the comma means.
#[derive(Clone, Debug)]
pub(crate) struct NumberRule {
    pub(crate) decimal: char,
    /// The mark between groups of three digits, if any is allowed.
    pub(crate) group: Option<char>,
    /// Texts that may stand before or after the digits, such as a currency sign.
    pub(crate) strip: Vec<String>,
}

impl Default for NumberRule {
    fn default() -> NumberRule {
        NumberRule { decimal: '.', group: None, strip: Vec::new() }
    }
}

/// The exact product of two numbers; `None` where a decimal of 28 digits cannot hold it. `Decimal`'s own product is
/// rounded without a word.
pub(crate) fn exact_product(one: Decimal, other: Decimal) -> Option<Decimal> {
    let (one, other) = (one.normalize(), other.normalize());
    let mut digits = one.mantissa().checked_mul(other.mantissa())?;
    let mut scale = one.scale() + other.scale();
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(digits, scale).ok()
}

impl NumberRule {
    /// Whether numbers are written as everywhere in computing.
    pub(crate) fn is_plain(&self) -> bool {
        self.decimal == '.' && self.group.is_none() && self.strip.is_empty()
    }

    pub(crate) fn parse(&self, text: &str) -> Result<Decimal, Failure> {
        let mut text = text.trim();
        for unit in &self.strip {
            text = text.strip_prefix(unit.as_str()).unwrap_or(text).trim_start();
            text = text.strip_suffix(unit.as_str()).unwrap_or(text).trim_end();
        }
        let (negative, rest) = match text.strip_prefix(['-', '−']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match rest.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (rest, None),
        };
        let mut plain = String::with_capacity(rest.len() + 1);
        if negative {
            plain.push('-');
        }
        self.push_whole(whole, &mut plain).ok_or_else(|| self.bad())?;
        if let Some(fraction) = fraction {
            if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return Err(self.bad());
            }
            // Zeros at the end are no digits that an exact decimal would have to hold.
            let fraction = fraction.trim_end_matches('0');
            if !fraction.is_empty() {
                plain.push('.');
                plain.push_str(fraction);
            }
        }
        Decimal::from_str_exact(&plain).map_err(|_| {
            Failure::new(
                "bad-number",
                "the number has more digits than an exact decimal of 28 digits holds",
                "correct it at the source, or map it as text",
            )
        })
    }

    fn push_whole(&self, whole: &str, plain: &mut String) -> Option<()> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let grouped = self.group.filter(|group| whole.contains(*group));
        let Some(group) = grouped else {
            return digits(whole).then(|| plain.push_str(whole));
        };
        for (index, part) in whole.split(group).enumerate() {
            let length = if index == 0 { part.len() <= 3 } else { part.len() == 3 };
            if !length || !digits(part) {
                return None;
            }
            plain.push_str(part);
        }
        Some(())
    }

    fn bad(&self) -> Failure {
        let group = match self.group {
            Some(group) => format!(" and `{group}` between groups of three digits"),
            None => String::from(" and no mark between thousands"),
        };
        Failure::new(
            "bad-number",
            format!("not a number with `{}` as decimal mark{group}", self.decimal),
            "correct it at the source, or declare how numbers are written there: `{ number = { decimal = \",\", group = \".\" } }`",
        )
    }
}
