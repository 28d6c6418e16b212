//! `[rates.NAME]`: rates of currencies, which chains name.

use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;
use sync_types::Value;
use toml::de::DeValue;

use super::{Context, scalar};
use crate::document::{At, Node, Table, text, wrong_type};
use crate::steps::currency::{self, RateTable};

/// Reads all tables of rates.
pub(super) fn read_rates(node: Node<'_>, context: &mut Context) {
    let Some(mut tables) = Table::of("`[rates]`", node, &mut context.report) else { return };
    for (name, node) in tables.take_all() {
        if let Some(table) = Table::of("a table of rates", node, &mut context.report)
            && let Some(rates) = read_rate_table(name.value, table, context)
        {
            let name = At { value: name.value.to_owned(), span: name.span };
            context.once("table of rates", &name, context.rates.contains_key(&name.value));
            context.rates.insert(name.value, Arc::new(rates));
        }
    }
}

fn read_rate_table(name: &str, mut table: Table<'_>, context: &mut Context) -> Option<RateTable> {
    let base = table.require_text("base", &mut context.report);
    let rows = table.require("rows", &mut context.report);
    table.finish(&mut context.report);
    let base = base.and_then(|base| code(&base, context));
    let mut rates = RateTable { name: name.to_owned(), base: base?.to_owned(), ..RateTable::default() };
    let rows = rows?;
    let DeValue::Array(rows) = rows.get_ref() else {
        wrong_type(rows, "a list of rows such as `{ on = 2026-01-31, USD = 1.08 }`", &mut context.report);
        return None;
    };
    for row in rows {
        let mut row = Table::of("a row of rates", row, &mut context.report)?;
        let on = row.require("on", &mut context.report).and_then(|node| day(node, context));
        for (currency, node) in row.take_all() {
            if currency.value == "on" {
                continue;
            }
            let key = At { value: currency.value.to_owned(), span: currency.span };
            let (Some(on), Some(currency), Some(rate)) = (on, code(&key, context), rate(node, context))
            else {
                continue;
            };
            if rates.rates.entry(currency.into()).or_default().insert(on, rate).is_some() {
                let reason = format!("`{currency}` has a rate from {on} on already");
                context.report.error("bad-table", &key.span, reason, "remove one of the two");
            }
        }
    }
    Some(rates)
}

fn code(text: &At<String>, context: &mut Context) -> Option<&'static str> {
    match currency::code(&text.value) {
        Ok(code) => Some(code),
        Err(failure) => {
            context.report.error("bad-table", &text.span, failure.reason, "write a code such as `EUR`");
            None
        }
    }
}

fn day(node: Node<'_>, context: &mut Context) -> Option<Date> {
    let day = match node.get_ref() {
        DeValue::String(_) => Date::strptime("%Y-%m-%d", text(node, &mut context.report)?.value).ok(),
        _ => match scalar(node, &mut context.report)?.value {
            Value::Date(day) => Some(day),
            _ => None,
        },
    };
    if day.is_none() {
        wrong_type(node, "a day such as 2026-01-31", &mut context.report);
    }
    day
}

fn rate(node: Node<'_>, context: &mut Context) -> Option<Decimal> {
    match scalar(node, &mut context.report)?.value {
        Value::Number(rate) if rate > Decimal::ZERO => Some(rate),
        _ => {
            wrong_type(node, "a number above 0", &mut context.report);
            None
        }
    }
}
