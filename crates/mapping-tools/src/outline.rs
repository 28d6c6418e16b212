//! A mapping file as its author wrote it: what the compiled mapping no longer knows, such as notes and column names.
//!
//! Reading is forgiving, because [`mapping_engine::check`] is the judge: what is not understood here is left out.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

/// A mapping's files, read together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// The engagement's name.
    pub name: String,
    /// Free text about the mapping.
    pub description: Option<String>,
    /// Region of telephone numbers without a country code.
    pub region: Option<String>,
    /// Zone of times without one.
    pub zone: Option<String>,
    /// The links, in the order of the files.
    pub links: Vec<LinkOutline>,
    /// Tables of words, by name.
    pub picklists: BTreeMap<String, PicklistOutline>,
    /// Columns that never leave the source, of the whole mapping.
    pub never_leaves_source: Vec<String>,
}

/// One `[[links]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkOutline {
    /// The link's name.
    pub name: String,
    /// The source's collection.
    pub collection: String,
    /// The object type in HubSpot.
    pub object: String,
    /// Free text about the link.
    pub description: Option<String>,
    /// The conditions or the expression of `scope`, as written.
    pub scope: Option<Value>,
    /// Columns that never leave the source, of this link.
    pub never_leaves_source: Vec<String>,
    /// The fields, in the order of the file.
    pub fields: Vec<FieldOutline>,
    /// The associations, in the order of the file.
    pub associations: Vec<AssociationOutline>,
    /// Every other key, as written.
    pub rest: Table,
}

/// One `[[links.fields]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldOutline {
    /// The property.
    pub to: String,
    /// Where its value begins.
    pub source: SourceOutline,
    /// The transforms, in order.
    pub chain: Vec<StepOutline>,
    /// What an empty value means, as written.
    pub when_empty: Option<Value>,
    /// What a refused value means, as written.
    pub on_bad: Option<String>,
    /// A record whose value is empty is refused.
    pub required: bool,
    /// Free text for people.
    pub note: Option<String>,
    /// Every other key, as written.
    pub rest: Table,
}

/// Where a field's value begins.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceOutline {
    /// The first of these paths that is not empty.
    Paths(Vec<String>),
    /// These paths' values with a separator between them.
    Concat(Vec<String>, String),
    /// Text with paths in braces.
    Template(String),
    /// Always the same.
    Constant(Value),
    /// An expression.
    Expression(String),
    /// A key that this version of the tools does not know.
    Unknown,
}

/// One transform.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOutline {
    /// Its name in the file.
    pub name: String,
    /// Its argument, as written.
    pub argument: Option<Value>,
}

/// One `[[links.associations]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssociationOutline {
    /// The rule's name.
    pub name: String,
    /// The other link.
    pub to: String,
    /// The path of the other record's key.
    pub key: String,
    /// The transforms of the key.
    pub chain: Vec<StepOutline>,
    /// The condition, as written.
    pub when: Option<Value>,
    /// The label in the other direction.
    pub inverse: Option<String>,
    /// A record whose key is empty is refused.
    pub required: bool,
    /// Free text for people.
    pub note: Option<String>,
}

/// One `[picklists.NAME]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PicklistOutline {
    /// The source's words and what they become, sorted by word.
    pub map: BTreeMap<String, String>,
    /// What every other word becomes.
    pub default: Option<String>,
    /// Whether the case of the source's words matters not.
    pub ignore_case: bool,
}

impl Outline {
    /// Reads the files of a mapping, the main one first.
    ///
    /// # Errors
    /// One of them is not TOML; `check` says where.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Outline, toml::de::Error> {
        let mut outline = Outline::default();
        for text in texts {
            outline.add(text.parse()?);
        }
        Ok(outline)
    }

    fn add(&mut self, file: Table) {
        if let Some(head) = file.get("mapping").and_then(Value::as_table) {
            if let Some(name) = text(head, "name") {
                self.name = name;
            }
            self.description = text(head, "description").or(self.description.take());
            self.region = text(head, "region").or(self.region.take());
            self.zone = text(head, "zone").or(self.zone.take());
            self.never_leaves_source.extend(texts(head.get("never_leaves_source")));
        }
        self.never_leaves_source.extend(texts(file.get("never_leaves_source")));
        self.links.extend(tables(file.get("links")).map(read_link));
        for (name, table) in file.get("picklists").and_then(Value::as_table).into_iter().flatten() {
            if let Some(table) = table.as_table() {
                self.picklists.insert(name.clone(), read_picklist(table));
            }
        }
    }

    /// A link by its name.
    #[must_use]
    pub fn link(&self, name: &str) -> Option<&LinkOutline> {
        self.links.iter().find(|link| link.name == name)
    }

    /// Whether a path leads to, or into, a column that never leaves the source.
    #[must_use]
    pub fn stays_home(&self, link: &LinkOutline, path: &str) -> bool {
        self.never_leaves_source
            .iter()
            .chain(&link.never_leaves_source)
            .any(|column| leads_into(path, column))
    }
}

impl LinkOutline {
    /// A field by the property that it writes.
    #[must_use]
    pub fn field(&self, to: &str) -> Option<&FieldOutline> {
        self.fields.iter().find(|field| field.to == to)
    }

    /// The paths that the conditions of `scope` ask; those of an expression are not known here.
    #[must_use]
    pub fn scope_paths(&self) -> Vec<String> {
        condition_paths(self.scope.as_ref())
    }
}

impl FieldOutline {
    /// The source paths that the value is made of, each once; those of an expression are not known here.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let all: Vec<String> = match &self.source {
            SourceOutline::Paths(paths) | SourceOutline::Concat(paths, _) => paths.clone(),
            SourceOutline::Template(template) => template_paths(template),
            _ => Vec::new(),
        };
        let mut seen = BTreeSet::new();
        all.into_iter().filter(|path| seen.insert(path.clone())).collect()
    }

    /// The table of words that the field translates by, if its last transform is one.
    #[must_use]
    pub fn picklist(&self) -> Option<&str> {
        let last = self.chain.last().filter(|step| step.name == "picklist")?;
        last.argument.as_ref().and_then(Value::as_str)
    }
}

impl AssociationOutline {
    /// The paths that the rule reads: its key and those of its condition.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        std::iter::once(self.key.clone()).chain(condition_paths(self.when.as_ref())).collect()
    }
}

/// Whether a path is a column, or leads into the nested values of one.
#[must_use]
pub fn leads_into(path: &str, column: &str) -> bool {
    path == column || path.strip_prefix(column).is_some_and(|rest| rest.starts_with('.'))
}

fn read_link(table: &Table) -> LinkOutline {
    let known = [
        "name",
        "collection",
        "object",
        "description",
        "scope",
        "fields",
        "associations",
        "never_leaves_source",
    ];
    let of = |key| text(table, key).unwrap_or_default();
    LinkOutline {
        name: of("name"),
        collection: of("collection"),
        object: of("object"),
        description: text(table, "description"),
        scope: table.get("scope").cloned(),
        never_leaves_source: texts(table.get("never_leaves_source")),
        fields: tables(table.get("fields")).map(read_field).collect(),
        associations: tables(table.get("associations")).map(read_association).collect(),
        rest: others(table, &known),
    }
}

fn read_field(table: &Table) -> FieldOutline {
    let known = [
        "to",
        "from",
        "concat",
        "separator",
        "template",
        "value",
        "expression",
        "transform",
        "when_empty",
        "on_bad",
        "required",
        "note",
    ];
    FieldOutline {
        to: text(table, "to").unwrap_or_default(),
        source: read_source(table),
        chain: read_chain(table.get("transform")),
        when_empty: table.get("when_empty").cloned(),
        on_bad: text(table, "on_bad"),
        required: flag(table, "required"),
        note: text(table, "note"),
        rest: others(table, &known),
    }
}

fn read_source(table: &Table) -> SourceOutline {
    if let Some(from) = table.get("from") {
        SourceOutline::Paths(texts(Some(from)))
    } else if let Some(concat) = table.get("concat") {
        let separator = text(table, "separator").unwrap_or_else(|| " ".to_owned());
        SourceOutline::Concat(texts(Some(concat)), separator)
    } else if let Some(template) = text(table, "template") {
        SourceOutline::Template(template)
    } else if let Some(value) = table.get("value") {
        SourceOutline::Constant(value.clone())
    } else if let Some(expression) = text(table, "expression") {
        SourceOutline::Expression(expression)
    } else {
        SourceOutline::Unknown
    }
}

/// One transform or a list of them, each a name or a table of one key.
fn read_chain(value: Option<&Value>) -> Vec<StepOutline> {
    let step = |value: &Value| match value {
        Value::String(name) => Some(StepOutline { name: name.clone(), argument: None }),
        Value::Table(table) => {
            let (name, argument) = table.iter().next()?;
            Some(StepOutline { name: name.clone(), argument: Some(argument.clone()) })
        }
        _ => None,
    };
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(step).collect(),
        Some(one) => step(one).into_iter().collect(),
        None => Vec::new(),
    }
}

fn read_association(table: &Table) -> AssociationOutline {
    let of = |key| text(table, key).unwrap_or_default();
    AssociationOutline {
        name: of("name"),
        to: of("to"),
        key: of("key"),
        chain: read_chain(table.get("transform")),
        when: table.get("when").cloned(),
        inverse: text(table, "inverse"),
        required: flag(table, "required"),
        note: text(table, "note"),
    }
}

fn read_picklist(table: &Table) -> PicklistOutline {
    let words = table.get("map").and_then(Value::as_table).into_iter().flatten();
    PicklistOutline {
        map: words.filter_map(|(word, option)| Some((word.clone(), option.as_str()?.to_owned()))).collect(),
        default: text(table, "default"),
        ignore_case: flag(table, "ignore_case"),
    }
}

fn condition_paths(value: Option<&Value>) -> Vec<String> {
    let path = |value: &Value| value.as_table().and_then(|table| text(table, "field"));
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(path).collect(),
        Some(one) => path(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// The paths in a template's braces; `{{` and `}}` are braces themselves.
fn template_paths(template: &str) -> Vec<String> {
    let plain = template.replace("{{", "").replace("}}", "");
    let opened = plain.split('{').skip(1);
    opened.filter_map(|part| part.split_once('}')).map(|(path, _)| path.trim().to_owned()).collect()
}

fn text(table: &Table, key: &str) -> Option<String> {
    table.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn flag(table: &Table, key: &str) -> bool {
    table.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// A text, or a list of texts.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn others(table: &Table, known: &[&str]) -> Table {
    let unknown = table.iter().filter(|(key, _)| !known.contains(&key.as_str()));
    unknown.map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_wherever_a_value_begins() {
        let cases = [
            (r#"from = "a""#, vec!["a"]),
            (r#"from = ["a", "b.c"]"#, vec!["a", "b.c"]),
            (r#"concat = ["a", "b", "a"]"#, vec!["a", "b"]),
            (r#"template = "{{x}} {a}-{ b }""#, vec!["a", "b"]),
            (r#"value = 3"#, vec![]),
        ];
        for (source, paths) in cases {
            let text = format!("[[links]]\nname = \"l\"\n[[links.fields]]\nto = \"p\"\n{source}");
            let outline = Outline::read([text.as_str()]).unwrap();
            assert_eq!(outline.links[0].field("p").unwrap().paths(), paths, "{source}");
        }
    }

    #[test]
    fn several_files_are_one_mapping() {
        let outline = Outline::read([
            "[mapping]\nname = \"a\"\nnever_leaves_source = [\"salary\"]\n[[links]]\nname = \"x\"",
            "[[links]]\nname = \"y\"\nscope = [{ field = \"z\", present = true }]\n[picklists.p]\nmap = { A = \"b\" }",
        ])
        .unwrap();
        assert_eq!(outline.name, "a");
        let link = outline.link("y").unwrap();
        assert_eq!(link.scope_paths(), ["z"]);
        assert!(outline.stays_home(link, "salary.net") && !outline.stays_home(link, "salary_code"));
        assert_eq!(outline.picklists["p"].map["A"], "b");
    }
}
