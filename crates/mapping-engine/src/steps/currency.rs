//! Money of one currency in another, by dated rates that the mapping names.

use std::collections::BTreeMap;

use iso_currency::Currency;
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::flow::Failure;

/// Dated rates against one base currency: so many units of a currency for one unit of the base.
#[derive(Debug, Default)]
pub(crate) struct RateTable {
    pub(crate) name: String,
    pub(crate) base: String,
    /// By currency, then by the first day on which a rate holds.
    pub(crate) rates: BTreeMap<Box<str>, BTreeMap<Date, Decimal>>,
}

impl RateTable {
    /// The rate that holds on a day: the last one that began on it or before; without a day, the last one of all.
    fn rate(&self, currency: &str, day: Option<Date>) -> Result<Decimal, Failure> {
        if currency == self.base {
            return Ok(Decimal::ONE);
        }
        let rates = self.rates.get(currency);
        let found = rates.and_then(|rates| match day {
            Some(day) => rates.range(..=day).next_back(),
            None => rates.last_key_value(),
        });
        found.map(|(_, rate)| *rate).ok_or_else(|| {
            let day = if day.is_some() && rates.is_some() { " for a day that early" } else { "" };
            Failure::new(
                "no-rate",
                format!("the rates `{}` have none for the value's currency{day}", self.name),
                format!("add it to `[rates.{}]`", self.name),
            )
        })
    }

    /// An amount in another currency, rounded to so many places, or to those that the currency has.
    pub(crate) fn convert(
        &self,
        amount: Decimal,
        from: &str,
        to: &str,
        day: Option<Date>,
        places: Option<u32>,
    ) -> Result<Decimal, Failure> {
        let (from_rate, to_rate) = (self.rate(from, day)?, self.rate(to, day)?);
        let minor = || Currency::from_code(to).and_then(Currency::exponent).map_or(2, u32::from);
        let places = places.unwrap_or_else(minor);
        amount
            .checked_mul(to_rate)
            .and_then(|value| value.checked_div(from_rate))
            .map(|value| {
                value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero).normalize()
            })
            .ok_or_else(|| {
                Failure::new(
                    "bad-number",
                    "the converted amount has more digits than an exact decimal of 28 digits holds",
                    "correct the amount at the source",
                )
            })
    }
}

/// An ISO 4217 code in capitals.
///
/// # Errors
/// A text that is no code of a currency.
pub(crate) fn code(text: &str) -> Result<&'static str, Failure> {
    let upper = text.trim().to_ascii_uppercase();
    Currency::from_code(&upper).map(|currency| currency.code()).ok_or_else(|| {
        Failure::new(
            "bad-currency",
            "not the code of a currency (ISO 4217), such as `EUR`",
            "correct it at the source, or translate it with a picklist before",
        )
    })
}
