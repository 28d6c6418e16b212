//! How alike two names are: `Kunden-Nr.`, `customerNumber` and `customer_no` are written differently and mean the same.

mod words;

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use words::WORDS;

/// A name's words, folded: small letters without accents, split at marks and humps, translated where known.
#[must_use]
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut last_small = false;
    for c in name
        .replace('ß', "ss")
        .replace(['ä', 'Ä'], "ae")
        .replace(['ö', 'Ö'], "oe")
        .replace(['ü', 'Ü'], "ue")
        .nfkd()
    {
        if unicode_normalization::char::is_combining_mark(c) {
            continue;
        }
        let hump = c.is_uppercase() && last_small;
        if (!c.is_alphanumeric() || hump) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        last_small = c.is_lowercase() || c.is_numeric();
    }
    if !word.is_empty() {
        words.push(word);
    }
    let whole = words.concat();
    // `e_mail`, `first name` and `zip code` are one word in all but writing.
    if let Some(known) = translate(&whole) {
        return vec![known.to_owned()];
    }
    words.into_iter().map(|word| translate(&word).map_or_else(|| singular(word), str::to_owned)).collect()
}

/// English plurals, as far as they go by rule.
fn singular(word: String) -> String {
    let stem = |tail: &str| word.strip_suffix(tail).filter(|stem| stem.len() > 2);
    if let Some(stem) = stem("ies") {
        return format!("{stem}y");
    }
    match stem("s").filter(|stem| !stem.ends_with(['s', 'u', 'i'])) {
        Some(stem) => stem.to_owned(),
        None => word,
    }
}

/// The word that this one stands for; itself, where it is one that others stand for.
fn translate(word: &str) -> Option<&'static str> {
    WORDS.iter().find(|(to, from)| *to == word || from.contains(&word)).map(|(to, _)| *to)
}

/// A name as HubSpot takes internal names: small ASCII letters, digits and `_`, beginning with a letter.
#[must_use]
pub(crate) fn internal_name(name: &str) -> String {
    let folded = plain_words(name).join("_");
    let folded: String = folded.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(90).collect();
    match folded.bytes().next() {
        Some(first) if first.is_ascii_lowercase() => folded,
        _ => format!("p_{folded}").trim_end_matches('_').to_owned(),
    }
}

/// A label for people: `last_visit` and `lastVisit` become `Last visit`.
#[must_use]
pub(crate) fn label(name: &str) -> String {
    // Names that somebody has already written for people stay as they are.
    if name.contains(' ') {
        return name.trim().to_owned();
    }
    let joined = name.replace(['_', '.'], " ");
    let mut spaced = String::new();
    let mut last_small = false;
    for c in joined.trim().chars() {
        if c.is_uppercase() && last_small {
            spaced.push(' ');
            spaced.extend(c.to_lowercase());
        } else {
            spaced.push(c);
        }
        last_small = c.is_lowercase();
    }
    let mut chars = spaced.chars();
    chars.next().map_or_else(|| name.to_owned(), |first| first.to_uppercase().chain(chars).collect())
}

/// The words without translation.
fn plain_words(name: &str) -> Vec<String> {
    let spaced = label(&name.replace('ß', "ss").replace('ä', "ae").replace('ö', "oe").replace('ü', "ue"));
    let folded: String =
        spaced.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect();
    folded
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// How alike two names are, from 0 to 1: 1 for the same words, less for the same words among others, less for words
/// that are written alike.
#[must_use]
pub(crate) fn likeness(one: &[String], other: &[String]) -> f64 {
    if one.is_empty() || other.is_empty() {
        return 0.0;
    }
    let (joined, other_joined) = (one.concat(), other.concat());
    if joined == other_joined {
        return 1.0;
    }
    let (one, other): (BTreeSet<&String>, BTreeSet<&String>) = (one.iter().collect(), other.iter().collect());
    let shared = one.intersection(&other).count();
    let all = one.union(&other).count();
    let overlap = if all == 0 { 0.0 } else { shared as f64 / all as f64 };
    let spelt = strsim::jaro_winkler(&joined, &other_joined);
    // Short words resemble each other by chance.
    let spelt = if joined.len().min(other_joined.len()) < 5 || spelt < 0.9 { 0.0 } else { spelt - 0.1 };
    let among = if shared == one.len().min(other.len()) && shared > 0 {
        0.55 + 0.35 * overlap
    } else {
        0.6 * overlap
    };
    among.max(spelt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_in_other_words_is_the_same() {
        let same = [
            ("E-Mail", "email"),
            ("e_mail_address", "EmailAddress"),
            ("Vorname", "first_name"),
            ("Straße", "street"),
            ("PLZ", "zip code"),
            ("lastName", "Nachname"),
            ("Prénom", "firstname"),
            ("Telefon", "Phone Number"),
        ];
        for (one, other) in same {
            assert_eq!(words(one), words(other), "{one} {other}");
        }
    }

    #[test]
    fn likeness_orders_names_as_a_person_would() {
        let like = |one: &str, other: &str| likeness(&words(one), &words(other));
        assert!((like("customer_email", "email") - 1.0).abs() > 0.1);
        assert!(like("customer_email", "email") > like("customer_emial", "email"));
        assert!(like("numberofemployes", "numberofemployees") > 0.8);
        assert!(like("colour", "city") < 0.3);
        assert!(like("name", "fax") < 0.3);
    }

    #[test]
    fn names_that_are_made_are_ones_that_hubspot_takes() {
        let cases = [
            ("Größe (cm)", "groesse_cm"),
            ("lastVisit", "last_visit"),
            ("1st order", "p_1st_order"),
            ("---", "p"),
            ("日本", "p"),
        ];
        for (name, made) in cases {
            assert_eq!(internal_name(name), made, "{name}");
        }
        assert_eq!(label("lastVisit"), "Last visit");
        assert_eq!(label("last_visit"), "Last visit");
        assert_eq!(label("Umsatz 2025"), "Umsatz 2025");
    }
}
