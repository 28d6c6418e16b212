//! Mutated mapping files, tables, expressions and records, from a seed: for a moment in every test run, for as long as
//! `FUZZ_SECONDS` says otherwise. `cargo xtask fuzz` does that with an optimised build.

use std::time::{Duration, Instant};

use mapping_engine::{Check, CheckedMapping, Problems};
use sync_types::{ExternalId, LinkId, Mapper, Record, Shape, Value};

/// Seconds to go on for.
const SECONDS: &str = "FUZZ_SECONDS";
/// Another seed than the usual one.
const SEED: &str = "FUZZ_SEED";
/// Longest that one run may take: far above what it takes, far below what a person calls a hang.
const RUN_MAX: Duration = Duration::from_secs(5);

/// SplitMix64: enough chance for mutations, and the same from the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }

    /// Changes a few places of a text: characters, tokens, repeats, cuts.
    fn mutate(&mut self, text: &str, tokens: &[&str]) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(4) {
            let at = self.below(chars.len() + 1);
            match self.below(7) {
                0 if at < chars.len() => {
                    chars[at] = char::from_u32(u32::try_from(self.below(0x250)).unwrap()).unwrap_or('x')
                }
                1 if self.below(4) == 0 => chars.truncate(at.max(chars.len() / 2)),
                2 => {
                    let end = (at + self.below(60)).min(chars.len());
                    let piece = chars[at..end].to_vec();
                    let to = self.below(chars.len() + 1);
                    chars.splice(to..to, piece);
                }
                3 => {
                    let end = (at + self.below(20)).min(chars.len());
                    chars.drain(at..end);
                }
                _ => {
                    let end = (at + self.below(3)).min(chars.len());
                    chars.splice(at..end, self.pick(tokens).chars());
                }
            }
        }
        chars.into_iter().collect()
    }

    /// A value such as a source may hold, often one that a transform knows.
    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 7 } else { 9 }) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::Number(rust_decimal::Decimal::new(
                self.next().cast_signed(),
                u32::try_from(self.below(29)).unwrap(),
            )),
            3 => Value::Date(jiff::civil::date(
                1900 + i16::try_from(self.below(200)).unwrap(),
                1 + i8::try_from(self.below(12)).unwrap(),
                1 + i8::try_from(self.below(28)).unwrap(),
            )),
            4 => Value::DateTime(
                jiff::Timestamp::from_millisecond(i64::try_from(self.below(4_000_000_000_000)).unwrap())
                    .unwrap(),
            ),
            5 | 6 => {
                let text = self.pick(VALUES);
                Value::text(if self.below(2) == 0 { text.to_owned() } else { self.mutate(text, VALUES) })
            }
            7 => Value::List((0..self.below(4)).map(|_| self.value(depth - 1)).collect()),
            _ => Value::Object(
                (0..self.below(4)).map(|_| (self.pick(VALUES).into(), self.value(depth - 1))).collect(),
            ),
        }
    }
}

/// Texts of all kinds that transforms and properties know.
const VALUES: &[&str] = &[
    "",
    " ",
    "a",
    "Ada King",
    "a;b;;c",
    "ada@example.com",
    "mailto:X@Y.de",
    "https://www.example.com/a?b#c",
    "www.",
    "+49 30 1234567",
    "030 / 123",
    "1.234,56 €",
    "-0",
    "1e3",
    "99999999999999999999999999999",
    "2026-07-15",
    "29.02.2025",
    "2026-07-15T12:30:00Z",
    "15.07.2026 12:00",
    "1784066400",
    "true",
    "Ja",
    "0",
    "DE",
    "Germany",
    "EUR",
    "de-at",
    "{\"a\":[1,2]}",
    "[[[[",
    "e\u{301}",
    "\u{0}",
    "\u{feff}",
    "ﬁ",
    "İ",
    "ẞ",
    "🦀",
    "n/a",
    "van der Berg, A.",
];

/// Runs `check` with chance from a known seed until time is up, and says how often.
#[allow(clippy::disallowed_methods, reason = "how long a run goes on is no part of what it tests")]
fn fuzz(target: &str, mut check: impl FnMut(&mut Random) -> bool) {
    let seconds = std::env::var(SECONDS).map_or(0.3, |seconds| seconds.parse().unwrap());
    let seed: u64 = std::env::var(SEED).map_or(1, |seed| seed.parse().unwrap());
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let (mut runs, mut accepted) = (0_u64, 0_u64);
    while runs < 100 || Instant::now() < end {
        // A failure names the one run that has to be repeated.
        let case = seed.wrapping_mul(1_000_003).wrapping_add(runs);
        let start = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&mut Random(case))));
        assert!(start.elapsed() < RUN_MAX, "{target}: case {case} took {:?}", start.elapsed());
        match outcome {
            Ok(taken) => accepted += u64::from(taken),
            Err(_) => panic!("{target}: case {case} failed; FUZZ_SEED={seed} repeats it"),
        }
        runs += 1;
    }
    println!("{target}: {runs} runs, {accepted} accepted");
    assert!(accepted > 0, "{target}: nothing was accepted, so only refusals were tried");
}

/// The whole mappings of both references.
fn examples() -> Vec<&'static str> {
    let references = [include_str!("../../docs/format.md"), include_str!("../../docs/transforms.md")];
    let blocks = references.into_iter().flat_map(|text| text.split("```toml\n").skip(1));
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

/// Checks a file; whatever is wrong with it is told with a place inside it.
fn checked(text: &str) -> Result<CheckedMapping, Problems> {
    let outcome = Check::new("mapping.toml", text).run();
    if let Err(problems) = &outcome {
        assert!(problems.has_errors());
        for problem in problems.list() {
            assert!(
                problem.line >= 1 && problem.column >= 1 && problem.span.end <= text.len(),
                "{problem:?}"
            );
            assert!(!problem.reason.is_empty() && !problem.remedy.is_empty(), "{problem:?}");
        }
        assert!(!problems.to_string().is_empty() && problems.to_json().is_object());
    }
    outcome
}

/// Runs a mapping on a record: the same answer twice, canonical values, and what comes back maps to the same.
fn run(mapping: &CheckedMapping, record: &Record) {
    for (place, link) in mapping.links().iter().enumerate() {
        let id = LinkId(u16::try_from(place).unwrap());
        let mapped = mapping.map(id, record);
        assert_eq!(mapped, mapping.map(id, record), "the same record, the same answer");
        assert!(mapping.explain(id, record).is_some());
        let mapped = match mapped {
            Ok(mapped) => mapped,
            Err(error) => {
                assert!(
                    error
                        .problems
                        .iter()
                        .all(|problem| !problem.reason.is_empty() && !problem.remedy.is_empty())
                );
                continue;
            }
        };
        assert_eq!(mapped.values.len(), link.properties.len());
        for (property, value) in mapped.values.iter().enumerate() {
            let Some(value) = value else { continue };
            assert_eq!(&mapping.canonical(id, property, value.clone()), value, "mapped values are canonical");
            if let Ok(fields) = mapping.back(id, property, value)
                && let [field] = fields.as_slice()
                && record.shape().place(&field.path).is_some()
            {
                let names = record.shape().names();
                let values = names.iter().zip(record.values());
                let changed = values
                    .map(|(name, old)| if **name == *field.path { field.value.clone() } else { old.clone() })
                    .collect();
                let changed = Record::new(record.id().clone(), record.shape().clone(), changed);
                if let Ok(again) = mapping.map(id, &changed)
                    && again.in_scope
                {
                    assert_eq!(
                        again.values[property].as_ref(),
                        Some(value),
                        "what comes back maps to the same"
                    );
                }
            }
        }
    }
}

const FILE_TOKENS: &[&str] = &[
    "[",
    "]",
    "[[links]]\n",
    "{",
    "}",
    "=",
    "\"",
    "'''",
    "\n",
    "#",
    "\\u0000",
    "true",
    "1e999",
    "2026-13-45",
    "-",
    "from = ",
    "to = ",
    "transform = [",
    "\"trim\"",
    "{ extract = '(a*)*b' }",
    "{ picklist = \"x\" }",
    "both",
    "direction = \"both\"\n",
    "expression = \"",
    "scope = ",
    "default",
    "mapping",
    "\u{202e}",
    "\t",
    "😀",
    "{ max_length = 4294967295 }",
    "{ pad = 1000 }",
    "{ round = 28 }",
    "{ unit = { from = \"f\", to = \"k\" } }",
    "{ format_date = \"%c %Q %999Y\" }",
    "{ date = [\"%\"] }",
    "{ multiply = 0.0000000000000000000000000001 }",
];

#[test]
fn mapping_files() {
    let examples = examples();
    fuzz("mapping files", |random| {
        let text = random.mutate(random_example(&examples, random.0), FILE_TOKENS);
        match checked(&text) {
            Ok(mapping) => {
                assert_eq!(mapping.fingerprint(), checked(&text).unwrap().fingerprint());
                true
            }
            Err(_) => false,
        }
    });
}

fn random_example<'a>(examples: &[&'a str], seed: u64) -> &'a str {
    Random(seed ^ 0x5bd1).pick(examples)
}

/// Every form of the reference of transforms, as the file writes it.
fn transforms() -> Vec<String> {
    let rows = include_str!("../../docs/transforms.md").lines().filter(|line| line.starts_with("| `"));
    let cells =
        rows.filter(|line| line.matches(" | ").count() == 4).map(|line| line.split(" | ").next().unwrap());
    let forms = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    forms
        .filter(|form| !form.contains("function") && !form.contains("key ="))
        .map(|form| if form.starts_with('{') { form.to_owned() } else { format!("\"{form}\"") })
        .collect()
}

#[test]
fn random_rules_on_random_records() {
    let transforms = transforms();
    let transforms: Vec<&str> = transforms.iter().map(String::as_str).collect();
    let columns = ["a", "b", "c", "other"];
    fuzz("rules and records", |random| {
        let chain: Vec<&str> = (0..random.below(4)).map(|_| random.pick(&transforms)).collect();
        let kind = random.pick(&[
            "",
            "kind = 'text', ",
            "kind = 'number', ",
            "kind = 'options', ",
            "kind = 'date', ",
        ]);
        let empty = random.pick(&["", "when_empty = 'ignore', ", "required = true, ", "on_bad = 'leave', "]);
        let direction = random.pick(&["to-hubspot", "both"]);
        let source =
            random.pick(&["from = 'a'", "from = ['a', 'b']", "template = '{a}/{b}'", "concat = ['a', 'b']"]);
        let text = format!(
            "[mapping]\nname = 'x'\nregion = 'DE'\nzone = 'Europe/Berlin'\n[[links]]\nname = 'l'\ncollection = 'c'\n\
             object = 'contacts'\nsync_key = 'k'\ndirection = '{direction}'\nfields = [{{ {source}, to = 'email', {kind}\
             {empty}transform = [{}] }}]\n[picklists.status]\nmap = {{ a = 'x', Ja = 'y' }}\n[lookups.territories]\n\
             key = 'k'\nvalue = 'v'\ncsv = '''k,v\na,1\n0,2\n'''\n[rates.ecb]\nbase = 'EUR'\nrows = [{{ on = \
             2026-01-01, USD = 1.08 }}]\n",
            chain.join(", ")
        );
        let Ok(mapping) = checked(&text) else { return false };
        for _ in 0..8 {
            let values: Vec<Value> = columns.iter().map(|_| random.value(2)).collect();
            run(&mapping, &Record::new(ExternalId::new("1"), Shape::new(columns), values));
        }
        true
    });
}

const EXPRESSIONS: &[&str] = &[
    "a == \"x\" && b > 100 || !has(c)",
    "tags.exists(t, t == \"vip\") && tags.all(t, size(t) > 1)",
    "tags.filter(t, t != a).map(t, t + b)[0]",
    "round(number(a) / 3, 2) + abs(-1) + min(1, 2) % 7",
    "a.matches(r'^[A-Z]\\w+$') ? a.substring(0, 1) : coalesce(b, c)",
    "date(\"2026-01-01\").addDays(30) < date(a)",
    "record[\"a\"] in [a, b, \"c\", null]",
    "a.replace(\"x\", a + a).split(\";\").join(a)",
];

const EXPRESSION_TOKENS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "&&",
    "||",
    "!",
    "?",
    ":",
    "==",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    ".",
    ",",
    "\"",
    "'",
    "r'",
    "\\",
    "in",
    "null",
    "true",
    "1.5",
    "99999999999999999999999999999999",
    "0",
    "a",
    "b",
    "tags",
    "t",
    "record",
    ".map(x, x)",
    ".exists(y, y == a)",
    "size(",
    ".a.b.c",
    "//",
    "\n",
    "\u{0}",
    "ä",
    "matches(",
    "'(a|a)*$'",
    "((((((((",
];

#[test]
fn expressions() {
    let columns = ["a", "b", "c", "tags"];
    fuzz("expressions", |random| {
        let seed = random.pick(EXPRESSIONS);
        let expression = random.mutate(seed, EXPRESSION_TOKENS);
        let quoted = serde_json::to_string(&expression).unwrap();
        let text = format!(
            "[mapping]\nname = 'x'\n[[links]]\nname = 'l'\ncollection = 'c'\nobject = 'contacts'\nsync_key = 'k'\n\
             fields = [{{ expression = {quoted}, to = 'y', transform = 'write_json' }}]\n"
        );
        let Ok(mapping) = checked(&text) else { return false };
        for _ in 0..4 {
            let values: Vec<Value> = columns.iter().map(|_| random.value(2)).collect();
            run(&mapping, &Record::new(ExternalId::new("1"), Shape::new(columns), values));
        }
        true
    });
}

#[test]
fn lookup_tables() {
    let tables =
        ["k,v\na,1\nb,2\n", "k;v;w\n\"a;b\";1;x\n", "\u{feff}k,v\r\na,\"1\n2\"\r\n", "k,v\na,1\na,1\n"];
    let tokens =
        [",", ";", "\"", "\"\"", "\n", "\r\n", "\r", "k", "v", "a", "\u{feff}", "\t", "\\", "ä", "'"];
    fuzz("lookup tables", |random| {
        let seed = random.pick(&tables);
        let table = random.mutate(seed, &tokens);
        let csv = serde_json::to_string(&table).unwrap();
        let text = format!(
            "[mapping]\nname = 'x'\n[[links]]\nname = 'l'\ncollection = 'c'\nobject = 'contacts'\nsync_key = 'k'\n\
             fields = [{{ from = 'a', to = 'y', transform = {{ lookup = 'l' }} }}]\n[lookups.l]\nkey = 'k'\nvalue = 'v'\n\
             csv = {csv}\n"
        );
        let Ok(mapping) = checked(&text) else { return false };
        for key in ["a", "b", "a;b", ""] {
            run(&mapping, &Record::new(ExternalId::new("1"), Shape::new(["a"]), vec![key.into()]));
        }
        true
    });
}

#[test]
fn shown_values() {
    let text = "[mapping]\nname = 'x'\nregion = 'DE'\nzone = 'UTC'\n[[links]]\nname = 'l'\ncollection = 'c'\n\
                object = 'contacts'\nsync_key = 'k'\ndirection = 'both'\nfields = [\
                { from = 'a', to = 'email', transform = 'email' },\
                { from = 'b', to = 'phone', transform = ['trim', 'phone'] },\
                { from = 'c', to = 'n', transform = 'number', kind = 'number' },\
                { from = 'd', to = 'd', transform = 'date', kind = 'date' },\
                { from = 'e', to = 't', transform = 'date_time', kind = 'date-time' },\
                { from = 'f', to = 'o', transform = 'split', kind = 'options' },\
                { from = 'g', to = 's', transform = ['nfkc', 'collapse_spaces', 'title'] },\
                { from = 'h', to = 'u', transform = 'url' },\
                { from = 'i', to = 'bo', transform = 'boolean', kind = 'boolean' }]\n";
    let mapping = checked(text).unwrap_or_else(|problems| panic!("{problems}"));
    fuzz("shown values", |random| {
        let shown = random.value(1);
        let mut came_back = false;
        for property in 0..mapping.links()[0].properties.len() {
            let once = mapping.canonical(LinkId(0), property, shown.clone());
            assert_eq!(
                mapping.canonical(LinkId(0), property, once.clone()),
                once,
                "canonical values are idempotent"
            );
            if let Ok(fields) = mapping.back(LinkId(0), property, &once)
                && let [field] = fields.as_slice()
            {
                let record =
                    Record::new(ExternalId::new("1"), Shape::new([&*field.path]), vec![field.value.clone()]);
                let mapped = mapping.map(LinkId(0), &record).unwrap();
                assert_eq!(mapped.values[property].as_ref(), Some(&once), "what comes back maps to the same");
                came_back = true;
            }
        }
        came_back
    });
}

#[test]
fn records_are_the_same_in_any_order_of_their_columns() {
    let mapping = checked(examples()[0]).unwrap();
    fuzz("orders of columns", |random| {
        let columns = ["company", "website", "id", "extra"];
        let values: Vec<Value> = columns.iter().map(|_| random.value(1)).collect();
        let record = Record::new(ExternalId::new("1"), Shape::new(columns), values.clone());
        let turn = random.below(4);
        let order: Vec<usize> = (0..4).map(|place| (place + turn) % 4).collect();
        let shape = Shape::new(order.iter().map(|place| columns[*place]));
        let turned = Record::new(
            ExternalId::new("1"),
            shape,
            order.iter().map(|place| values[*place].clone()).collect(),
        );
        let mapped = mapping.map(LinkId(0), &record);
        assert_eq!(mapped, mapping.map(LinkId(0), &turned));
        mapped.is_ok()
    });
}
