//! Collects what must exist in HubSpot, over all links.

use std::collections::{HashMap, HashSet};

use sync_types::{
    LabelSpec, ObjectSpec, OptionSpec, PropertyKind, PropertyLabels, PropertySpec, Requirements, SchemaSpec,
};

use crate::document::At;
use crate::format::{AssociationDoc, Context, FieldDoc, LinkDoc, ObjectDoc};
use crate::step::Step;

/// What is wanted so far.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    requirements: Requirements,
    /// The place of each object type, and of each of its properties.
    objects: HashMap<String, (usize, HashMap<String, usize>)>,
    labels: HashSet<String>,
}

impl Wanted {
    /// A custom object that may have to be defined. Its place is where the first link or `[[objects]]` names it.
    pub(super) fn define(&mut self, object: &ObjectDoc) {
        let (spec, _) = self.object(&object.name.value);
        spec.schema = Some(SchemaSpec {
            singular: object.singular.clone(),
            plural: object.plural.clone(),
            primary_display: object.primary_display.value.clone(),
            associated: object.associated.iter().map(|name| name.as_str().into()).collect(),
        });
    }

    /// A link's sync key.
    pub(super) fn link(&mut self, link: &LinkDoc) {
        let Some(key) = &link.sync_key else { return };
        let label = format!("Sync key ({})", key.value);
        let (object, places) = self.object(&link.object.value);
        let place = object.properties.len();
        if *places.entry(key.value.clone()).or_insert(place) != place {
            return;
        }
        object.properties.push(PropertySpec {
            name: key.value.clone(),
            kind: PropertyKind::Text,
            unique: true,
            create: Some(PropertyLabels {
                label,
                description: String::from(
                    "Set by the integration, which finds the record again by it. Do not edit.",
                ),
                group: None,
            }),
            options: Vec::new(),
        });
    }

    /// A field's property; returns the options that it must have.
    pub(super) fn property(
        &mut self,
        link: &LinkDoc,
        field: &FieldDoc,
        kind: PropertyKind,
        context: &mut Context,
    ) -> Vec<OptionSpec> {
        let options = field.create.as_ref().map(|_| options_of(field, kind)).unwrap_or_default();
        let choice = matches!(kind, PropertyKind::Option | PropertyKind::Options);
        if field.create.is_some() && choice && options.is_empty() {
            context.report.error(
                "no-options",
                &field.to.span,
                format!("`{}` is to be made with options, but there are none", field.to.value),
                "end `transform` with a picklist table, or list them: `create = { label = \"…\", options = [\"a\", \"b\"] }`",
            );
        }
        let spec = PropertySpec {
            name: field.to.value.clone(),
            kind,
            unique: false,
            create: field.create.as_ref().map(|create| PropertyLabels {
                label: create.label.clone(),
                description: create.description.clone(),
                group: create.group.clone(),
            }),
            options: options.clone(),
        };
        let (object, places) = self.object(&link.object.value);
        let new = object.properties.len();
        let place = *places.entry(spec.name.clone()).or_insert(new);
        match object.properties.get_mut(place) {
            None => object.properties.push(spec),
            Some(known) => {
                if known.kind != spec.kind && !known.unique {
                    context.report.error(
                        "type-mismatch",
                        &field.to.span,
                        format!("another link writes `{}` as a different kind", spec.name),
                        "give both fields the same `kind`",
                    );
                }
                if known.create.is_none() {
                    known.create = spec.create;
                }
                let there: HashSet<String> =
                    known.options.iter().map(|option| option.value.clone()).collect();
                known
                    .options
                    .extend(spec.options.into_iter().filter(|option| !there.contains(&option.value)));
            }
        }
        options
    }

    /// The association that a rule makes.
    pub(super) fn association(&mut self, from: &LinkDoc, to: Option<&LinkDoc>, rule: &AssociationDoc) {
        let Some(to) = to else { return };
        let spec = LabelSpec {
            from: from.object.value.as_str().into(),
            to: to.object.value.as_str().into(),
            kind: rule.kind.clone(),
            inverse: rule.inverse.clone(),
        };
        for (near, far) in [(&spec.from, &spec.to), (&spec.to, &spec.from)] {
            let place = self.objects.get(near.as_str()).map(|(place, _)| *place);
            let object = place.and_then(|place| self.requirements.objects.get_mut(place));
            if let Some(schema) = object.and_then(|object| object.schema.as_mut())
                && !schema.associated.contains(far)
            {
                schema.associated.push(far.clone());
            }
        }
        if self.labels.insert(format!("{:?}", (&spec.from, &spec.to, &spec.kind))) {
            self.requirements.labels.push(spec);
        }
    }

    pub(super) fn finish(self, objects: &[ObjectDoc], context: &mut Context) -> Requirements {
        for doc in objects {
            let spec = self.requirements.objects.iter().find(|spec| spec.object.as_str() == doc.name.value);
            let display = &doc.primary_display;
            let Some(spec) = spec else { continue };
            if spec.properties.is_empty() {
                context.report.warning(
                    "unused-object",
                    &doc.name.span,
                    format!("no link writes the object `{}`", doc.name.value),
                    "add a link to it, or remove it",
                );
            } else if !spec.properties.iter().any(|property| property.name == display.value) {
                context.report.error(
                    "unknown-property",
                    &display.span,
                    format!(
                        "no field writes `{}`, which is to be the title of `{}`",
                        display.value, doc.name.value
                    ),
                    "name a property that a link writes",
                );
            }
        }
        // A custom object that no link writes is not wanted.
        let mut requirements = self.requirements;
        requirements.objects.retain(|object| !object.properties.is_empty());
        requirements
    }

    fn object(&mut self, name: &str) -> (&mut ObjectSpec, &mut HashMap<String, usize>) {
        let objects = &mut self.requirements.objects;
        let (place, properties) = self.objects.entry(name.to_owned()).or_insert_with(|| {
            objects.push(ObjectSpec { object: name.into(), schema: None, properties: Vec::new() });
            (objects.len() - 1, HashMap::new())
        });
        (&mut objects[*place], properties)
    }
}

/// The options of a property that is to be made: as listed, else what the chain's picklist gives.
fn options_of(field: &FieldDoc, kind: PropertyKind) -> Vec<OptionSpec> {
    if !matches!(kind, PropertyKind::Option | PropertyKind::Options) {
        return Vec::new();
    }
    let listed = field.create.as_ref().map(|create| create.options.as_slice()).unwrap_or_default();
    let pairs = match field.chain.iter().rev().map(|At { value, .. }| value).find_map(|step| match step {
        Step::Picklist(table) => Some(&table.options),
        _ => None,
    }) {
        Some(options) if listed.is_empty() => options.as_slice(),
        _ => listed,
    };
    pairs.iter().map(|(value, label)| OptionSpec { value: value.clone(), label: label.clone() }).collect()
}
