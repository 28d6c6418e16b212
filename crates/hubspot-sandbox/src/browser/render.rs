//! Views to HTML. The template engine escapes every value; nothing is marked as safe.

use std::sync::LazyLock;

pub(super) use minijinja::Error;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use serde::Serialize;

use super::view::{Missing, Overview, Record, Table, View};

const TEMPLATES: [(&str, &str); 5] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("table.html", include_str!("templates/table.html")),
    ("record.html", include_str!("templates/record.html")),
    ("missing.html", include_str!("templates/missing.html")),
];

static ENVIRONMENT: LazyLock<Result<Environment<'static>, String>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.add_filter("grouped", grouped);
    environment.add_filter("moment", moment);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source).map_err(|error| format!("{error:#}"))?;
    }
    Ok(environment)
});

pub(super) fn overview(view: &View<Overview>) -> Result<String, Error> {
    // Only this page refreshes itself: on the others a reader is in the middle of something.
    html("overview.html", view, true)
}

pub(super) fn table(view: &View<Table>) -> Result<String, Error> {
    html("table.html", view, false)
}

pub(super) fn record(view: &View<Record>) -> Result<String, Error> {
    html("record.html", view, false)
}

pub(super) fn missing(view: &View<Missing>) -> Result<String, Error> {
    html("missing.html", view, false)
}

fn html<T: Serialize>(template: &str, view: &View<T>, live: bool) -> Result<String, Error> {
    let broken = |why: &String| Error::new(minijinja::ErrorKind::SyntaxError, why.clone());
    let environment = ENVIRONMENT.as_ref().map_err(broken)?;
    environment.get_template(template)?.render(context! { live, ..Value::from(Serde(view)) })
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2026-01-17T19:55:04.281Z` as `2026-01-17 19:55:04`; every time shown is UTC.
fn moment(iso: &str) -> String {
    iso.get(..19).unwrap_or(iso).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_moment_is_shown_to_the_second_and_anything_else_as_it_is() {
        assert_eq!(moment("2026-01-17T19:55:04.281Z"), "2026-01-17 19:55:04");
        assert_eq!(moment("soon"), "soon");
    }

    #[test]
    fn every_template_parses() {
        assert_eq!(ENVIRONMENT.as_ref().err(), None);
    }
}
