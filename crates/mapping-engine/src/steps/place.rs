//! Countries (ISO 3166-1), their regions (ISO 3166-2) and languages (ISO 639-1), from any usual writing to a declared
//! one.

mod subdivisions;

use std::collections::HashMap;
use std::sync::LazyLock;

use celes::Country;
use isolang::Language;

use crate::flow::Failure;

/// How a country is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CountryForm {
    Alpha2,
    Alpha3,
    Numeric,
    Name,
}

/// The words of the mapping file.
pub(crate) const COUNTRY_FORMS: [(&str, CountryForm); 4] = [
    ("alpha-2", CountryForm::Alpha2),
    ("alpha-3", CountryForm::Alpha3),
    ("numeric", CountryForm::Numeric),
    ("name", CountryForm::Name),
];

/// A country in the wanted form, from its codes of two or three letters, its number, its English name or a usual other
/// one (`UK`, `Holland`).
///
/// # Errors
/// Nothing that is known as a country.
pub(crate) fn country(text: &str, form: CountryForm) -> Result<String, Failure> {
    let country = find_country(text).ok_or_else(|| {
        Failure::new(
            "bad-country",
            "not a country by its ISO 3166 code, or by its English or German name",
            "correct it at the source, or translate it with a picklist before",
        )
    })?;
    Ok(match form {
        CountryForm::Alpha2 => country.alpha2.to_owned(),
        CountryForm::Alpha3 => country.alpha3.to_owned(),
        CountryForm::Numeric => country.code.to_owned(),
        CountryForm::Name => country_name(country.long_name),
    })
}

/// Letters and digits only, in small letters.
fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn find_country(text: &str) -> Option<Country> {
    let plain = folded(text);
    let plain = match &*plain {
        "uk" => "gb",
        other => other,
    };
    let known = plain.parse::<Country>().or_else(|_| Country::from_alias(plain));
    let found = known.ok().or_else(|| NAMES.get(plain).copied());
    let other = || OTHER_NAMES.iter().find(|(_, names)| names.contains(&plain)).map(|(code, _)| *code);
    found.or_else(|| Country::from_alpha2(other()?).ok())
}

/// What countries are called in German, and in their own languages where sources of their neighbours say so; folded.
const OTHER_NAMES: [(&str, &[&str]); 43] = [
    ("AT", &["österreich", "oesterreich"]),
    ("AU", &["australien"]),
    ("BE", &["belgien", "belgique", "belgië"]),
    ("BG", &["bulgarien"]),
    ("BR", &["brasilien", "brasil"]),
    ("CA", &["kanada"]),
    ("CH", &["schweiz", "suisse", "svizzera"]),
    ("CY", &["zypern"]),
    ("CZ", &["tschechien", "tschechischerepublik", "česko", "českárepublika"]),
    ("DE", &["deutschland", "allemagne"]),
    ("DK", &["dänemark", "danmark"]),
    ("EE", &["estland"]),
    ("ES", &["spanien", "españa"]),
    ("FI", &["finnland", "suomi"]),
    ("FR", &["frankreich"]),
    ("GB", &["england", "großbritannien", "schottland", "scotland", "vereinigteskönigreich", "wales"]),
    ("GR", &["griechenland"]),
    ("HR", &["kroatien", "hrvatska"]),
    ("HU", &["ungarn", "magyarország"]),
    ("IE", &["irland"]),
    ("IN", &["indien"]),
    ("IS", &["island"]),
    ("IT", &["italien", "italia"]),
    ("LT", &["litauen"]),
    ("LU", &["luxemburg"]),
    ("LV", &["lettland"]),
    ("MX", &["mexiko", "méxico"]),
    ("NL", &["niederlande", "nederland"]),
    ("NO", &["norwegen", "norge"]),
    ("NZ", &["neuseeland"]),
    ("PL", &["polen", "polska"]),
    ("RO", &["rumänien", "românia"]),
    ("RS", &["serbien"]),
    ("RU", &["russland", "rußland"]),
    ("SE", &["schweden", "sverige"]),
    ("SI", &["slowenien", "slovenija"]),
    ("SK", &["slowakei", "slovensko"]),
    ("TR", &["türkei", "türkiye"]),
    ("US", &["vereinigtestaaten", "vereinigtestaatenvonamerika"]),
    ("ZA", &["südafrika"]),
    ("CN", &["volksrepublikchina"]),
    ("AR", &["argentinien"]),
    ("EG", &["ägypten"]),
];

/// Countries by their folded names, without the article.
static NAMES: LazyLock<HashMap<String, Country>> = LazyLock::new(|| {
    let name = |country: &Country| folded(country.long_name).trim_start_matches("the").to_owned();
    Country::get_countries().into_iter().map(|country| (name(&country), country)).collect()
});

/// `The United States Of America` as `United States of America`.
fn country_name(long: &str) -> String {
    let words = long.strip_prefix("The ").unwrap_or(long).split(' ');
    let words: Vec<&str> = words
        .map(|word| match word {
            "Of" => "of",
            "And" => "and",
            "The" => "the",
            other => other,
        })
        .collect();
    words.join(" ")
}

/// How a language is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LanguageForm {
    /// ISO 639-1, in small letters, as HubSpot's own languages are written; a region behind it stays: `pt-br`.
    Code,
    Name,
}

/// The words of the mapping file.
pub(crate) const LANGUAGE_FORMS: [(&str, LanguageForm); 2] =
    [("code", LanguageForm::Code), ("name", LanguageForm::Name)];

/// A language in the wanted form, from a code (ISO 639-1 or -3), a locale such as `pt_BR` or an English name.
///
/// # Errors
/// Nothing that is known as a language with a code of two letters.
pub(crate) fn language(text: &str, form: LanguageForm) -> Result<String, Failure> {
    let lower = text.trim().to_lowercase();
    let (head, region) = match lower.split_once(['-', '_']) {
        Some((head, region)) => (head, Some(region)),
        None => (&*lower, None),
    };
    let by_code = match head.len() {
        2 => Language::from_639_1(head),
        3 => Language::from_639_3(head),
        _ => None,
    };
    let by_name = || Language::from_name_lowercase(&lower);
    let found = by_code.or_else(by_name).and_then(|language| Some((language, language.to_639_1()?)));
    let Some((language, code)) = found else {
        return Err(Failure::new(
            "bad-language",
            "not a language by its ISO 639 code or English name",
            "correct it at the source, or translate it with a picklist before",
        ));
    };
    Ok(match (form, region.filter(|_| by_code.is_some())) {
        (LanguageForm::Code, Some(region)) => format!("{code}-{region}"),
        (LanguageForm::Code, None) => code.to_owned(),
        (LanguageForm::Name, _) => language.to_name().to_owned(),
    })
}

/// How a region of a country is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegionForm {
    Code,
    Name,
}

/// The words of the mapping file.
pub(crate) const REGION_FORMS: [(&str, RegionForm); 2] =
    [("code", RegionForm::Code), ("name", RegionForm::Name)];

/// A country's regions: codes without the country's, and names.
pub(crate) type Regions = &'static [(&'static str, &'static str)];

/// The regions of a country by its code of two letters.
pub(crate) fn regions(country: &str) -> Option<Regions> {
    subdivisions::COUNTRIES.iter().find(|(code, _)| *code == country).map(|(_, regions)| *regions)
}

/// The countries whose regions are known.
pub(crate) fn countries_with_regions() -> impl Iterator<Item = &'static str> + Clone {
    subdivisions::COUNTRIES.iter().map(|(code, _)| *code)
}

/// A region in the wanted form, from its code, with or without the country's before it, or its name.
///
/// # Errors
/// Nothing that is known as a region of the country.
pub(crate) fn region(text: &str, regions: Regions, form: RegionForm) -> Result<&'static str, Failure> {
    let text = text.trim();
    let code = text.rsplit_once('-').filter(|(country, _)| country.len() == 2).map_or(text, |(_, code)| code);
    let found = regions
        .iter()
        .find(|(known, name)| known.eq_ignore_ascii_case(code) || name.to_lowercase() == text.to_lowercase());
    match (found, form) {
        (Some((code, _)), RegionForm::Code) => Ok(code),
        (Some((_, name)), RegionForm::Name) => Ok(name),
        (None, _) => Err(Failure::new(
            "bad-region",
            "not a region of the country by its code or name",
            "correct it at the source, or translate it with a picklist before",
        )),
    }
}
