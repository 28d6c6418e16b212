//! How the numbers of a column are written.

use super::NumberForm;

const SIGNS: &[&str] = &["€", "$", "£", "%", "EUR", "USD", "CHF", "GBP", "kr", "zł"];

/// The writing that the values have, and how many do not have it. `None`: they are no numbers.
pub(super) fn look(texts: &[&str], doubts: &mut Vec<String>) -> Option<(NumberForm, usize)> {
    let mut strip: Vec<String> = Vec::new();
    let mut numbers: Vec<String> = Vec::new();
    for text in texts {
        let mut bare = text.trim();
        for sign in SIGNS {
            let without = bare.strip_prefix(sign).or_else(|| bare.strip_suffix(sign));
            if let Some(without) = without {
                bare = without.trim();
                if !strip.iter().any(|known| known == sign) {
                    strip.push((*sign).to_owned());
                }
            }
        }
        let digits = bare.strip_prefix(['-', '+']).unwrap_or(bare);
        let fine = digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.ends_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || ".,'\u{a0} ".contains(c))
            && ['.', ','].iter().all(|mark| digits.matches(*mark).count() < 2 || grouped(digits, *mark));
        // `01099` is a postal code and not a thousand and ninety-nine.
        let code = digits.len() > 1 && digits.starts_with('0') && digits.chars().all(|c| c.is_ascii_digit());
        if code {
            return None;
        }
        if fine {
            numbers.push(digits.to_owned());
        }
    }
    if numbers.is_empty() {
        return None;
    }
    let has = |mark: char| numbers.iter().any(|number| number.contains(mark));
    let last_before = |first: char, last: char| {
        numbers.iter().any(|number| match (number.rfind(first), number.rfind(last)) {
            (Some(first), Some(last)) => first < last,
            _ => false,
        })
    };
    let (decimal_comma, group) = match (has(','), has('.')) {
        (true, true) if last_before('.', ',') => (true, Some('.')),
        (true, true) => (false, Some(',')),
        (true, false) if thousands(&numbers, ',') => {
            doubts
                .push("a comma with three digits behind it was read as a mark between thousands".to_owned());
            (false, Some(','))
        }
        (true, false) => (true, None),
        (false, true) if numbers.iter().any(|number| number.matches('.').count() > 1) => (true, Some('.')),
        _ => (false, None),
    };
    let group = group.or_else(|| ['\'', '\u{a0}', ' '].into_iter().find(|mark| has(*mark)));
    let mark = if decimal_comma { ',' } else { '.' };
    let whole = !numbers.iter().any(|number| number.contains(mark) && group != Some(mark));
    let unfit = texts.len() - numbers.len();
    Some((NumberForm { decimal_comma, group, strip, whole }, unfit))
}

/// Whether a mark that stands there more than once stands between groups of three digits: `12.03.1985` is a day.
fn grouped(digits: &str, mark: char) -> bool {
    let whole = digits.split(if mark == '.' { ',' } else { '.' }).next().unwrap_or_default();
    let mut parts = whole.split(mark);
    let first = parts.next().is_some_and(|part| (1..=3).contains(&part.len()));
    // Behind the other mark there are decimals, without groups.
    first && parts.all(|part| part.len() == 3) && whole.matches(mark).count() == digits.matches(mark).count()
}

/// Whether every such mark has three digits behind it, as between thousands.
fn thousands(numbers: &[String], mark: char) -> bool {
    numbers.iter().all(|number| {
        number
            .split(mark)
            .skip(1)
            .all(|part| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
