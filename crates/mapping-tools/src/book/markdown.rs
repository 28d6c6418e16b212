//! The book in Markdown.

use std::fmt::Write;

use super::{Book, Chapter, Row};

pub(super) fn write(book: &Book) -> String {
    let mut page = Page(String::new());
    page.line(&format!("# Mapping book: {}", text(&book.name)));
    page.blank();
    page.line("Made from the mapping file by `mapping doc`: change the file, not this page.");
    page.blank();
    if let Some(description) = &book.description {
        page.line(&text(description));
        page.blank();
    }
    page.line(&format!("Version {}: {}.", book.version, book.size));
    page.list(&book.defaults);
    page.blank();
    page.table(
        &["Source", "HubSpot", "Way", "Fields", "Associations"],
        book.links.iter().map(|link| {
            vec![
                format!("`{}`", text(&link.collection)),
                text(&link.object),
                link.direction.to_owned(),
                link.fields.len().to_string(),
                link.edges.len().to_string(),
            ]
        }),
    );
    page.section("Open questions", &book.questions);
    page.section("Custom objects", &book.objects);
    page.section("Never leaves the source", &book.at_home);
    for link in &book.links {
        chapter(&mut page, link);
    }
    if !book.picklists.is_empty() {
        page.blank();
        page.line("## Tables of words");
    }
    for table in &book.picklists {
        page.blank();
        page.line(&format!("### {}", text(&table.name)));
        page.blank();
        page.table(
            &["Source", "Becomes"],
            table.words.iter().map(|(word, option)| vec![text(word), format!("`{}`", code(option))]),
        );
        page.blank();
        page.line(&format!("{}.", capital(&text(&table.otherwise))));
        page.facts(&table.facts);
    }
    if !book.tables.is_empty() {
        page.blank();
        page.line("## Lookups, rates, pipelines, environments");
    }
    for table in &book.tables {
        page.blank();
        page.line(&format!("### {}", text(&table.name)));
        page.facts(&table.facts);
    }
    page.0
}

fn chapter(page: &mut Page, link: &Chapter) {
    page.blank();
    page.line(&format!("## {}: `{}` → {}", text(&link.name), text(&link.collection), text(&link.object)));
    page.blank();
    if let Some(description) = &link.description {
        page.line(&text(description));
        page.blank();
    }
    page.facts(&link.facts);
    page.blank();
    page.table(
        &["Property", "From", "How", "Holds", "Way", "Owner", "Sensitivity", "Empty", "Bad value", "Notes"],
        link.fields.iter().map(row),
    );
    if !link.edges.is_empty() {
        page.blank();
        page.table(
            &["Association", "With", "Kind", "By", "When", "Rules"],
            link.edges.iter().map(|edge| {
                vec![
                    text(&edge.name),
                    text(&edge.to),
                    text(&edge.kind),
                    text(&edge.key),
                    edge.when.as_deref().map(text).unwrap_or_default(),
                    text(&edge.rules.join("; ")),
                ]
            }),
        );
    }
}

fn row(row: &Row) -> Vec<String> {
    let label = row.label.as_ref().map(|label| format!("<br>{}", text(label))).unwrap_or_default();
    let new = if row.is_new { " (new)" } else { "" };
    vec![
        format!("`{}`{label}{new}", text(&row.property)),
        text(&row.source),
        text(&row.steps.join("; ")),
        row.kind.to_owned(),
        row.direction.to_owned(),
        row.owner.to_owned(),
        row.sensitivity.to_owned(),
        text(&row.empty),
        row.bad.to_owned(),
        text(&row.notes.join("; ")),
    ]
}

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn blank(&mut self) {
        if !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    fn list(&mut self, items: &[String]) {
        if !items.is_empty() {
            self.blank();
        }
        for item in items {
            self.line(&format!("- {}", text(item)));
        }
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        let facts: Vec<String> = facts.iter().map(|(what, of_it)| format!("{what}: {of_it}")).collect();
        self.list(&facts);
    }

    fn section(&mut self, title: &str, items: &[String]) {
        if !items.is_empty() {
            self.blank();
            self.line(&format!("## {title}"));
            self.list(items);
        }
    }

    fn table(&mut self, header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "| {} |", header.join(" | "));
        let _ = writeln!(self.0, "|{}", "---|".repeat(header.len()));
        for row in rows {
            let _ = writeln!(self.0, "| {} |", row.join(" | "));
        }
    }
}

/// Text on one line in which nothing is taken for a mark, but for code between backticks.
fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut in_code = false;
    for c in text.chars() {
        match c {
            '`' => {
                in_code = !in_code;
                safe.push(c);
            }
            '|' => safe.push_str("\\|"),
            c if c.is_control() => safe.push(' '),
            '<' if !in_code => safe.push_str("&lt;"),
            '*' | '[' | ']' if !in_code => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Text between backticks.
fn code(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || c == '`' { ' ' } else { c })
        .collect::<String>()
        .replace('|', "\\|")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
