//! Properties that several links write: who owns them must be said.

use std::collections::HashMap;

use sync_types::Link;

use crate::format::{Context, LinkDoc};

/// Two links with sync keys of their own may write the same record. Then one of them owns a property, and the others
/// fill it where it is empty. Links that share a sync key never share a record.
pub(super) fn check_shared(docs: &[LinkDoc], links: &[Link], context: &mut Context) {
    let mut owners: HashMap<(&str, &str), Vec<&Link>> = HashMap::new();
    for (doc, link) in docs.iter().zip(links) {
        for (field, property) in doc.fields.iter().zip(&link.properties) {
            if !property.direction.to_right() || !property.overwrite {
                continue;
            }
            let known = owners.entry((link.object.as_str(), property.name.as_str())).or_default();
            if let Some(other) = known.iter().find(|other| other.sync_key != link.sync_key) {
                context.report.error(
                    "contested-property",
                    &field.to.span,
                    format!(
                        "the link `{}` owns `{}` too: each would write over the other's value again and again",
                        other.name, field.to.value
                    ),
                    "give the field of the link that ranks lower `overwrite = false`: it then fills the property only while it is empty",
                );
            }
            // One link for each sync key is enough to find another one.
            if known.iter().all(|other| other.sync_key != link.sync_key) {
                known.push(link);
            }
        }
    }
}
