//! `mapping doc`: the mapping book.

use mapping_tools::book::Book;

use super::arguments::BookFormat;
use super::{arguments, files};
use crate::engagement::Engagement;
use crate::screen::{Screen, Tone};
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

pub(super) fn doc(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &arguments::Doc,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    // Without schemas, so that the book says what the mapping says, wherever and whenever it is made.
    let mapping = wiring::mapping(engagement, settings, None, None)?;
    let book = Book::of(&mapping);
    let by_name = arguments.out.as_deref().map(files::ending).is_some_and(|ending| ending.starts_with("htm"));
    let format = arguments.format.unwrap_or(if by_name { BookFormat::Html } else { BookFormat::Markdown });
    let text = match format {
        BookFormat::Markdown => book.to_markdown(),
        BookFormat::Html => book.to_html().map_err(|error| {
            Failure::new(error.to_string())
                .remedy("tell the kit's authors; Markdown still works")
                .caused_by(&error)
        })?,
    };
    match &arguments.out {
        Some(out) => {
            // A book is made anew whenever its mapping changes.
            files::write(out, &text, true)?;
            screen.answer(&serde_json::json!({ "written": out }));
            screen.line(screen.tone(Tone::Good, format_args!("Written to {}.", out.display())));
        }
        None => {
            screen.answer(&serde_json::json!({ "book": text }));
            screen.line(text.trim_end());
        }
    }
    Ok(Outcome::Done)
}
