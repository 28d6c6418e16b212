//! Parts of a person's name that a source keeps in one field.
//!
//! Names follow no rule that holds everywhere; these hold for names written in the usual European orders,
//! `Dr. Ada M. King`, `King, Ada` and `Ludwig van Beethoven`. Where a source has the parts apart, map those.

/// A part of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamePart {
    Title,
    First,
    Middle,
    Last,
    Suffix,
}

/// The words of the mapping file for the parts.
pub(crate) const PARTS: [(&str, NamePart); 5] = [
    ("title", NamePart::Title),
    ("first", NamePart::First),
    ("middle", NamePart::Middle),
    ("last", NamePart::Last),
    ("suffix", NamePart::Suffix),
];

/// Words before a name, without their dots and in lower case.
const TITLES: [&str; 20] = [
    "mr", "mrs", "ms", "miss", "mx", "sir", "dr", "prof", "herr", "frau", "dipl-ing", "ing", "mag", "mme",
    "mlle", "sra", "srta", "dhr", "mevr", "rev",
];

/// Words behind a name.
const SUFFIXES: [&str; 11] = ["jr", "sr", "ii", "iii", "iv", "phd", "md", "mba", "esq", "msc", "bsc"];

/// Words that begin a last name of several words.
const PARTICLES: [&str; 24] = [
    "van", "von", "vom", "zu", "zur", "de", "del", "della", "der", "den", "di", "da", "dos", "du", "la",
    "le", "ter", "ten", "af", "av", "bin", "ibn", "al", "el",
];

fn among(words: &[&str], word: &str) -> bool {
    let plain: String = word.chars().filter(|c| *c != '.').collect();
    words.contains(&&*plain.to_lowercase())
}

/// The part of the name; empty where the name does not have it. A name of one word is a last name.
pub(crate) fn part(text: &str, part: NamePart) -> String {
    let (front, behind_comma) = match text.split_once(',') {
        Some((front, rest)) => (front, rest),
        None => (text, ""),
    };
    let mut given: Vec<&str> = front.split_whitespace().collect();
    let mut last: Vec<&str> = Vec::new();
    let mut rest: Vec<&str> =
        behind_comma.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()).collect();
    // `King, Ada` against `Ada King, PhD`.
    let turned = rest.iter().any(|word| !among(&SUFFIXES, word));
    if turned {
        std::mem::swap(&mut given, &mut last);
        given.append(&mut rest);
    }
    let titles = given.iter().take_while(|word| among(&TITLES, word)).count();
    let titled: Vec<&str> = given.drain(..titles).collect();
    let keep = given.iter().rposition(|word| !among(&SUFFIXES, word)).map_or(0, |place| place + 1);
    let mut suffixes = given.split_off(keep);
    suffixes.append(&mut rest);
    if !turned {
        let start = given.iter().skip(1).position(|word| among(&PARTICLES, word)).map(|place| place + 1);
        last = given.split_off(start.unwrap_or(given.len().saturating_sub(1)));
    }
    let words: &[&str] = match part {
        NamePart::Title => &titled,
        NamePart::First => given.get(..1).unwrap_or_default(),
        NamePart::Middle => given.get(1..).unwrap_or_default(),
        NamePart::Last => &last,
        NamePart::Suffix => &suffixes,
    };
    words.join(" ")
}
