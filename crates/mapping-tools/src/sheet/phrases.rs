//! What people write into the transformation column, as transforms.

use crate::toml_text::{list, quoted};

/// What a phrase stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phrase {
    /// A transform, as TOML.
    Step(String),
    /// Always this value.
    Constant(String),
    /// This where the source is empty.
    Default(String),
    /// The words of the options column.
    Picklist,
    /// Nothing needs to be done.
    Nothing,
    /// The column is not brought over.
    Skip,
    /// The source's columns are put together.
    Concat,
}

/// The phrases of a cell, in order, and the parts that could not be understood.
pub(super) fn read(text: &str) -> (Vec<Phrase>, Vec<String>) {
    let mut phrases = Vec::new();
    let mut open = Vec::new();
    for part in parts(text) {
        match phrase(&part) {
            Some(Phrase::Nothing) => {}
            Some(phrase) => phrases.push(phrase),
            None => open.push(part),
        }
    }
    (phrases, open)
}

/// One phrase each: between semicolons, line ends, arrows and `then`; commas part phrases unless they stand in quotes.
fn parts(text: &str) -> Vec<String> {
    let mut text = text.replace("->", ";").replace(['→', '\n', '>', '|'], ";").replace(" then ", ";");
    text = text.replace(" and ", ";");
    let mut parts = vec![String::new()];
    let mut quote: Option<char> = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == ';' || c == ',' => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn phrase(part: &str) -> Option<Phrase> {
    let small = part.to_lowercase();
    let small = small.trim_end_matches('.').trim();
    let step = |name: &str| Some(Phrase::Step(format!("\"{name}\"")));
    let has = |words: &[&str]| words.iter().any(|word| small.contains(word));
    if [
        "", "-", "none", "1:1", "1 to 1", "direct", "as is", "as-is", "copy", "n/a", "no", "keine",
        "straight",
    ]
    .contains(&small)
    {
        return Some(Phrase::Nothing);
    }
    if has(&["do not", "don't", "skip", "ignore", "not migrate", "exclude"]) {
        return Some(Phrase::Skip);
    }
    if let Some(value) = after(
        part,
        &["constant", "always", "fixed value", "fixed", "hardcode", "hard-coded", "hard code", "set to"],
    ) {
        return Some(Phrase::Constant(value));
    }
    if let Some(value) =
        after(part, &["default to", "default value", "default", "if empty", "if blank", "fallback"])
    {
        return Some(Phrase::Default(value));
    }
    if let Some(format) = date_format(part) {
        let step = if format.contains("%H") {
            format!("{{ date_time = {{ formats = [{}] }} }}", quoted(&format))
        } else {
            format!("{{ date = [{}] }}", quoted(&format))
        };
        return Some(Phrase::Step(step));
    }
    if has(&["split"]) {
        return Some(Phrase::Step(match mark(small) {
            None | Some(";") => "\"split\"".to_owned(),
            Some(mark) => format!("{{ split = {} }}", quoted(mark)),
        }));
    }
    if has(&["join", "concat", "combine", "merge"]) {
        return Some(Phrase::Concat);
    }
    if has(&["max", "truncate", "cut to", "limit", "first"])
        && let Some(chars) = first_number(small)
    {
        return Some(Phrase::Step(format!("{{ max_length = {{ chars = {chars}, over = \"cut\" }} }}")));
    }
    if has(&["round"]) {
        return Some(Phrase::Step(format!("{{ round = {} }}", first_number(small).unwrap_or(0))));
    }
    if has(&[
        "map value",
        "value map",
        "picklist",
        "lookup",
        "translate",
        "see values",
        "options",
        "dropdown",
    ]) {
        return Some(Phrase::Picklist);
    }
    let plain: &[(&[&str], &str)] = &[
        (&["collapse", "single space", "extra space", "double space"], "collapse_spaces"),
        (&["trim", "strip", "whitespace", "white space"], "trim"),
        (&["lower"], "lower"),
        (&["upper"], "upper"),
        (&["title case", "proper case", "capitali", "proper"], "title"),
        (&["domain"], "domain"),
        (&["e-mail", "email"], "email"),
        (&["e.164", "e164", "phone", "telefon"], "phone"),
        (&["url", "https"], "url"),
        (&["date time", "datetime", "date/time", "timestamp"], "date_time"),
        (&["boolean", "yes/no", "y/n", "true/false", "ja/nein", "checkbox"], "boolean"),
        (&["to text", "as text", "to string"], "text"),
    ];
    if let Some((_, name)) = plain.iter().find(|(words, _)| has(words)) {
        return step(name);
    }
    if has(&["decimal comma", "german number", "1.234,56", "comma as decimal"]) {
        return Some(Phrase::Step("{ number = { decimal = \",\", group = \".\" } }".to_owned()));
    }
    if has(&["number", "numeric", "decimal", "integer"]) {
        return step("number");
    }
    if has(&["date"]) {
        return step("date");
    }
    None
}

/// What stands behind a word, without the marks around it.
fn after(part: &str, words: &[&str]) -> Option<String> {
    let small = part.to_lowercase();
    let word = words.iter().find(|word| small.starts_with(**word))?;
    let rest = part.get(word.len()..)?.trim_start_matches([' ', ':', '=']);
    let rest = rest.trim().trim_matches(['"', '\'', '“', '”', '`']);
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// A format such as `DD.MM.YYYY`, in the codes of `strptime`.
fn date_format(part: &str) -> Option<String> {
    let word = part.split_whitespace().skip_while(|word| !is_format(word));
    let words: Vec<&str> = word.take_while(|word| is_format(word)).collect();
    let text = words.join(" ");
    if text.is_empty() {
        return None;
    }
    // Minutes are `mm` behind the hours, months are `MM` or `mm` before them.
    let small = text.to_lowercase();
    let (date, time) =
        small.split_once("hh").map_or((small.as_str(), None), |(date, time)| (date, Some(time)));
    let date = date.replace("yyyy", "%Y").replace("jjjj", "%Y").replace("yy", "%y").replace("mmm", "%b");
    let date = date.replace("mm", "%m").replace("dd", "%d").replace("tt", "%d");
    let time =
        time.map(|time| format!("%H{}", time.replace("mm", "%M").replace("mi", "%M").replace("ss", "%S")));
    let format = format!("{date}{}", time.unwrap_or_default());
    (format.contains("%d") && format.contains("%m") || format.contains("%b")).then_some(format)
}

fn is_format(word: &str) -> bool {
    let small = word.to_lowercase();
    let letters: String = small.chars().filter(|c| c.is_alphabetic()).collect();
    let known = !letters.is_empty() && letters.chars().all(|c| "dmyhstj".contains(c));
    known && (small.contains("mm") || small.contains("hh") || small.contains("yy"))
}

fn first_number(text: &str) -> Option<u32> {
    let digits: String =
        text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|number| *number > 0)
}

/// The mark that a phrase names, in itself or in quotes.
fn mark(text: &str) -> Option<&'static str> {
    let named = [
        ("semicolon", ";"),
        ("comma", ","),
        ("pipe", "|"),
        ("slash", "/"),
        ("\",\"", ","),
        ("\"|\"", "|"),
        ("\";\"", ";"),
        ("\"/\"", "/"),
    ];
    named.into_iter().find(|(word, _)| text.contains(word)).map(|(_, mark)| mark)
}

/// Words of the source and what they become: `A = Gold; B -> Silver`; words alone become themselves.
pub(super) fn pairs(text: &str) -> Vec<(String, Option<String>)> {
    let text = text.replace("=>", "=").replace("->", "=").replace('→', "=");
    let entries = crate::grid::list(&text).into_iter().map(|entry| match entry.split_once(['=', ':']) {
        Some((word, option)) => (clean(word), Some(clean(option)).filter(|option| !option.is_empty())),
        None => (clean(&entry), None),
    });
    entries.filter(|(word, _)| !word.is_empty()).collect()
}

fn clean(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).trim().to_owned()
}

/// A boolean transform for words such as `Y/N`.
pub(super) fn yes_no(words: &[(String, Option<String>)]) -> Option<String> {
    let says = |option: &Option<String>, words: &[&str]| {
        option.as_deref().is_some_and(|option| words.contains(&option.to_lowercase().as_str()))
    };
    let pick = |truth: &[&str]| -> Vec<&String> {
        words.iter().filter(|(_, option)| says(option, truth)).map(|(word, _)| word).collect()
    };
    let (yes, no) = (pick(&["true", "yes", "1"]), pick(&["false", "no", "0"]));
    let whole = !yes.is_empty() && !no.is_empty() && yes.len() + no.len() == words.len();
    whole.then(|| format!("{{ boolean = {{ true = {}, false = {} }} }}", list(&yes), list(&no)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_become_transforms() {
        let step = |text: &str| Phrase::Step(text.to_owned());
        let cases: &[(&str, Vec<Phrase>)] = &[
            ("1:1", vec![]),
            ("Trim, lowercase", vec![step("\"trim\""), step("\"lower\"")]),
            ("trim -> title case", vec![step("\"trim\""), step("\"title\"")]),
            ("Convert to E.164", vec![step("\"phone\"")]),
            ("DD.MM.YYYY", vec![step("{ date = [\"%d.%m.%Y\"] }")]),
            ("Date format: dd/mm/yyyy", vec![step("{ date = [\"%d/%m/%Y\"] }")]),
            ("YYYY-MM-DD HH:mm:ss", vec![step("{ date_time = { formats = [\"%Y-%m-%d %H:%M:%S\"] } }")]),
            ("Constant: \"ERP\"", vec![Phrase::Constant("ERP".into())]),
            ("default = unknown", vec![Phrase::Default("unknown".into())]),
            ("split by comma", vec![step("{ split = \",\" }")]),
            ("truncate to 100 characters", vec![step("{ max_length = { chars = 100, over = \"cut\" } }")]),
            ("decimal comma", vec![step("{ number = { decimal = \",\", group = \".\" } }")]),
            ("Map values", vec![Phrase::Picklist]),
            ("Do not migrate", vec![Phrase::Skip]),
        ];
        for (text, phrases) in cases {
            assert_eq!(read(text), (phrases.clone(), vec![]), "{text}");
        }
        assert_eq!(read("trim; ask Bob").1, ["ask Bob"]);
    }

    #[test]
    fn words_and_their_options_are_told_apart() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            pairs("A = Gold; B -> Silver"),
            [("A".into(), some("Gold")), ("B".into(), some("Silver"))]
        );
        assert_eq!(pairs("Gold\nSilver"), [("Gold".into(), None), ("Silver".into(), None)]);
        assert_eq!(
            yes_no(&pairs("J = true; N = false")).unwrap(),
            "{ boolean = { true = [\"J\"], false = [\"N\"] } }"
        );
    }
}
