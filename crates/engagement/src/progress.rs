//! Progress: a bar where somebody watches, a line per link and rule where nobody does.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use sync_core::{Phase, PlanSummary, Progress, ProgressFn};

use crate::screen::{Screen, counted, thousands};

const BAR: &str = "  {prefix:<26} {bar:28.cyan/dim} {human_pos:>9} of {human_len:<9} {rate:>10}  {msg}";
const SPINNER: &str = "  {prefix:<26} {spinner:.cyan} {human_pos:>9}  {msg}";

/// How many records or edges each link and rule has, where a plan told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes(HashMap<String, u64>);

impl Sizes {
    /// What a plan knows.
    pub(crate) fn of(plan: &PlanSummary) -> Sizes {
        let links = plan.links.iter().map(|link| (link.link.clone(), link.read));
        let rules = plan.rules.iter().map(|rule| (rule.rule.clone(), rule.add + rule.remove));
        Sizes(links.chain(rules).filter(|(_, size)| *size > 0).collect())
    }
}

/// Shows an engine's progress on a screen from [`Reporter::callback`] until it is dropped.
#[derive(Debug)]
pub(crate) struct Reporter {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    bars: MultiProgress,
    live: bool,
    quiet: bool,
    writes: bool,
    sizes: Sizes,
    current: Option<Current>,
    rules: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Current {
    subject: String,
    phase: Phase,
    done: u64,
    bar: Option<ProgressBar>,
}

impl Reporter {
    pub(crate) fn new(screen: &Screen, sizes: Sizes) -> Reporter {
        let state = State {
            bars: screen.bars().clone(),
            live: screen.is_live(),
            quiet: screen.is_json(),
            writes: true,
            sizes,
            current: None,
            rules: BTreeMap::new(),
        };
        Reporter { state: Arc::new(Mutex::new(state)) }
    }

    /// The same for work that writes nothing, such as a plan.
    pub(crate) fn that_only_reads(screen: &Screen) -> Reporter {
        let reporter = Reporter::new(screen, Sizes::default());
        lock(&reporter.state).writes = false;
        reporter
    }

    /// What the engine calls.
    pub(crate) fn callback(&self) -> ProgressFn {
        let state = Arc::clone(&self.state);
        Arc::new(move |progress| lock(&state).show(progress))
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        lock(&self.state).end();
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn show(&mut self, progress: &Progress<'_>) {
        let same = |current: &Current| current.subject == progress.subject && current.phase == progress.phase;
        if !self.current.as_ref().is_some_and(same) {
            self.close();
            self.current = Some(self.open(progress));
        }
        if let Some(current) = &mut self.current {
            current.done = progress.done;
            if let Some(bar) = &current.bar {
                bar.set_position(progress.done);
                if progress.written > 0 && self.writes {
                    bar.set_message(format!("{} written", thousands(progress.written)));
                }
            }
        }
    }

    fn open(&self, progress: &Progress<'_>) -> Current {
        let bar = self.live.then(|| {
            let size = self.sizes.0.get(progress.subject).copied();
            let known = size.filter(|_| matches!(progress.phase, Phase::Records | Phase::Associations));
            let bar = match known {
                Some(size) => ProgressBar::new(size).with_style(style(BAR)),
                None => ProgressBar::no_length().with_style(style(SPINNER)),
            };
            let bar = self.bars.add(bar);
            bar.set_prefix(title(progress.subject, progress.phase));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Current { subject: progress.subject.to_owned(), phase: progress.phase, done: progress.done, bar }
    }

    fn close(&mut self) {
        let Some(current) = self.current.take() else { return };
        if let Some(bar) = current.bar {
            return bar.finish_and_clear();
        }
        if self.quiet {
            return;
        }
        if current.phase == Phase::Associations {
            // Rules take turns many times in a run: one line for each, at the end.
            self.rules.insert(current.subject, current.done);
        } else {
            tell(&current.subject, current.phase, current.done);
        }
    }

    fn end(&mut self) {
        self.close();
        for (rule, done) in std::mem::take(&mut self.rules) {
            tell(&rule, Phase::Associations, done);
        }
    }
}

/// Nobody watches, but somebody may read it later.
fn tell(subject: &str, phase: Phase, done: u64) {
    let what = match phase {
        Phase::Associations => counted(done, "association", "associations"),
        Phase::Verify => format!("{} compared", thousands(done)),
        _ => counted(done, "record", "records"),
    };
    // A closed standard error leaves nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{}: {what}", title(subject, phase));
}

fn title(subject: &str, phase: Phase) -> String {
    match phase {
        Phase::Discover => format!("recognise {subject}"),
        Phase::Records | Phase::Associations => subject.to_owned(),
        Phase::Verify => format!("compare {subject}"),
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file, which a test reads; a plain bar is the worst that can come.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            // Rounded: nobody reads the digits behind the point.
            let _ = write!(out, "{:.0}/s", state.per_sec());
        })
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_can_be_read() {
        for template in [BAR, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
