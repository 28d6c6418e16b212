//! The book as one HTML file.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, context};

use super::{Book, BookError};

const PAGE: &str = include_str!("book.html");

pub(super) fn write(book: &Book) -> Result<String, BookError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // Lines that hold nothing but a tag leave no trace.
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.map_err(BookError)?);
    environment.add_filter("coded", coded);
    let page = environment.template_from_str(PAGE).map_err(BookError)?;
    page.render(context! { book => Value::from(Serde(book)) }).map_err(BookError)
}

/// Escapes a text and sets what stands between backticks as code.
fn coded(text: &str) -> Value {
    let mut html = String::with_capacity(text.len() + 16);
    for (place, part) in text.split('`').enumerate() {
        let escaped = escape(part);
        if place % 2 == 1 {
            html.push_str("<code>");
            html.push_str(&escaped);
            html.push_str("</code>");
        } else {
            html.push_str(&escaped);
        }
    }
    Value::from_safe_string(html)
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#x27;"),
            c => safe.push(c),
        }
    }
    safe
}
