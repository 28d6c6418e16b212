//! Whether a mapping can be run: what it may say and this version does not carry out, and what its source cannot do.

use std::sync::Arc;

use mapping_engine::CheckedMapping;
use sync_types::{EdgeKind, Link, Mapper, OnDelete, Source, SourceWriter, Writes};

use crate::Failure;
use crate::settings::{Settings, SourceKind};

/// Refuses what would not be carried out, before anything moves: a rule that is silently not obeyed, a consent's above
/// all, is worse than none.
pub(crate) fn check(
    mapping: &CheckedMapping,
    source: &Arc<dyn Source>,
    settings: &Settings,
) -> Result<(), Failure> {
    let writer = Arc::clone(source).writer();
    for link in mapping.links() {
        if let Some(what) = not_built_of(link) {
            return Err(not_built(&format!("the link `{}` {what}", link.name)));
        }
        if let Some(what) = cannot_be_written(link, writer.as_ref()) {
            let place = format!("the link `{}` {what}", link.name);
            return Err(Failure::new(format!(
                "{place}, and the source does not allow it for `{}`",
                link.collection
            ))
            .remedy(remedy(settings)));
        }
    }
    for rule in mapping.edge_rules() {
        // HubSpot itself keeps a primary association single: it moves when another is made primary.
        let single = rule.single && rule.kind != EdgeKind::Primary;
        if single || rule.direction.to_left() {
            let what = "`single` or a direction from HubSpot";
            return Err(not_built(&format!("the association `{}` asks for {what}", rule.name)));
        }
    }
    Ok(())
}

fn not_built_of(link: &Link) -> Option<&'static str> {
    let one_way = !link.direction.to_left();
    let unheeded = [
        (!link.creates_right, "makes no records in HubSpot (`creates`)"),
        (
            one_way && link.on_right_delete != OnDelete::Keep,
            "deletes at the source (`on_delete`) and flows one way",
        ),
        (
            link.on_scope_exit != OnDelete::Keep && !link.right_reads.is_empty(),
            "acts on leaving the scope (`on_exit`), also on HubSpot's side (`hubspot_scope`)",
        ),
        (!link.propose_on.is_empty(), "has a match rule of weak evidence"),
    ];
    unheeded.into_iter().find(|(is_so, _)| *is_so).map(|(_, what)| what)
}

fn cannot_be_written(link: &Link, writer: Option<&Arc<dyn SourceWriter>>) -> Option<&'static str> {
    let writes = writer.map_or(Writes::NONE, |writer| writer.writes(&link.collection));
    let needs = [
        (link.direction.to_left() && !writes.update, "brings changes of HubSpot to the source"),
        (link.creates_left && !writes.create, "makes records at the source"),
        (
            link.on_right_delete != OnDelete::Keep && !writes.delete,
            "deletes records at the source (`on_delete`)",
        ),
    ];
    needs.into_iter().find(|(lacks, _)| *lacks).map(|(_, what)| what)
}

fn remedy(settings: &Settings) -> &'static str {
    match &settings.source.kind {
        SourceKind::Csv { .. } => {
            "CSV files are only read: use a source that can be written, or set the link's `direction` to \"to-hubspot\""
        }
        SourceKind::Own(_) => "give the source a `writer`, or set the link's `direction` to \"to-hubspot\"",
        _ if !settings.source.write => {
            "set `source.write = true` to let the program write it, or the link's `direction` to \"to-hubspot\""
        }
        SourceKind::Rest(_) => {
            "say in the description how the collection is written, or set the link's `direction` to \"to-hubspot\""
        }
        _ => {
            "rows of a query cannot be written: use the table itself, or set the link's `direction` to \"to-hubspot\""
        }
    }
}

fn not_built(what: &str) -> Failure {
    Failure::new(format!("{what}, which the mapping may say but this version does not carry out"))
        .remedy("take it out of the mapping, or wait for a version that does")
}

/// Whether all of HubSpot's ids have to be listed in each run, because nothing else tells of the deletions that the
/// mapping acts upon.
pub(crate) fn needs_sweep(mapping: &CheckedMapping, feed_sees_deletions: bool) -> bool {
    !feed_sees_deletions && mapping.links().iter().any(|link| link.on_right_delete != OnDelete::Keep)
}
