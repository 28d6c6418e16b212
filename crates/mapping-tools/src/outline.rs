//! A mapping file as its author wrote it: what the compiled mapping no longer knows, such as notes and column names.
//!
//! Reading is forgiving, because [`mapping_engine::check`] is the judge: what is not understood here is left out.

mod read;

use std::collections::BTreeMap;

use mapping_engine::{CheckedMapping, object_name};
use toml::{Table, Value};

/// A mapping's files, read together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outline {
    /// The engagement's name.
    pub(crate) name: String,
    /// Free text about the mapping.
    pub(crate) description: Option<String>,
    /// Region of telephone numbers without a country code.
    pub(crate) region: Option<String>,
    /// Zone of times without one.
    pub(crate) zone: Option<String>,
    /// The links, in the order of the files.
    pub(crate) links: Vec<LinkOutline>,
    /// Tables of words, by name.
    pub(crate) picklists: BTreeMap<String, PicklistOutline>,
    /// Every other table of tables, as written: lookups, rates, pipelines, environments.
    pub(crate) others: BTreeMap<String, Table>,
    /// Columns that never leave the source: a collection, or `*` for all, and its paths.
    pub(crate) never_leaves_source: BTreeMap<String, Vec<String>>,
    /// Names that properties have in the chosen environment: object type, name in the file, name there.
    renamed: Vec<(String, String, String)>,
}

/// One `[[links]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LinkOutline {
    /// The link's name.
    pub(crate) name: String,
    /// The source's collection.
    pub(crate) collection: String,
    /// The object type in HubSpot.
    pub(crate) object: String,
    /// Free text about the link.
    pub(crate) description: Option<String>,
    /// The conditions or the expression of `scope`, as written.
    pub(crate) scope: Option<Value>,
    /// Columns that never leave the source, of this link.
    pub(crate) never_leaves_source: Vec<String>,
    /// The fields, in the order of the file.
    pub(crate) fields: Vec<FieldOutline>,
    /// The associations, in the order of the file.
    pub(crate) associations: Vec<AssociationOutline>,
    /// Every other key, as written.
    pub(crate) rest: Table,
}

/// One `[[links.fields]]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldOutline {
    /// The property.
    pub(crate) to: String,
    /// Where its value begins.
    pub(crate) source: SourceOutline,
    /// The transforms, in order.
    pub(crate) chain: Vec<StepOutline>,
    /// What an empty value means, as written.
    pub(crate) when_empty: Option<Value>,
    /// What a refused value means, as written.
    pub(crate) on_bad: Option<String>,
    /// A record whose value is empty is refused.
    pub(crate) required: bool,
    /// Free text for people.
    pub(crate) note: Option<String>,
    /// Every other key, as written.
    pub(crate) rest: Table,
}

/// Where a field's value begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SourceOutline {
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
pub(crate) struct StepOutline {
    /// Its name in the file.
    pub(crate) name: String,
    /// Its argument, as written.
    pub(crate) argument: Option<Value>,
}

/// One `[[links.associations]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AssociationOutline {
    /// The rule's name.
    pub(crate) name: String,
    /// The other link.
    pub(crate) to: String,
    /// The path of the other record's key.
    pub(crate) key: String,
    /// The transforms of the key.
    pub(crate) chain: Vec<StepOutline>,
    /// The condition, as written.
    pub(crate) when: Option<Value>,
    /// The label in the other direction.
    pub(crate) inverse: Option<String>,
    /// A record whose key is empty is refused.
    pub(crate) required: bool,
    /// Free text for people.
    pub(crate) note: Option<String>,
}

/// One `[picklists.NAME]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PicklistOutline {
    /// The source's words and what they become, sorted by word.
    pub(crate) map: BTreeMap<String, String>,
    /// What every other word becomes.
    pub(crate) default: Option<String>,
    /// Whether the case of the source's words matters not.
    pub(crate) ignore_case: bool,
    /// Every other key, as written.
    pub(crate) rest: Table,
}

impl Outline {
    /// What the author of a checked mapping wrote, all its files together, with the names of its environment.
    #[must_use]
    pub(crate) fn of(mapping: &CheckedMapping) -> Outline {
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
    #[cfg(test)]
    pub(crate) fn read(text: &str) -> Result<Outline, toml::de::Error> {
        let mut outline = Outline::default();
        outline.add(&text.parse()?, None);
        Ok(outline)
    }

    /// Gives the properties the names that they have in the environment.
    fn rename(&mut self) {
        for (object, from, to) in &self.renamed {
            let same = |link: &&mut LinkOutline| object_name(&link.object) == object_name(object);
            let links = self.links.iter_mut().filter(same);
            for field in links.flat_map(|link| &mut link.fields).filter(|field| field.to == *from) {
                field.to.clone_from(to);
            }
        }
    }

    /// A link by its name.
    #[must_use]
    pub(crate) fn link(&self, name: &str) -> Option<&LinkOutline> {
        self.links.iter().find(|link| link.name == name)
    }

    /// The columns of a link that never leave the source, wherever the mapping says so.
    pub(crate) fn at_home<'o>(&'o self, link: &'o LinkOutline) -> impl Iterator<Item = &'o String> {
        let of = |collection: &str| self.never_leaves_source.get(collection).into_iter().flatten();
        of("*").chain(of(&link.collection)).chain(&link.never_leaves_source)
    }
}

impl LinkOutline {
    /// A field by the property that it writes.
    #[must_use]
    pub(crate) fn field(&self, to: &str) -> Option<&FieldOutline> {
        self.fields.iter().find(|field| field.to == to)
    }
}

impl FieldOutline {
    /// The table of words that the field translates by, if its last transform is one.
    #[must_use]
    pub(crate) fn picklist(&self) -> Option<&str> {
        let last = self.chain.last().filter(|step| step.name == "picklist")?;
        last.argument.as_ref().and_then(Value::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_at_home_is_said_for_every_collection_for_one_or_by_a_link() {
        let outline = Outline::read(
            r#"
            [never_leaves_source]
            "*" = ["salary"]
            staff = ["pin"]
            [[links]]
            name = "s"
            collection = "staff"
            [[links]]
            name = "t"
            collection = "team"
            never_leaves_source = "iban"
            "#,
        )
        .unwrap();
        let at_home = |link: &str| outline.at_home(outline.link(link).unwrap()).cloned().collect::<Vec<_>>();
        assert_eq!(at_home("s"), ["salary", "pin"]);
        assert_eq!(at_home("t"), ["salary", "iban"]);
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
