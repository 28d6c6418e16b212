//! Expressions by tables: what they give, and with which words they are refused.

use sync_types::Value;

use super::Expression;
use crate::flow::Ty;

fn kind_of(path: &str) -> Option<Ty> {
    Some(match path {
        "name" | "status" | "empty" | "Customer No" => Ty::Text,
        "amount" | "qty" | "none" => Ty::Number,
        "active" => Ty::Bool,
        "day" => Ty::Date,
        "at" => Ty::DateTime,
        "tags" | "lines" => Ty::List,
        "any" | "address.city" | "nested" | "nested.a" => Ty::Any,
        _ => return None,
    })
}

fn value_of(path: &str) -> Value {
    match path {
        "name" => "Ada King".into(),
        "status" => "aktiv".into(),
        "Customer No" => "C-7".into(),
        "amount" => Value::Number("12.50".parse().unwrap()),
        "qty" => 3.into(),
        "active" => true.into(),
        "day" => Value::Date(jiff::civil::date(2026, 7, 15)),
        "at" => Value::DateTime("2026-07-15T12:30:00Z".parse().unwrap()),
        "tags" => Value::List(vec!["red".into(), "big".into()]),
        "lines" => Value::List(vec![
            Value::Object(vec![("sku".into(), "A".into()), ("price".into(), 10.into())]),
            Value::Object(vec![("sku".into(), "B".into()), ("price".into(), 20.into())]),
        ]),
        "any" => "text".into(),
        "address.city" => "Ulm".into(),
        "nested.a" => Value::List(vec![1.into()]),
        _ => Value::Null,
    }
}

/// The value in clear, or the code of the failure, or what the checker says.
fn run(text: &str) -> String {
    match Expression::compile(text, &kind_of) {
        Ok(expression) => {
            let values: Vec<Value> = expression.reads().iter().map(|path| value_of(path)).collect();
            match expression.eval_value(&|place| &values[place]) {
                Ok(value) => value.reveal().to_string(),
                Err(failure) => format!("!{}", failure.code),
            }
        }
        Err(problem) => {
            assert!(!problem.remedy.is_empty() && problem.span.end <= text.len(), "{text}");
            assert!(text.get(problem.span.clone()).is_some(), "{text}: {:?}", problem.span);
            format!("?{}", problem.reason)
        }
    }
}

#[test]
fn expressions_give_values() {
    let table = [
        ("1 + 2 * 3 - 4 / 8", "6.5"),
        ("(1 + 2) * 3 % 5", "4"),
        ("0.1 + 0.2", "0.3"),
        ("-qty + --qty", "0"),
        ("amount * qty", "37.5"),
        ("round(amount / qty, 2)", "4.17"),
        ("name + \" (\" + status + \")\"", "Ada King (aktiv)"),
        ("name + empty", "Ada King"),
        ("none + 1", "(empty)"),
        ("none < 1 || none > 1 || none == 1", "false"),
        ("empty == \"\" && empty == null && !has(empty)", "true"),
        ("status == 'aktiv' && amount > 10 ? 'A' : 'B'", "A"),
        ("status in ['x', 'aktiv']", "true"),
        ("address.city == \"Ulm\"", "true"),
        ("record[\"Customer No\"].substring(2)", "7"),
        ("nested.a[0] == 1", "true"),
        ("lines[1].sku", "B"),
        ("lines[9].sku", "(empty)"),
        ("lines.exists(l, l.price > 15)", "true"),
        ("lines.all(l, l.price > 15)", "false"),
        ("lines.exists_one(l, l.sku == 'A')", "true"),
        ("lines.filter(l, l.price > 15).map(l, l.sku)", "B"),
        ("tags.map(t, t.upperAscii()).join('-')", "RED-BIG"),
        ("tags.exists(t, tags.exists(u, u != t))", "true"),
        ("size(name) + size(tags) + size(empty)", "10"),
        ("name.matches(r'^A\\w+ K')", "true"),
        ("name.startsWith('Ada') && name.endsWith('g') && name.contains(' ')", "true"),
        ("'a_b'.replace('_', ' ').trim().split(' ')", "a;b"),
        ("number('12.5') == amount", "true"),
        ("string(amount) + string(day)", "12.52026-07-15"),
        ("day >= date('2026-07-01') && at < timestamp('2027-01-01T00:00:00Z')", "true"),
        ("day.getFullYear() * 100 + day.getMonth() + 1", "202607"),
        ("day.addDays(20)", "2026-08-04"),
        ("daysBetween(day, date('2026-08-04'))", "20"),
        ("coalesce(empty, none, name)", "Ada King"),
        ("min(qty, 2) + max(qty, 2) + abs(-1)", "6"),
        ("'\\u00e4\\n' == 'ä\\n' // a comment", "true"),
        ("true ? (false ? 1 : 2) : 3", "2"),
        ("false ? 1 : true ? 2 : 3", "2"),
        ("bool('true') && active", "true"),
    ];
    for (text, wanted) in table {
        assert_eq!(run(text), wanted, "{text}");
    }
}

#[test]
fn what_a_record_makes_impossible_is_a_failure() {
    for text in [
        "amount / 0",
        "amount % (qty - 3)",
        "number(name)",
        "any + 1",
        "any < 1",
        "date(name)",
        "any ? 1 : 2",
        "79228162514264337593543950335 + 1",
        "name.split(empty)",
        "name.substring(0 - 1)",
    ] {
        assert_eq!(run(text), "!bad-expression-value", "{text}");
    }
}

#[test]
fn mistakes_are_told_before_the_first_record() {
    let table = [
        ("", "?a value is missing at the end"),
        ("1 +", "?a value is missing at the end"),
        ("nme == 'x'", "?the source has no column `nme`"),
        ("status = 'x'", "?`=` has no meaning in an expression"),
        ("status == 5", "?text is compared with a number"),
        ("day > '2026-01-01'", "?a date is compared with text"),
        ("name + 1", "?a number cannot be added to text"),
        ("amount && active", "?&&: a truth value is wanted, but this is a number"),
        ("status in 'aktiv'", "?after `in`: a list is wanted, but this is text"),
        ("lower(name)", "?there is no function `lower`"),
        ("round()", "?`round` does not take 0 value(s)"),
        ("name.matches(status)", "?`matches` takes one pattern in quotes"),
        ("name.matches('(')", "?not a regular expression: error: unclosed group"),
        ("1 < 2 < 3", "?a comparison cannot be compared again"),
        ("'a", "?the text has no end"),
        ("12abc", "?not a number"),
        ("(1", "?here `)` is missing"),
        ("1 2", "?the expression goes on after its end"),
        ("{'a': 1}", "?maps cannot be built here"),
        ("now()", "?there is no function `now`"),
        ("tags.map(a, tags.map(b, tags.map(c, c)))", "?macros are nested more than twice"),
    ];
    for (text, wanted) in table {
        assert_eq!(run(text), wanted, "{text}");
    }
    let condition = Expression::compile_condition("amount + 1", &kind_of).unwrap_err();
    assert_eq!(condition.reason, "a condition is true or false, but this gives a number");
}

#[test]
fn depth_length_and_cost_are_bounded() {
    let deep = [
        format!("{}1{}", "(".repeat(2000), ")".repeat(2000)),
        format!("{}1", "-".repeat(4000)),
        format!("{}active", "!".repeat(4000)),
        "[".repeat(4000),
        "active?".repeat(500),
        format!("1{}", "+1".repeat(2000)),
        format!("nested{}", ".a".repeat(2000)),
        format!("nested{}", "[0]".repeat(1300)),
        format!("has({}", "has(".repeat(1000)),
        "a".repeat(5000),
        format!("[{}1]", "1,".repeat(600)),
    ];
    for text in deep {
        assert!(run(&text).starts_with('?'), "{} {text}", run(&text));
    }
    assert_eq!(run(&format!("active{}", " || active".repeat(100))), "true");
    let long = Value::List((0..2_000).map(Value::from).collect());
    let costly = Expression::compile("tags.map(a, tags.filter(b, b == a))", &kind_of).unwrap();
    assert_eq!(costly.eval_value(&|_| &long).unwrap_err().code, "expression-too-costly");
    let text = Value::Text("x".repeat(1 << 20).into());
    let growing = Expression::compile("(name+name+name+name)+(name+name+name+name)", &kind_of).unwrap();
    assert_eq!(growing.eval_value(&|_| &text).unwrap_err().code, "expression-too-costly");
}
