//! Customers and the people who work there.

use super::dice::Dice;
use super::words::{
    COUNTRIES, Country, DEPARTMENTS, FIRST_NAMES, JOBS, LAST_NAMES, LEGAL_FORMS, NOTES, ROLES, SEGMENTS,
    TRADES,
};
use super::{Business, customer_id, person_id};

pub(super) const CUSTOMER_COLUMNS: &[&str] = &[
    "customer_id",
    "name",
    "website",
    "phone",
    "street",
    "postcode",
    "city",
    "country",
    "segment",
    "status",
    "credit_limit",
    "customer_since",
    "notes",
];

pub(super) const PERSON_COLUMNS: &[&str] = &[
    "person_id",
    "customer_id",
    "billing_for",
    "salutation",
    "first_name",
    "last_name",
    "email",
    "phone",
    "mobile",
    "job_title",
    "department",
    "street",
    "postcode",
    "city",
    "region",
    "country",
    "language",
    "newsletter",
    "role",
    "first_order",
    "last_visit",
    "points",
    "note",
];

/// What is wrong with a person's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No e-mail at all.
    NoEmail,
    /// An e-mail without an at sign.
    BadEmail,
    /// The e-mail of the person in the row before, written in capitals.
    TakenEmail,
    /// A day that no calendar has.
    BadDate,
    /// A role that is in no list.
    UnknownRole,
    /// Works for a customer who is in no file.
    UnknownCustomer,
    /// A column too many.
    BrokenRow,
}

/// Places in every 50 rows, and the flaw there.
const FLAWS: &[(usize, Flaw)] = &[
    (3, Flaw::NoEmail),
    (9, Flaw::BadEmail),
    (14, Flaw::TakenEmail),
    (33, Flaw::BadDate),
    (44, Flaw::UnknownCustomer),
    (46, Flaw::UnknownRole),
];
const PERIOD: usize = 50;
/// A broken row is rarer than the other flaws; it stands in the place of an unknown role.
const BROKEN_PERIOD: usize = 500;

impl Business {
    /// What is wrong with a person's row, if anything is.
    #[must_use]
    pub fn flaw(&self, person: usize) -> Option<Flaw> {
        if !self.mess {
            return None;
        }
        let place = person % PERIOD;
        let flaw = FLAWS.iter().find(|(at, _)| *at == place).map(|(_, flaw)| *flaw);
        if flaw == Some(Flaw::UnknownRole) && person % BROKEN_PERIOD == place {
            return Some(Flaw::BrokenRow);
        }
        flaw
    }

    /// How many rows before this one have no flaw.
    fn sound_before(&self, person: usize) -> usize {
        if !self.mess {
            return person;
        }
        let in_period = FLAWS.iter().filter(|(at, _)| *at < person % PERIOD).count();
        person - person / PERIOD * FLAWS.len() - in_period
    }

    /// Whether this is one of the [`Business::changed`] rows.
    #[must_use]
    pub fn is_changed(&self, person: usize) -> bool {
        let all = self.sound_before(self.people);
        if all == 0 || self.flaw(person).is_some() {
            return false;
        }
        let changed = self.changed.min(all);
        let rank = self.sound_before(person);
        (rank + 1) * changed / all != rank * changed / all
    }

    pub(super) fn customer(&self, row: usize) -> Vec<String> {
        let mut dice = Dice::new(self.seed, "customers", row);
        let firm = self.firm(row);
        let country = firm.country;
        let (city, _, postcode) = dice.pick(country.cities).copied().unwrap_or_default();
        let website = match dice.below(4) {
            0 => format!("https://www.{}/", firm.domain),
            1 => format!("WWW.{}", firm.domain.to_uppercase()),
            2 => format!("http://{}/start?from=card", firm.domain),
            _ => firm.domain.clone(),
        };
        let status = if self.mess && row % 61 == 7 {
            "gone?"
        } else {
            dice.word(&["active", "active", "active", "closed"])
        };
        let limit = dice.below(40) * 500;
        vec![
            customer_id(row),
            spaced(&mut dice, firm.name),
            website,
            phone(&mut dice, country, false),
            format!("{} {}", dice.word(country.streets), dice.below(180) + 1),
            format!("{postcode}{:03}", dice.below(1000)),
            city.to_owned(),
            dice.word(country.spellings).to_owned(),
            dice.word(SEGMENTS).to_owned(),
            status.to_owned(),
            // As a German clerk writes it.
            if limit >= 1000 {
                format!("{}.{:03},00", limit / 1000, limit % 1000)
            } else {
                format!("{limit},00")
            },
            date(&mut dice, 2009, 14),
            self.long_text(row, dice.word(NOTES)),
        ]
    }

    pub(super) fn person(&self, row: usize) -> Vec<String> {
        let flaw = self.flaw(row);
        let mut dice = Dice::new(self.seed, "people", row);
        let employer = self.employer(row);
        let country = self.firm(employer).country;
        let who = self.name(row);
        let email = match flaw {
            Some(Flaw::NoEmail) => String::new(),
            Some(Flaw::BadEmail) => self.email(row).replace('@', "(at)"),
            Some(Flaw::TakenEmail) => self.email(row.saturating_sub(1)).to_uppercase(),
            _ => {
                let email = self.email(row);
                if dice.one_in(20) { format!(" {email} ") } else { email }
            }
        };
        let (city, region, postcode) = dice.pick(country.cities).copied().unwrap_or_default();
        let mut job = dice.word(JOBS).to_owned();
        let mobile = phone(&mut dice, country, true);
        let works_for = if flaw == Some(Flaw::UnknownCustomer) {
            format!("C-9{:05}", row % 100_000)
        } else {
            customer_id(employer)
        };
        let billing = self.first_person(employer) == row && flaw.is_none();
        let first_order =
            if flaw == Some(Flaw::BadDate) { "31.02.2021".to_owned() } else { date(&mut dice, 2012, 13) };
        let changed = self.is_changed(row);
        if changed {
            job = format!("Senior {job}");
        }
        let mut fields = vec![
            person_id(row),
            works_for,
            if billing { customer_id(employer) } else { String::new() },
            dice.word(&["Ms", "Mr", "Mx", "Dr", ""]).to_owned(),
            who.0.to_owned(),
            spaced(&mut dice, who.1.to_owned()),
            email,
            phone(&mut dice, country, false),
            if changed { format!("+{}{}7654321", country.dial, country.mobile) } else { mobile },
            if self.mess && row % 400 == 38 { job.repeat(30) } else { job },
            dice.word(DEPARTMENTS).to_owned(),
            format!("{} {}", dice.word(country.streets), dice.below(180) + 1),
            format!("{postcode}{:03}", dice.below(1000)),
            city.to_owned(),
            region.to_owned(),
            dice.word(country.spellings).to_owned(),
            country.language.to_owned(),
            dice.word(&["yes", "no", "ja", "nein", "1", "0", ""]).to_owned(),
            if flaw == Some(Flaw::UnknownRole) { "oracle".to_owned() } else { dice.word(ROLES).to_owned() },
            first_order,
            instant(&mut dice),
            dice.below(5000).to_string(),
            self.long_text(row, dice.word(NOTES)),
        ];
        if flaw == Some(Flaw::BrokenRow) {
            fields.push("see other sheet".to_owned());
        }
        fields
    }

    fn firm(&self, customer: usize) -> Firm {
        let mut dice = Dice::new(self.seed, "firms", customer);
        let country = dice.pick(COUNTRIES).unwrap_or(&NOWHERE);
        let (trade, trade_slug) = dice.pick(TRADES).copied().unwrap_or_default();
        let (owner, owner_slug) = dice.pick(LAST_NAMES).copied().unwrap_or_default();
        let form = dice.word(LEGAL_FORMS);
        Firm {
            country,
            name: format!("{trade} {owner} {form}").trim_end().to_owned(),
            domain: format!("{trade_slug}-{owner_slug}-{}.example", customer + 1),
        }
    }

    fn name(&self, person: usize) -> (&'static str, &'static str, String) {
        let mut dice = Dice::new(self.seed, "names", person);
        let (first, first_slug) = dice.pick(FIRST_NAMES).copied().unwrap_or_default();
        let (last, last_slug) = dice.pick(LAST_NAMES).copied().unwrap_or_default();
        (first, last, format!("{first_slug}.{last_slug}"))
    }

    /// Differs from every other person's: it carries the person's number.
    fn email(&self, person: usize) -> String {
        format!("{}.{}@{}", self.name(person).2, person + 1, self.firm(self.employer(person)).domain)
    }

    /// Now and then somebody pastes a whole correspondence.
    fn long_text(&self, row: usize, text: &str) -> String {
        if self.mess && row % 250 == 17 {
            "Copied from the old system. ".repeat(120)
        } else {
            text.to_owned()
        }
    }
}

struct Firm {
    country: &'static Country,
    name: String,
    domain: String,
}

static NOWHERE: Country =
    Country { spellings: &[], dial: "", areas: &[], mobile: "", language: "", cities: &[], streets: &[] };

/// Typists leave spaces.
fn spaced(dice: &mut Dice, text: String) -> String {
    match dice.below(30) {
        0 => format!("{text} "),
        1 => format!("  {text}"),
        2 => text.replace(' ', "  "),
        _ => text,
    }
}

/// One number in one of the ways in which people write it.
fn phone(dice: &mut Dice, country: &Country, mobile: bool) -> String {
    if dice.one_in(25) {
        return String::new();
    }
    let area = if mobile { country.mobile } else { dice.word(country.areas) };
    let number = 2_000_000 + dice.below(7_000_000);
    let (head, tail) = (number / 10_000, number % 10_000);
    match dice.below(5) {
        0 => format!("00{} {area} {head} {tail:04}", country.dial),
        1 => format!("+{} (0){area} {number}", country.dial),
        2 => format!("+{}-{area}-{head}-{tail:04}", country.dial),
        3 => format!("+{}{area}{number}", country.dial),
        _ => format!("+{} {area} {head} {tail:04}", country.dial),
    }
}

/// A day in one of the ways in which people write it.
pub(super) fn date(dice: &mut Dice, from: usize, years: usize) -> String {
    let (year, month, day) = (from + dice.below(years), dice.below(12) + 1, dice.below(28) + 1);
    match dice.below(4) {
        0 => format!("{day:02}.{month:02}.{year}"),
        1 => format!("{day}/{month}/{year}"),
        _ => format!("{year}-{month:02}-{day:02}"),
    }
}

fn instant(dice: &mut Dice) -> String {
    let (month, day) = (dice.below(12) + 1, dice.below(28) + 1);
    let (hour, minute) = (dice.below(11) + 8, dice.below(60));
    if dice.one_in(3) {
        format!("{day:02}.{month:02}.2025 {hour:02}:{minute:02}")
    } else {
        format!("2025-{month:02}-{day:02} {hour:02}:{minute:02}:00")
    }
}
