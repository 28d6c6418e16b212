//! Reading a mapping's TOML, forgivingly.

use toml::{Table, Value};

use super::{
    AssociationOutline, FieldOutline, LinkOutline, Outline, PicklistOutline, SourceOutline, StepOutline,
};

impl Outline {
    /// Adds what one file says.
    pub(super) fn add(&mut self, file: &Table, environment: Option<&str>) {
        if let Some(head) = file.get("mapping").and_then(Value::as_table) {
            if let Some(name) = text(head, "name") {
                self.name = name;
            }
            self.description = text(head, "description").or(self.description.take());
            self.region = text(head, "region").or(self.region.take());
            self.zone = text(head, "zone").or(self.zone.take());
        }
        for (collection, paths) in entries(file.get("never_leaves_source")) {
            self.never_leaves_source.entry(collection.clone()).or_default().extend(texts(Some(paths)));
        }
        let chosen = environment.and_then(|name| file.get("environments")?.get(name)?.get("properties"));
        for (object, names) in entries(chosen) {
            for (from, to) in entries(Some(names)) {
                let to = to.as_str().unwrap_or(from).to_owned();
                self.renamed.push((object.clone(), from.clone(), to));
            }
        }
        let told = ["include", "mapping", "links", "picklists", "objects", "never_leaves_source"];
        for (kind, table) in others(file, &told) {
            if let Value::Table(table) = table {
                self.others.entry(kind).or_default().extend(table);
            }
        }
        self.links.extend(tables(file.get("links")).map(read_link));
        for (name, table) in entries(file.get("picklists")) {
            if let Some(table) = table.as_table() {
                self.picklists.insert(name.clone(), read_picklist(table));
            }
        }
    }
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
        "consents",
        "never_leaves_source",
    ];
    let of = |key| text(table, key).unwrap_or_default();
    let fields = tables(table.get("fields")).map(read_field);
    let consents = tables(table.get("consents")).map(read_consent);
    LinkOutline {
        name: of("name"),
        collection: of("collection"),
        object: of("object"),
        description: text(table, "description"),
        scope: table.get("scope").cloned(),
        never_leaves_source: texts(table.get("never_leaves_source")),
        fields: fields.chain(consents).collect(),
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
        "pipeline",
        "stage",
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

/// A consent is a field whose words stand in lists of their own.
fn read_consent(table: &Table) -> FieldOutline {
    let states = ["unknown", "implied", "express", "withdrawn"];
    let words = states.iter().filter_map(|state| Some(((*state).to_owned(), table.get(*state)?.clone())));
    let words: Table = words.collect();
    let mut told = vec!["name", "label", "to", "from", "note"];
    told.extend(states);
    FieldOutline {
        to: text(table, "to").unwrap_or_default(),
        source: SourceOutline::Paths(texts(table.get("from"))),
        chain: vec![StepOutline { name: "consent".to_owned(), argument: Some(Value::Table(words)) }],
        when_empty: Some(Value::String("ignore".to_owned())),
        on_bad: None,
        required: false,
        note: text(table, "note"),
        rest: others(table, &told),
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
    } else if let Some(pipeline) = text(table, "pipeline") {
        SourceOutline::Named("pipeline", pipeline)
    } else if let Some(stage) = text(table, "stage") {
        SourceOutline::Named("stage", stage)
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
        // Labels stand where the property is made.
        rest: others(table, &["map", "default", "ignore_case"]),
    }
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

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_table).into_iter().flatten()
}
