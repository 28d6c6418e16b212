//! The yardstick: the same mapping written by hand for this one record type, with serde and no engine.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    first_name: Cow<'a, str>,
    #[serde(borrow)]
    last_name: Cow<'a, str>,
    #[serde(borrow)]
    mail: Cow<'a, str>,
    #[serde(borrow)]
    phone: Cow<'a, str>,
    #[serde(borrow)]
    mobile: Cow<'a, str>,
    #[serde(borrow)]
    company: Cow<'a, str>,
    #[serde(borrow)]
    website: Cow<'a, str>,
    #[serde(borrow)]
    address: Address<'a>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    limit: Cow<'a, str>,
    discount: f64,
    #[serde(borrow)]
    created: Cow<'a, str>,
    #[serde(borrow)]
    birthday: Cow<'a, str>,
    #[serde(borrow)]
    newsletter: Cow<'a, str>,
    #[serde(borrow)]
    tags: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Address<'a> {
    #[serde(borrow)]
    street: Cow<'a, str>,
    #[serde(borrow)]
    zip: Cow<'a, str>,
    #[serde(borrow)]
    city: Cow<'a, str>,
    #[serde(borrow)]
    country: Cow<'a, str>,
}

#[derive(Serialize)]
struct Body<'a> {
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Properties<'a> {
    external_id: &'a str,
    firstname: &'a str,
    lastname: Cow<'a, str>,
    sort_name: String,
    email: String,
    phone: String,
    mobilephone: String,
    company: Cow<'a, str>,
    domain: String,
    address: &'a str,
    zip: &'a str,
    city: &'a str,
    country: &'static str,
    customer_status: &'static str,
    credit_limit: String,
    discount: String,
    customer_since: Timestamp,
    birthday: Date,
    newsletter: &'static str,
    tags: String,
}

pub(crate) struct Program;

impl crate::Program for Program {
    fn map(&mut self, line: &str, out: &mut Vec<u8>) -> Result<(), Failure> {
        let person: Person<'_> = serde_json::from_str(line)?;
        let discount = Decimal::try_from(person.discount)?;
        let discount = discount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        let properties = Properties {
            external_id: &person.id,
            firstname: person.first_name.trim(),
            lastname: one_space(&person.last_name),
            sort_name: one_space(&format!("{}, {}", person.last_name, person.first_name)).into_owned(),
            email: email(&person.mail)?,
            phone: phone(&person.phone)?,
            mobilephone: phone(&person.mobile)?,
            company: one_space(&person.company),
            domain: domain(&person.website),
            address: person.address.street.trim(),
            zip: person.address.zip.trim(),
            city: person.address.city.trim(),
            country: match &*person.address.country {
                "A" => "Austria",
                "CH" => "Switzerland",
                "D" => "Germany",
                "F" => "France",
                "I" => "Italy",
                "NL" => "Netherlands",
                _ => return Err("unknown country".into()),
            },
            customer_status: match &*person.status {
                "aktiv" => "active",
                "gesperrt" => "blocked",
                "interessent" => "lead",
                "ruhend" => "dormant",
                _ => return Err("unknown status".into()),
            },
            credit_limit: person
                .limit
                .replace('.', "")
                .replace(',', ".")
                .parse::<Decimal>()?
                .normalize()
                .to_string(),
            discount: discount.normalize().to_string(),
            customer_since: person.created.parse()?,
            birthday: Date::strptime("%d.%m.%Y", &*person.birthday)?,
            newsletter: if person.newsletter.eq_ignore_ascii_case("ja") { "true" } else { "false" },
            tags: tags(&person.tags),
        };
        serde_json::to_writer(out, &Body { properties })?;
        Ok(())
    }
}

fn one_space(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if !text.contains("  ") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn email(text: &str) -> Result<String, Failure> {
    let text = text.trim().to_lowercase();
    match text.split_once('@') {
        Some((local, host)) if !local.is_empty() && host.contains('.') => Ok(text),
        _ => Err("not an e-mail address".into()),
    }
}

fn phone(text: &str) -> Result<String, Failure> {
    let plain = text.replacen("(0)", "", 1);
    let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
    let whole = match (plain.starts_with('+'), digits.strip_prefix("00"), digits.strip_prefix('0')) {
        (true, ..) => format!("+{digits}"),
        (_, Some(rest), _) => format!("+{rest}"),
        (_, _, Some(rest)) => format!("+49{rest}"),
        _ => format!("+49{digits}"),
    };
    if (8..=16).contains(&whole.len()) { Ok(whole) } else { Err("not a telephone number".into()) }
}

fn domain(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let host = text.split_once("://").map_or(&*text, |(_, rest)| rest);
    let host = host.split(['/', '?', '#', ':']).next().unwrap_or(host);
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// Options in HubSpot's form, sorted because they have no order.
fn tags(text: &str) -> String {
    let mut tags: Vec<&str> = text.split(';').map(str::trim).filter(|tag| !tag.is_empty()).collect();
    tags.sort_unstable();
    tags.join(";")
}
