//! Telephone numbers to E.164 writing, by a small table of regions.
//!
//! It brings the usual ways of writing one number to one text and refuses what cannot be a number. It does not
//! know which numbers are assigned, or the numbering plan inside a country beyond its trunk prefix.

use std::borrow::Cow;

use super::{place, text};
use crate::flow::Failure;
use crate::plan::Reader;
use crate::step::{Side, scalar_text};

/// A region: its ISO 3166 code, calling code, trunk prefix that is dialled inside the country only, and digits of
/// a number without both.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) code: &'static str,
    calling: &'static str,
    trunk: &'static str,
    digits: (usize, usize),
}

/// How numbers are written at the source.
#[derive(Clone, Debug, Default)]
pub(crate) struct PhoneRule {
    /// The region of numbers without a country code.
    pub(crate) region: Option<&'static Region>,
    /// Another path of the record with the country of such numbers; where it is empty, the region above counts.
    pub(crate) field: Option<Side>,
    /// An extension is dropped rather than refused.
    pub(crate) drop_extension: bool,
}

const fn region(
    code: &'static str,
    calling: &'static str,
    trunk: &'static str,
    min: usize,
    max: usize,
) -> Region {
    Region { code, calling, trunk, digits: (min, max) }
}

/// The regions that may be named; facts from the ITU's list of national numbering plans.
static REGIONS: [Region; 48] = [
    region("AE", "971", "0", 7, 9),
    region("AR", "54", "0", 10, 11),
    region("AT", "43", "0", 4, 13),
    region("AU", "61", "0", 9, 9),
    region("BE", "32", "0", 8, 9),
    region("BG", "359", "0", 7, 9),
    region("BR", "55", "0", 10, 11),
    region("CA", "1", "1", 10, 10),
    region("CH", "41", "0", 9, 9),
    region("CL", "56", "", 9, 9),
    region("CN", "86", "0", 10, 11),
    region("CO", "57", "", 8, 10),
    region("CY", "357", "", 8, 8),
    region("CZ", "420", "", 9, 9),
    region("DE", "49", "0", 4, 13),
    region("DK", "45", "", 8, 8),
    region("EE", "372", "", 7, 8),
    region("ES", "34", "", 9, 9),
    region("FI", "358", "0", 5, 12),
    region("FR", "33", "0", 9, 9),
    region("GB", "44", "0", 9, 10),
    region("GR", "30", "", 10, 10),
    region("HK", "852", "", 8, 8),
    region("HR", "385", "0", 8, 9),
    region("HU", "36", "06", 8, 9),
    region("IE", "353", "0", 7, 9),
    region("IL", "972", "0", 8, 9),
    region("IN", "91", "0", 10, 10),
    // Italian numbers keep their leading zero behind the country code.
    region("IT", "39", "", 6, 12),
    region("JP", "81", "0", 9, 10),
    region("KR", "82", "0", 8, 10),
    region("LT", "370", "0", 8, 8),
    region("LU", "352", "", 4, 11),
    region("LV", "371", "", 8, 8),
    region("MX", "52", "", 10, 10),
    region("NL", "31", "0", 9, 9),
    region("NO", "47", "", 8, 8),
    region("NZ", "64", "0", 8, 10),
    region("PL", "48", "", 9, 9),
    region("PT", "351", "", 9, 9),
    region("RO", "40", "0", 9, 9),
    region("SE", "46", "0", 7, 10),
    region("SG", "65", "", 8, 8),
    region("SI", "386", "0", 8, 8),
    region("SK", "421", "0", 9, 9),
    region("TR", "90", "0", 10, 10),
    region("US", "1", "1", 10, 10),
    region("ZA", "27", "0", 9, 9),
];

/// A region by its ISO 3166 code in capitals.
pub(crate) fn find_region(code: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.code == code)
}

/// The codes of all regions.
pub(crate) fn region_codes() -> impl Iterator<Item = &'static str> + Clone {
    REGIONS.iter().map(|region| region.code)
}

impl PhoneRule {
    pub(crate) fn read<'a>(
        &self,
        text: Cow<'a, str>,
        reader: &dyn Reader<'a>,
    ) -> Result<Cow<'a, str>, Failure> {
        let text = text::trim(text);
        if text.is_empty() {
            return Ok(text);
        }
        // Most numbers have nothing but digits and the usual marks, and so neither a word nor an extension.
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b" +-./()".contains(&b));
        let lower = if plain { Cow::Borrowed(&*text) } else { Cow::Owned(text.to_lowercase()) };
        let number = if plain {
            &*lower
        } else {
            self.without_extension(lower.strip_prefix("tel:").unwrap_or(&lower).trim())?
        };
        // `+49 (0)30 …` writes the trunk prefix for people inside the country.
        let abroad = number.starts_with('+') || number.starts_with("00");
        let number = match number.split_once("(0)") {
            Some((before, behind)) if abroad => Cow::Owned([before, behind].concat()),
            _ => Cow::Borrowed(number),
        };
        let (international, rest) = match number.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => match number.strip_prefix("00") {
                Some(rest) => (true, rest),
                None => (false, &*number),
            },
        };
        let mut digits = String::with_capacity(16);
        for c in rest.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '\u{a0}' | '\u{202f}' | '-' | '‐' | '‑' | '–' | '.' | '/' | '(' | ')' | '\t' => {}
                _ => return Err(bad("it has a character that is no part of a telephone number")),
            }
        }
        let whole = if international { whole_number(&digits)? } else { self.national(&digits, reader)? };
        if *whole == *text { Ok(text) } else { Ok(Cow::Owned(whole)) }
    }

    fn without_extension<'t>(&self, number: &'t str) -> Result<&'t str, Failure> {
        let at = ["ext", "x", "#", ";", ",", "durchwahl", "poste"]
            .iter()
            .filter_map(|mark| number.find(mark))
            .min();
        match at {
            None => Ok(number),
            Some(at) if self.drop_extension => Ok(number.get(..at).unwrap_or(number).trim_end()),
            Some(_) => Err(bad("it has an extension, for which one number has no room")),
        }
    }

    /// The region of a number without a country code.
    fn region<'r>(&self, reader: &dyn Reader<'r>) -> Result<Option<&'static Region>, Failure> {
        let Some(side) = &self.field else { return Ok(self.region) };
        let country = scalar_text(side.value(reader)?).unwrap_or_default();
        if country.trim().is_empty() {
            return Ok(self.region);
        }
        let code = place::country(&country, place::CountryForm::Alpha2).ok();
        let found = code.as_deref().and_then(find_region);
        let unknown =
            || bad("it has no country code, and the numbers of the record's country are not known here");
        found.map(Some).ok_or_else(unknown)
    }

    fn national<'r>(&self, digits: &str, reader: &dyn Reader<'r>) -> Result<String, Failure> {
        let Some(region) = self.region(reader)? else {
            return Err(Failure::new(
                "bad-phone",
                "the number has no country code, and the mapping names no region for such numbers",
                "name it: `{ phone = \"DE\" }`, or `region = \"DE\"` under `[mapping]`",
            ));
        };
        let fits = |digits: &str| (region.digits.0..=region.digits.1).contains(&digits.len());
        let own = match digits.strip_prefix(region.trunk).filter(|_| !region.trunk.is_empty()) {
            Some(rest) if fits(rest) => rest,
            _ => digits,
        };
        if !fits(own) {
            return Err(bad("it has too few or too many digits for its region"));
        }
        whole_number(&format!("{}{own}", region.calling))
    }
}

fn whole_number(digits: &str) -> Result<String, Failure> {
    if digits.starts_with('0') {
        return Err(bad("no country code begins with 0"));
    }
    // E.164 allows 15 digits; the shortest numbers in use have 7 with the country code.
    if !(7..=15).contains(&digits.len()) {
        return Err(bad("it has too few or too many digits"));
    }
    Ok(format!("+{digits}"))
}

fn bad(reason: &'static str) -> Failure {
    Failure::new(
        "bad-phone",
        format!("not a telephone number: {reason}"),
        "correct the number at the source, or set `on_bad = \"leave\"` to sync the record without it",
    )
}
