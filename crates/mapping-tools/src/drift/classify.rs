//! Which difference does what: the table of rules.

use super::uses::{Role, Use, Uses};
use super::{Change, Effect, Pinned, PinnedProperty, Side};
use crate::kinds;

/// All differences of one side.
pub(super) fn side(side: Side, before: &[Pinned], after: &[Pinned], uses: &Uses) -> Vec<Change> {
    let mut changes = Vec::new();
    for old in before {
        match after.iter().find(|new| new.name == old.name) {
            Some(new) => changes.extend(schema(side, old, new, uses)),
            None => changes.push(Change {
                effect: Effect::Halts,
                side,
                schema: old.name.clone(),
                property: None,
                what: "is no longer there".to_owned(),
                why: "its records cannot be synced".to_owned(),
                remedy: match side {
                    Side::Source => "bring it back, or name its successor in the mapping".to_owned(),
                    Side::HubSpot => "bring it back in HubSpot, or map to another object type".to_owned(),
                },
            }),
        }
    }
    for new in after.iter().filter(|new| !before.iter().any(|old| old.name == new.name)) {
        let what = "was not pinned".to_owned();
        changes.push(safe(side, &new.name, None, what));
    }
    changes
}

fn safe(side: Side, schema: &str, property: Option<&str>, what: String) -> Change {
    Change {
        effect: Effect::Safe,
        side,
        schema: schema.to_owned(),
        property: property.map(str::to_owned),
        what,
        why: String::new(),
        remedy: String::new(),
    }
}

fn schema(side: Side, old: &Pinned, new: &Pinned, uses: &Uses) -> Vec<Change> {
    let mut changes = Vec::new();
    for before in &old.properties {
        let used = uses.of_property(side, &old.name, &before.name);
        let tell = Tell { side, schema: &old.name, property: &before.name, used: &used };
        match new.property(&before.name) {
            Some(after) => property(&tell, before, after, &mut changes),
            None => changes.push(gone(&tell)),
        }
    }
    for after in new.properties.iter().filter(|after| old.property(&after.name).is_none()) {
        let used = uses.of_property(side, &old.name, &after.name);
        let tell = Tell { side, schema: &old.name, property: &after.name, used: &used };
        let mapped = used.iter().any(|one| matches!(one.role, Role::Field { .. } | Role::SyncKey));
        if side == Side::HubSpot && after.required && !mapped {
            changes.push(tell.required());
        } else {
            changes.push(tell.safe("is new"));
        }
    }
    changes
}

/// A property and who uses it, ready to be spoken of.
struct Tell<'a> {
    side: Side,
    schema: &'a str,
    property: &'a str,
    used: &'a [&'a Use],
}

impl Tell<'_> {
    fn safe(&self, what: &str) -> Change {
        safe(self.side, self.schema, Some(self.property), what.to_owned())
    }

    /// A difference that does something to those uses that it concerns, and nothing where it concerns none.
    fn change(
        &self,
        what: String,
        concerns: impl Fn(&Role) -> Option<Effect>,
        why: &str,
        remedy: &str,
    ) -> Change {
        let hit: Vec<(Effect, &str)> =
            self.used.iter().filter_map(|one| Some((concerns(&one.role)?, one.by.as_str()))).collect();
        let Some(effect) = hit.iter().map(|(effect, _)| *effect).max() else {
            return self.safe(&what);
        };
        let mut by: Vec<&str> = hit.into_iter().map(|(_, by)| by).collect();
        by.dedup();
        Change {
            effect,
            side: self.side,
            schema: self.schema.to_owned(),
            property: Some(self.property.to_owned()),
            what,
            why: format!("{} {why}", by.join(", ")),
            remedy: remedy.to_owned(),
        }
    }

    fn required(&self) -> Change {
        Change {
            effect: Effect::Halts,
            side: self.side,
            schema: self.schema.to_owned(),
            property: Some(self.property.to_owned()),
            what: "is required now".to_owned(),
            why: "no field writes it, so HubSpot refuses new records".to_owned(),
            remedy: "map a column or a constant to it, or make it optional in HubSpot".to_owned(),
        }
    }
}

fn gone(tell: &Tell<'_>) -> Change {
    let what = "is gone".to_owned();
    match tell.side {
        Side::Source => tell.change(
            what,
            |role| Some(if role.is_vital() { Effect::Halts } else { Effect::Degrades }),
            "reads it",
            "bring the column back, or correct the mapping; until then its properties are left alone",
        ),
        // HubSpot docs: a write that names an unknown property is refused as a whole.
        Side::HubSpot => tell.change(
            what,
            |role| Some(if *role == Role::SyncKey { Effect::Halts } else { Effect::Degrades }),
            "uses it",
            "restore the property in HubSpot (`init` makes those with `create`), or take the field from the mapping",
        ),
    }
}

fn property(tell: &Tell<'_>, before: &PinnedProperty, after: &PinnedProperty, changes: &mut Vec<Change>) {
    if before.kind != after.kind {
        let what = format!("was {} and is {}", kinds::spoken(before.kind), kinds::spoken(after.kind));
        changes.push(tell.change(
            what,
            |role| match role {
                Role::SyncKey => Some(Effect::Halts),
                _ => Some(Effect::Degrades),
            },
            "has values of the other kind",
            "correct the field's transforms, then `check`",
        ));
    }
    options(tell, before, after, changes);
    match tell.side {
        Side::Source => {
            if before.required && !after.required {
                changes.push(tell.change(
                    "may be empty now".to_owned(),
                    |role| matches!(role, Role::Field { required: true, .. }).then_some(Effect::Degrades),
                    "requires it, so records without it are refused",
                    "give the field a default, or take `required` from it",
                ));
            }
            if before.required != after.required && after.required {
                changes.push(tell.safe("may not be empty any more"));
            }
            if before.unique != after.unique {
                changes.push(tell.safe(if after.unique { "is unique now" } else { "is no longer unique" }));
            }
        }
        Side::HubSpot => hubspot(tell, before, after, changes),
    }
    lengths(tell, before, after, changes);
}

fn hubspot(tell: &Tell<'_>, before: &PinnedProperty, after: &PinnedProperty, changes: &mut Vec<Change>) {
    if before.read_only != after.read_only {
        if after.read_only {
            changes.push(tell.change(
                "can no longer be written".to_owned(),
                |role| match role {
                    Role::SyncKey => Some(Effect::Halts),
                    Role::Field { .. } => Some(Effect::Degrades),
                    _ => None,
                },
                "writes it",
                "map the value to another property, or make this one writable again",
            ));
        } else {
            changes.push(tell.safe("can be written now"));
        }
    }
    if before.unique && !after.unique {
        changes.push(tell.change(
            "is no longer unique".to_owned(),
            |role| match role {
                Role::SyncKey => Some(Effect::Halts),
                Role::Match => Some(Effect::Degrades),
                _ => None,
            },
            "needs it to tell records apart",
            "make a unique property in its place: HubSpot does not let an existing one become unique",
        ));
    } else if !before.unique && after.unique {
        changes.push(tell.change(
            "has to be unique now".to_owned(),
            |role| matches!(role, Role::Field { .. }).then_some(Effect::Degrades),
            "may write the same value twice, which HubSpot then refuses",
            "map unique values to it, or another property",
        ));
    }
    if !before.required && after.required {
        let mapped = tell.used.iter().any(|one| matches!(one.role, Role::Field { .. } | Role::SyncKey));
        changes.push(if mapped {
            tell.change(
                "is required now".to_owned(),
                |role| matches!(role, Role::Field { required: false, .. }).then_some(Effect::Degrades),
                "may leave it empty, and HubSpot then refuses the record",
                "give the field `required = true` or a default",
            )
        } else {
            tell.required()
        });
    } else if before.required && !after.required {
        changes.push(tell.safe("is no longer required"));
    }
}

fn options(tell: &Tell<'_>, before: &PinnedProperty, after: &PinnedProperty, changes: &mut Vec<Change>) {
    let missing = |from: &[String], of: &[String]| -> Vec<String> {
        from.iter().filter(|option| !of.contains(option)).cloned().collect()
    };
    let (removed, added) =
        (missing(&before.options, &after.options), missing(&after.options, &before.options));
    if !removed.is_empty() {
        let what = format!("no longer has {}", quoted(&removed));
        changes.push(match tell.side {
            Side::Source => tell.safe(&what),
            // HubSpot docs: an unknown option is refused with the whole record.
            Side::HubSpot => tell.change(
                what,
                |role| match role {
                    Role::Field { gives: Some(gives), .. } => {
                        removed.iter().any(|option| gives.contains(option)).then_some(Effect::Degrades)
                    }
                    Role::Field { gives: None, .. } => Some(Effect::Degrades),
                    _ => None,
                },
                "may give it, and HubSpot then refuses the record",
                "bring the option back in HubSpot, or correct the picklist",
            ),
        });
    }
    if !added.is_empty() {
        let what = format!("has {} now", quoted(&added));
        changes.push(match tell.side {
            Side::HubSpot => tell.safe(&what),
            Side::Source => tell.change(
                what,
                |role| match role {
                    Role::Field { knows: Some(knows), .. } => added
                        .iter()
                        .any(|word| !knows.contains(word) && !knows.contains(&word.to_lowercase()))
                        .then_some(Effect::Degrades),
                    _ => None,
                },
                "has nothing for it in its picklist, so such records are refused",
                "add the word to the picklist, or give the table a default",
            ),
        });
    }
}

fn lengths(tell: &Tell<'_>, before: &PinnedProperty, after: &PinnedProperty, changes: &mut Vec<Change>) {
    let (old, new) = (before.length_max.unwrap_or(usize::MAX), after.length_max.unwrap_or(usize::MAX));
    let shown = |length: usize| {
        if length == usize::MAX { "any length".to_owned() } else { format!("{length} characters") }
    };
    let what = format!("held {} and holds {}", shown(old), shown(new));
    if old == new {
        return;
    }
    if new < old && tell.side == Side::HubSpot {
        changes.push(tell.change(
            what,
            |role| matches!(role, Role::Field { .. }).then_some(Effect::Degrades),
            "may give longer texts, which are refused",
            "add `max_length` to the field's transforms",
        ));
    } else {
        changes.push(tell.safe(&what));
    }
}

fn quoted(options: &[String]) -> String {
    let options: Vec<String> = options.iter().map(|option| format!("`{option}`")).collect();
    options.join(", ")
}
