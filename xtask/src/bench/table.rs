//! The benchmark's result as text for a person.

use super::figures::{Figures, Measured, Run};
use super::goals::{Bound, Goal};
use super::settings::Settings;
use super::spread::Spread;

/// One line per kind of run that took place.
pub(super) fn runs(measured: &Measured, settings: Settings) -> String {
    let head = ["", "records/s", "CPU s/100,000", "peak MB", "commits/1,000", "calls/1,000"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(Run::ALL.into_iter().filter_map(|run| line(run, measured)));
    format!(
        "{} contacts of 20 fields, CSV to sandbox without limits, {} round(s): median [min-max]; the sandbox runs on \
         the same machine and is not counted in CPU and MB\n\n{}",
        settings.rows,
        settings.rounds,
        aligned(&lines)
    )
}

fn line(run: Run, measured: &Measured) -> Option<Vec<String>> {
    measured.of(run).next()?;
    let cell =
        |figure: &dyn Fn(&Figures) -> f64, digits| text(Spread::of(measured.of(run).map(figure)), digits);
    Some(vec![
        run.name().to_owned(),
        cell(&Figures::records_per_second, 0),
        cell(&Figures::cpu, 2),
        cell(&|figures| figures.peak_mb, 1),
        cell(&|figures| figures.commits.map_or(f64::NAN, |commits| figures.per_thousand(commits)), 2),
        cell(&|figures| figures.per_thousand(figures.calls), 2),
    ])
}

/// One line per goal, with the verdict.
pub(super) fn goals(goals: &[Goal]) -> String {
    let mut lines = vec![["", "measured", "goal", ""].map(str::to_owned).to_vec()];
    lines.extend(goals.iter().map(|goal| {
        let bound = match goal.bound {
            Bound::AtMost(most) => format!("at most {most}"),
            Bound::AtLeast(least) => format!("at least {least}"),
        };
        vec![goal.what.clone(), text(goal.measured, 2), bound, goal.verdict().to_owned()]
    }));
    aligned(&lines)
}

fn text(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or_else(|| "-".to_owned(), |spread| spread.text(digits))
}

/// Columns as wide as their widest cell, two spaces apart, without spaces at the end of a line.
pub(super) fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let text = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    text.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::figures::sample;
    use super::*;

    #[test]
    fn runs_that_took_place_have_a_line() {
        let mut measured = Measured::default();
        measured.add(Run::EngineFirst, sample(1_000, 0.01, 30.0));
        measured.add(Run::EngineFirst, sample(1_000, 0.03, 32.0));
        measured.add(Run::Python, Figures { commits: None, ..sample(1_000, 0.3, 60.0) });
        let settings = Settings::parse(&["--rows", "1000", "--rounds", "2"]).unwrap();
        let text = runs(&measured, settings);
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "engine, first run  500        2.00 [1.00-3.00]  31.0 [30.0-32.0]  15.00          20.00",
                "Python, every run  500        30.00             60.0              -              20.00",
            ]
        );
    }

    #[test]
    fn a_goal_stands_beside_what_was_measured() {
        let goal = |what: &str, measured, bound| Goal { what: what.to_owned(), measured, bound };
        let text = goals(&[
            goal("a", Spread::of([1.0, 2.0, 3.0]), Bound::AtMost(2.5)),
            goal("b", Spread::of([7.0]), Bound::AtLeast(8.0)),
            goal("c", None, Bound::AtMost(2.0)),
        ]);
        assert_eq!(
            text,
            "   measured          goal\n\
             a  2.00 [1.00-3.00]  at most 2.5  met\n\
             b  7.00              at least 8   missed\n\
             c  -                 at most 2    not measured"
        );
    }
}
