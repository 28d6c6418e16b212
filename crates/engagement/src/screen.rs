//! What a person or a machine sees: lines and tables on a terminal, plain lines in a pipe, one JSON document.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{MultiProgress, ProgressDrawTarget};

use crate::Failure;

/// Where a command's answer goes. With `--json` only [`Screen::answer`] writes to standard output.
#[derive(Debug)]
pub(crate) struct Screen {
    json: bool,
    colours: bool,
    bars: MultiProgress,
    live: bool,
}

/// A word's colour, where there are colours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    Good,
    Bad,
    Warn,
    Strong,
    Faint,
}

impl Screen {
    /// The screen of this process.
    pub(crate) fn new(json: bool) -> Screen {
        let live = !json && io::stderr().is_terminal();
        let bars = MultiProgress::new();
        if !live {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Screen { json, colours, bars, live }
    }

    /// The progress bars, for the log to step around.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Whether somebody watches, so that progress is a bar and not lines.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Whether a machine reads.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// One line for a person.
    pub(crate) fn line(&self, text: impl Display) {
        if !self.json {
            self.put(&text.to_string());
        }
    }

    /// A heading with an empty line above.
    pub(crate) fn heading(&self, text: impl Display) {
        self.line(format_args!("\n{}", self.tone(Tone::Strong, text)));
    }

    /// A table for a person: the first column to the left, the rest to the right, and the last one as asked.
    pub(crate) fn table(&self, header: &[&str], rows: Vec<Vec<String>>, last_is_text: bool) {
        if self.json || rows.is_empty() {
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(header.iter().map(|name| self.tone(Tone::Faint, name).to_string()));
        for row in rows {
            table.add_row(row);
        }
        let columns = table.column_count();
        for (place, column) in table.column_iter_mut().enumerate() {
            if place > 0 && !(last_is_text && place + 1 == columns) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let text = table.to_string();
        let lines: Vec<String> = text.lines().map(|line| format!(" {}", line.trim_end())).collect();
        self.line(lines.join("\n"));
    }

    /// The answer for a machine: the only thing on standard output with `--json`.
    pub(crate) fn answer(&self, value: &serde_json::Value) {
        if self.json {
            self.put(&value.to_string());
        }
    }

    /// A note for whoever watches, on standard error, so that it never mixes with an answer.
    pub(crate) fn note(&self, text: impl Display) {
        let text = text.to_string();
        // A closed standard error leaves nobody to tell.
        self.bars.suspend(|| {
            let _ = writeln!(io::stderr().lock(), "{text}");
        });
    }

    /// The end of a command that failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            self.answer(&failure.to_json());
        } else {
            self.note(format_args!("error: {failure}"));
        }
    }

    /// A word in its colour.
    pub(crate) fn tone<T: Display>(&self, tone: Tone, text: T) -> Toned<T> {
        Toned { tone: self.colours.then_some(tone), text }
    }

    fn put(&self, text: &str) {
        // A reader that has gone away, such as `head`, is no error of ours.
        self.bars.suspend(|| {
            let _ = writeln!(io::stdout().lock(), "{text}");
        });
    }
}

/// A text in its colour; see [`Screen::tone`].
#[derive(Debug)]
pub(crate) struct Toned<T> {
    tone: Option<Tone>,
    text: T,
}

impl<T: Display> Display for Toned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.tone {
            None => return self.text.fmt(f),
            Some(Tone::Good) => "32",
            Some(Tone::Bad) => "31",
            Some(Tone::Warn) => "33",
            Some(Tone::Strong) => "1",
            Some(Tone::Faint) => "2",
        };
        write!(f, "\x1b[{code}m{}\x1b[0m", self.text)
    }
}

/// A count with its noun, in the number that goes with it.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// 1234567 as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration as a person says it: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`.
pub(crate) fn spoken(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn numbers_read_well() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (100_000, "100,000")];
        for (number, text) in cases {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(counted(1, "record", "records"), "1 record");
        assert_eq!(counted(1200, "record", "records"), "1,200 records");
        for (millis, text) in [
            (420, "0.4 s"),
            (12_900, "12 s"),
            (185_000, "3 min 5 s"),
            (7_800_000, "2 h 10 min"),
            (119_000, "119 s"),
        ] {
            assert_eq!(spoken(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn colours_are_left_out_where_nobody_sees_them() {
        assert_eq!(Toned { tone: None, text: "done" }.to_string(), "done");
        assert_eq!(Toned { tone: Some(Tone::Good), text: "done" }.to_string(), "\x1b[32mdone\x1b[0m");
    }
}
