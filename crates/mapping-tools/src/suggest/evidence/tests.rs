//! What columns look like, by table.

use super::*;
use crate::names;

fn form_of(name: &str, values: &[&str]) -> Evidence {
    let samples = values.iter().map(|value| Value::text(*value)).collect();
    look(&Column { samples, ..Column::named(name) }, &names::words(name))
}

fn number(decimal_comma: bool, group: Option<char>, strip: &[&str], whole: bool) -> Form {
    let strip = strip.iter().map(|sign| (*sign).to_owned()).collect();
    Form::Number(NumberForm { decimal_comma, group, strip, whole })
}

#[test]
fn values_have_the_form_that_a_person_sees() {
    let cases: &[(&str, &[&str], Form)] = &[
        ("x", &[], Form::Unseen),
        ("x", &["", " "], Form::Unseen),
        ("x", &["a@b.de", "c@d.com"], Form::Email),
        ("x", &["https://a.de/b", "http://c.d"], Form::Url),
        ("x", &["acme.com", "www.b-c.de"], Form::Domain),
        ("x", &["+49 30 123456", "030/1234567"], Form::Phone { national: true }),
        ("phone", &["+49301234567", "+33123456789"], Form::Phone { national: false }),
        ("zip", &["01099", "80331"], Form::Text { spaces: false }),
        ("x", &["1.234,50 €", "7,00 €"], number(true, Some('.'), &["€"], false)),
        ("x", &["1,234.50", "7.00"], number(false, Some(','), &[], false)),
        ("x", &["12,5", "7,25"], number(true, None, &[], false)),
        ("x", &["12", "-7"], number(false, None, &[], true)),
        ("x", &["01099", "80331"], Form::Text { spaces: false }),
        ("x", &["2024-02-29", "2025-01-01"], Form::Date(vec!["%Y-%m-%d"])),
        ("x", &["29.02.2024", "2025-01-01"], Form::Date(vec!["%Y-%m-%d", "%d.%m.%Y"])),
        ("x", &["2/29/2024", "12/31/2024"], Form::Date(vec!["%m/%d/%Y"])),
        ("order date", &["20240229", "20241231"], Form::Date(vec!["%Y%m%d"])),
        ("x", &["2024-02-29 12:00:00"], Form::DateTime(vec!["%Y-%m-%d %H:%M:%S"])),
        ("x", &["2024-02-29T12:00:00Z"], Form::DateTime(Vec::new())),
        ("x", &["Ja", "Nein", "Ja"], Form::Bool { yes: vec!["Ja".into()], no: vec!["Nein".into()] }),
        ("x", &["a", "b", "a", "b", "a", "b", "a", "b"], Form::Choice(vec!["a".into(), "b".into()])),
        ("x", &["one  two", "three"], Form::Text { spaces: true }),
    ];
    for (name, values, form) in cases {
        assert_eq!(form_of(name, values).form, *form, "{name} {values:?}");
    }
    let lists = form_of("x", &["a;b", "b", "a;c", "c;b", "a", "b;c", "a;b;c", "b"]);
    assert!(
        matches!(lists.form, Form::Choices { separator: ';', ref words } if words.len() == 3),
        "{lists:?}"
    );
}

#[test]
fn doubts_are_told() {
    assert!(form_of("x", &["01/02/2024", "03/04/2024"]).doubts[0].contains("day from month"));
    assert!(form_of("x", &["1,234", "5,678"]).doubts[0].contains("thousands"));
    let mut mails = vec!["a@b.de"; 19];
    mails.push("nobody");
    let evidence = form_of("x", &mails);
    assert_eq!((evidence.form, evidence.unfit), (Form::Email, 1));
}
