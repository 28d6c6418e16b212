//! Plans, runs, verifications and dead letters as a person reads them.

use std::collections::BTreeMap;
use std::fmt::Display;

use sync_core::report::RunReport;
use sync_core::{Level, PlanSummary, UndoPlan, UndoVerb, VerifyReport};
use sync_types::{DeadLetter, EdgeState, ExternalId, RunRecord, Totals};

use crate::screen::{Screen, Tone, counted, spoken, thousands};

/// Differences that are shown one by one; `--json` has those that the engine names.
const SHOWN_MAX: usize = 20;

fn cell(number: u64) -> String {
    // A nought says less than an empty place when one looks for what happens.
    if number == 0 { "·".to_owned() } else { thousands(number) }
}

fn causes(causes: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = causes.iter().map(|(cause, count)| format!("{count} {cause}")).collect();
    parts.join(", ")
}

/// A plan: what would be written, and what it costs.
pub(crate) fn plan(screen: &Screen, plan: &PlanSummary) {
    let rows = plan.links.iter().map(|link| {
        vec![
            format!("{} → {}", link.link, link.object),
            cell(link.read),
            cell(link.create),
            cell(link.update),
            cell(link.adopt),
            cell(link.unchanged),
            cell(link.excluded),
            causes(&link.parked),
        ]
    });
    let header = ["records", "read", "create", "update", "link", "same", "out of scope", "parked"];
    screen.table(&header, rows.collect(), true);
    let rules = plan.rules.iter().filter(|rule| rule.add + rule.remove > 0);
    let rows = rules.map(|rule| vec![rule.rule.clone(), cell(rule.add), cell(rule.remove)]).collect();
    screen.table(&["associations", "add", "remove"], rows, false);
    if plan.is_empty() {
        return screen.line("Nothing to write.");
    }
    let mut cost = format!(
        "{}{}, about {}",
        counted(plan.write_calls, "call that writes", "calls that write"),
        if plan.read_calls > 0 {
            format!(" and {} that read", thousands(plan.read_calls))
        } else {
            String::new()
        },
        spoken(plan.duration),
    );
    if let Some((allowance, left)) = plan.day {
        let share = |calls: u64| if allowance == 0 { 0.0 } else { calls as f64 * 100.0 / allowance as f64 };
        cost.push_str(&format!(
            ", {:.2} % of the day's {} calls ({} left)",
            share(plan.write_calls + plan.read_calls),
            thousands(allowance),
            thousands(left)
        ));
    }
    screen.line(format_args!("Cost: {cost}."));
}

/// What would be taken back of a run, and what would not.
pub(crate) fn undo(screen: &Screen, plan: &UndoPlan) {
    let mut links: BTreeMap<&str, [u64; 5]> = BTreeMap::new();
    for row in &plan.rows {
        let counts = links.entry(&row.link).or_default();
        let place = match row.verb {
            UndoVerb::Restore => 0,
            UndoVerb::Archive => 1,
            UndoVerb::RestoreSource => 2,
            UndoVerb::DeleteSource => 3,
        };
        counts[place] += 1;
    }
    for kept in &plan.kept {
        links.entry(&kept.subject).or_default()[4] += 1;
    }
    let rows = links
        .into_iter()
        .map(|(link, counts)| std::iter::once(link.to_owned()).chain(counts.into_iter().map(cell)).collect());
    let header = [
        "taken back",
        "values in HubSpot",
        "made in HubSpot, archived",
        "values in the source",
        "made in the source, deleted",
        "stays",
    ];
    screen.table(&header, rows.collect(), false);
    let mut rules: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for edge in &plan.edges {
        let counts = rules.entry(&edge.rule).or_default();
        if edge.remove { counts.1 += 1 } else { counts.0 += 1 }
    }
    let rows =
        rules.into_iter().map(|(rule, (made, removed))| vec![rule.to_owned(), cell(made), cell(removed)]);
    screen.table(&["associations", "made again", "removed"], rows.collect(), false);
    for kept in plan.kept.iter().take(SHOWN_MAX) {
        let what = kept.what.as_ref().map(|what| format!(" {what}")).unwrap_or_default();
        screen.line(format_args!(" stays: {} {}{what}: {}", kept.subject, kept.id, kept.why));
    }
    more(screen, plan.kept.len() as u64);
    if plan.is_empty() {
        screen.line("Nothing to take back.");
    }
}

/// Which of a run's links and rules are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    /// All of them.
    All,
    /// Those with something written.
    Written,
}

/// What a run did.
pub(crate) fn run(screen: &Screen, report: &RunReport, show: Show) {
    let links = report.links.iter().filter(|link| show == Show::All || link.written() > 0);
    let rows = links.map(|link| {
        vec![
            link.link.clone(),
            cell(link.read),
            cell(link.created),
            cell(link.updated),
            cell(link.adopted),
            cell(link.unchanged + link.touched),
            cell(link.excluded),
            cell(link.unknown + link.pending + link.skipped),
            causes(&link.parked),
        ]
    });
    let header =
        ["records", "read", "created", "updated", "linked", "same", "out of scope", "open", "parked"];
    screen.table(&header, rows.collect(), true);
    let back =
        report.links.iter().filter(|link| link.written_left() + link.deleted + link.gone + link.held > 0);
    let rows = back.map(|link| {
        vec![
            link.link.clone(),
            cell(link.brought_back),
            cell(link.created_left),
            cell(link.deleted),
            cell(link.gone),
            cell(link.held),
        ]
    });
    let header =
        ["back to the source", "changed", "made", "deleted on either side", "gone", "held for a person"];
    screen.table(&header, rows.collect(), false);
    let edges = report.edges.iter().filter(|edge| {
        let waits = edge.waiting + edge.pending > 0 || !edge.rejected.is_empty();
        edge.added + edge.removed > 0 || (show == Show::All && waits)
    });
    let rows = edges.map(|edge| {
        vec![
            edge.rule.clone(),
            cell(edge.added),
            cell(edge.removed),
            cell(edge.waiting),
            cell(edge.pending),
            causes(&edge.rejected),
        ]
    });
    screen.table(
        &["associations", "added", "removed", "waiting for a record", "open", "refused"],
        rows.collect(),
        true,
    );
    for link in report.links.iter().filter(|link| !link.left_out.is_empty()) {
        screen.line(format_args!(
            " left out of {}, as the mapping says: {}",
            link.link,
            causes(&link.left_out)
        ));
    }
    for moved in report.moved.iter().take(SHOWN_MAX) {
        screen.line(format_args!(" skipped: {} {}: {}", moved.link, moved.id, moved.why));
    }
    more(screen, report.moved.len() as u64);
    if let Some(halted) = &report.halted {
        screen.line(screen.tone(Tone::Bad, format_args!("Stopped early: {halted}")));
    }
}

/// What a comparison found.
pub(crate) fn verify(screen: &Screen, report: &VerifyReport) {
    let rows = report.links.iter().map(|link| {
        vec![
            link.link.clone(),
            cell(link.source),
            cell(link.in_sync),
            cell(link.pending),
            cell(link.held),
            cell(link.parked),
            cell(link.excluded + link.gone),
            cell(link.records),
            cell(link.paired),
            cell(link.foreign),
            cell(link.values),
        ]
    });
    let header = [
        "records",
        "in the source",
        "in sync",
        "pending",
        "held",
        "parked",
        "left alone",
        "in HubSpot",
        "linked",
        "others'",
        "values compared",
    ];
    screen.table(&header, rows.collect(), false);
    if report.level >= Level::Edges {
        screen.line(format_args!(
            "Associations: {} of {} as wanted.",
            thousands(report.edges_agree),
            thousands(report.edges_compared)
        ));
    }
    for difference in report.differences.iter().take(SHOWN_MAX) {
        let part = |text: &Option<String>| text.clone().map(|text| format!(" {text}")).unwrap_or_default();
        let record = difference.record.as_ref().map(|id| format!(" (record {id})")).unwrap_or_default();
        screen.line(format_args!(
            " {}{}{record}{}: {}",
            difference.subject,
            part(&difference.id),
            part(&difference.what),
            difference.why
        ));
    }
    more(screen, report.difference_count);
    if report.is_clean() && report.level.compares_values() {
        screen.line(screen.tone(Tone::Good, "Both sides agree: no unexplained difference."));
    } else if report.is_clean() {
        screen.line(screen.tone(
            Tone::Good,
            format_args!("No difference at the level of {}. {}", report.level, report.level.proves()),
        ));
    } else {
        let pending: u64 = report.links.iter().map(|link| link.pending).sum();
        screen.line(screen.tone(
            Tone::Warn,
            format_args!(
                "{}, {} since the last run.",
                counted(report.difference_count, "difference", "differences"),
                counted(pending, "source change", "source changes")
            ),
        ));
    }
}

fn more(screen: &Screen, all: u64) {
    let hidden = all.saturating_sub(SHOWN_MAX as u64);
    if hidden > 0 {
        screen.line(format_args!(" … and {} more; --json names them", thousands(hidden)));
    }
}

/// What the engine remembers.
pub(crate) fn status(
    screen: &Screen,
    totals: &Totals,
    runs: &[RunRecord],
    name: &dyn Fn(sync_types::NameId) -> String,
) {
    let parked =
        |link| totals.dead_letters.iter().filter(move |(of, ..)| *of == link).map(|(.., count)| count).sum();
    let rows = totals.pairs.iter().map(|(link, count)| vec![name(*link), cell(*count), cell(parked(*link))]);
    screen.table(&["records", "in sync", "parked"], rows.collect(), false);
    let edges = |state| totals.edges.iter().filter(|(_, of, _)| *of == state).map(|(.., count)| count).sum();
    screen.line(format_args!(
        "Associations: {} made, {} waiting for a record, {} to be removed.",
        thousands(edges(EdgeState::There)),
        thousands(edges(EdgeState::Wanted)),
        thousands(edges(EdgeState::Unwanted))
    ));
    if totals.open_intents > 0 {
        screen.line(format_args!(
            "{} from a run that was cut off; the next run settles them.",
            counted(totals.open_intents, "write is open", "writes are open")
        ));
    }
    let held: u64 = totals.conflicts.iter().map(|(.., count)| count).sum();
    if held > 0 {
        screen.line(format_args!(
            "{} for a person: conflicts list.",
            counted(held, "conflict waits", "conflicts wait")
        ));
    }
    let rows = runs.iter().map(|run| {
        let report: Option<RunReport> = serde_json::from_str(&run.report).ok();
        let did = match report {
            Some(RunReport { undoes: Some(undone), .. }) => format!("took back run {undone}"),
            Some(report) => format!(
                "{} written, {} changed, {} parked",
                counted(report.written(), "record", "records"),
                counted(report.edges_written(), "association", "associations"),
                thousands(report.parked())
            ),
            None => String::new(),
        };
        let ended = run.ended.map_or_else(|| "cut off".to_owned(), |ended| second(&ended));
        vec![format!("run {}", run.run), second(&run.started), ended, did]
    });
    screen.table(&["runs", "started", "ended", "did"], rows.collect(), true);
    if runs.is_empty() {
        screen.line("No run yet.");
    }
}

fn second(time: &jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Dead letters, grouped by link and cause.
pub(crate) fn dead_letters(screen: &Screen, letters: &[(String, DeadLetter)]) {
    if letters.is_empty() {
        return screen.line("No dead letters.");
    }
    let mut groups: BTreeMap<(&str, &str), Vec<&DeadLetter>> = BTreeMap::new();
    for (link, letter) in letters {
        groups.entry((link, &letter.cause)).or_default().push(letter);
    }
    for ((link, cause), letters) in groups {
        let count = counted(letters.len() as u64, "record", "records");
        screen.heading(format_args!("{link} · {cause} · {count}"));
        if let Some(first) = letters.first() {
            screen.line(format_args!("  what to do: {}", first.remedy));
        }
        for letter in letters.iter().take(SHOWN_MAX) {
            screen.line(format_args!("  {}  {}", letter.external, screen.tone(Tone::Faint, &letter.detail)));
        }
        more(screen, letters.len() as u64);
    }
}

/// Associations that HubSpot refused, grouped by rule.
pub(crate) fn refused(screen: &Screen, edges: &[(String, ExternalId, ExternalId)]) {
    let mut groups: BTreeMap<&str, Vec<(&ExternalId, &ExternalId)>> = BTreeMap::new();
    for (rule, from, to) in edges {
        groups.entry(rule).or_default().push((from, to));
    }
    for (rule, edges) in groups {
        let count = counted(edges.len() as u64, "association", "associations");
        screen.heading(format_args!("{rule} · association-refused · {count}"));
        screen.line(format_args!("  what to do: {REFUSED_REMEDY}"));
        for (from, to) in edges.iter().take(SHOWN_MAX) {
            screen.line(format_args!("  {from} → {to}"));
        }
        more(screen, edges.len() as u64);
    }
}

const REFUSED_REMEDY: &str = "look at the limits of the association in HubSpot, then `dead-letters retry`";

/// A refused association for machines.
pub(crate) fn refused_json((rule, from, to): &(String, ExternalId, ExternalId)) -> serde_json::Value {
    serde_json::json!({
        "link": rule,
        "id": from,
        "to": to,
        "cause": "association-refused",
        "reason": "HubSpot refused the association",
        "remedy": REFUSED_REMEDY,
    })
}

/// One dead letter with everything that is known.
pub(crate) fn dead_letter(screen: &Screen, link: &str, letter: &DeadLetter) {
    let rows: [(&str, &dyn Display); 7] = [
        ("record", &letter.external),
        ("link", &link),
        ("cause", &letter.cause),
        ("reason", &letter.detail),
        ("what to do", &letter.remedy),
        ("parked by run", &letter.first_run),
        ("tried", &format_args!("{} times, last by run {}", letter.tries, letter.last_run)),
    ];
    for (name, value) in rows {
        screen.line(format_args!("{name:<14} {value}"));
    }
}

/// A dead letter for machines.
pub(crate) fn dead_letter_json(link: &str, letter: &DeadLetter) -> serde_json::Value {
    serde_json::json!({
        "link": link,
        "id": (!letter.is_place).then(|| letter.external.to_string()),
        "place": letter.is_place.then(|| letter.external.to_string()),
        "cause": letter.cause,
        "reason": letter.detail,
        "remedy": letter.remedy,
        "first_run": letter.first_run,
        "last_run": letter.last_run,
        "tries": letter.tries,
    })
}
