//! A mapping file as its author wrote it: what the compiled mapping no longer knows, such as notes and column names.
//!
//! Reading is forgiving, because [`mapping_engine::check`] is the judge: what is not understood here is left out.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use mapping_engine::CheckedMapping;
use toml::{Table, Value};

use read::{condition_paths, expression_names, template_paths, texts};

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
    /// Every other table of tables, as written: lookups, rates, pipelines, environments.
    pub others: BTreeMap<String, Table>,
    /// Columns that never leave the source: a collection, or `*` for all, and its paths.
    pub never_leaves_source: BTreeMap<String, Vec<String>>,
    /// Names that properties have in the chosen environment: object type, name in the file, name there.
    renamed: Vec<(String, String, String)>,
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
    /// A pipeline or stage by its name: which of the two, and the name.
    Named(&'static str, String),
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
    /// Every other key, as written.
    pub rest: Table,
}

impl Outline {
    /// What the author of a checked mapping wrote, all its files together, with the names of its environment.
    #[must_use]
    pub fn of(mapping: &CheckedMapping) -> Outline {
        let mut outline = Outline::default();
        for (_, text) in mapping.warnings().texts() {
            // Every text of a checked mapping is TOML.
            if let Ok(table) = text.parse() {
                outline.add(&table, mapping.environment());
            }
        }
        outline.rename();
        outline
    }

    /// Reads the text of a mapping of one file.
    ///
    /// # Errors
    /// It is not TOML; `check` says where.
    pub fn read(text: &str) -> Result<Outline, toml::de::Error> {
        let mut outline = Outline::default();
        outline.add(&text.parse()?, None);
        Ok(outline)
    }

    /// Gives the properties the names that they have in the environment.
    fn rename(&mut self) {
        for (object, from, to) in &self.renamed {
            let links = self.links.iter_mut().filter(|link| link.object == *object);
            for field in links.flat_map(|link| &mut link.fields).filter(|field| field.to == *from) {
                field.to.clone_from(to);
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
        self.at_home(link).any(|column| leads_into(path, column))
    }

    /// The columns of a link that never leave the source, wherever the mapping says so.
    pub fn at_home<'o>(&'o self, link: &'o LinkOutline) -> impl Iterator<Item = &'o String> {
        let of = |collection: &str| self.never_leaves_source.get(collection).into_iter().flatten();
        of("*").chain(of(&link.collection)).chain(&link.never_leaves_source)
    }
}

impl LinkOutline {
    /// A field by the property that it writes.
    #[must_use]
    pub fn field(&self, to: &str) -> Option<&FieldOutline> {
        self.fields.iter().find(|field| field.to == to)
    }

    /// The paths that `scope` asks. Of an expression every name in it, whether a path or not.
    #[must_use]
    pub fn scope_paths(&self) -> Vec<String> {
        condition_paths(self.scope.as_ref())
    }
}

impl FieldOutline {
    /// The source paths that the value is made of, each once. Of an expression every name in it, whether a path or
    /// not.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let mut all: Vec<String> = match &self.source {
            SourceOutline::Paths(paths) | SourceOutline::Concat(paths, _) => paths.clone(),
            SourceOutline::Template(template) => template_paths(template),
            SourceOutline::Expression(expression) => expression_names(expression),
            _ => Vec::new(),
        };
        for step in &self.chain {
            let argument = step.argument.as_ref();
            match step.name.as_str() {
                "coalesce" => all.extend(texts(argument)),
                "convert" => all.extend(texts(argument.and_then(|argument| argument.get("from_field")))),
                _ => {}
            }
        }
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
            let outline = Outline::read(&text).unwrap();
            assert_eq!(outline.links[0].field("p").unwrap().paths(), paths, "{source}");
        }
    }

    #[test]
    fn a_path_that_stays_at_home_is_known_for_every_collection_or_one() {
        let outline = Outline::read(
            r#"
            [never_leaves_source]
            "*" = ["salary"]
            staff = ["pin"]
            [[links]]
            name = "s"
            collection = "staff"
            scope = [{ field = "z", present = true }]
            [[links]]
            name = "t"
            collection = "team"
            scope = "lower(team.name) == 'a b' && open"
            "#,
        )
        .unwrap();
        let (staff, team) = (outline.link("s").unwrap(), outline.link("t").unwrap());
        assert!(outline.stays_home(staff, "salary.net") && outline.stays_home(staff, "pin"));
        assert!(!outline.stays_home(team, "pin") && !outline.stays_home(team, "salary_code"));
        assert_eq!(staff.scope_paths(), ["z"]);
        assert_eq!(team.scope_paths(), ["lower", "team.name", "open"]);
    }

    #[test]
    fn included_files_and_the_environment_are_part_of_it() {
        let main = r#"
            include = ["people.toml"]
            [mapping]
            name = "a"
            [environments.sandbox.properties.contacts]
            email = "mail_test"
            "#;
        let people = r#"
            [[links]]
            name = "people"
            collection = "people"
            object = "contacts"
            sync_key = "k"
            fields = [{ from = "m", to = "email", note = "why?" }]
            "#;
        let files = |path: &str| match path {
            "people.toml" => Ok(people.to_owned()),
            _ => Err("there is no such file".to_owned()),
        };
        let check = mapping_engine::Check::new("mapping.toml", main).files(&files).environment("sandbox");
        let mapping = check.run().unwrap_or_else(|problems| panic!("{problems}"));
        let outline = Outline::of(&mapping);
        assert_eq!(outline.link("people").unwrap().field("mail_test").unwrap().note.as_deref(), Some("why?"));
    }
}
