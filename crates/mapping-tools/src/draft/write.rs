//! Plans as a mapping file.

use std::fmt::Write;
use std::ops::Range;

use sync_types::PropertyKind;

use super::{Draft, FieldDraft, LinkDraft, Source};
use crate::toml_text::{comment, key, list, quoted};
use crate::{kinds, names};

/// A file, and which lines are whose.
pub(super) struct Written {
    pub(super) text: String,
    /// Lines from 1, with the link and the field that they speak of.
    fields: Vec<(Range<usize>, usize, usize)>,
}

impl Written {
    /// The field that a line speaks of.
    pub(super) fn field_at(&self, line: usize) -> Option<(usize, usize)> {
        let found = self.fields.iter().find(|(lines, ..)| lines.contains(&line));
        found.map(|(_, link, field)| (*link, *field))
    }
}

/// The unique property that holds the sync keys of an engagement.
pub(crate) fn sync_key(engagement: &str) -> String {
    format!("{}_key", names::internal_name(engagement))
}

/// The engagement's name as sync keys take it.
fn engagement_name(name: &str) -> String {
    let name: String = names::internal_name(name).chars().take(40).collect();
    name
}

pub(super) fn write(draft: &Draft<'_>) -> Written {
    let mut file = File { text: String::new(), fields: Vec::new() };
    file.head(draft);
    for (place, link) in draft.links.iter().enumerate() {
        if link.live().next().is_some() {
            file.link(draft, place, link);
        } else {
            file.line("");
            let said =
                format!("{}: none of its columns became a field, so there is no link.", link.collection);
            file.text.push_str(&comment(&said));
        }
    }
    Written { text: file.text, fields: file.fields }
}

struct File {
    text: String,
    fields: Vec<(Range<usize>, usize, usize)>,
}

impl File {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// The number of the next line, from 1.
    fn next_line(&self) -> usize {
        self.text.matches('\n').count() + 1
    }

    fn head(&mut self, draft: &Draft<'_>) {
        self.text.push_str(&comment(draft.opening));
        let links = &draft.links;
        let keys: Vec<&LinkDraft> = links.iter().filter(|link| link.key.is_some()).collect();
        if !keys.is_empty() {
            self.line("#");
            self.line("# For settings.toml, which says what identifies a row:");
            if let Some(mark) = draft.delimiter {
                self.line("#   [source]");
                self.line(format!("#   delimiter = {}", quoted(&mark.to_string())));
            }
            for link in keys {
                self.line(format!("#   [source.collections.{}]", key(&link.collection)));
                self.line(format!("#   key = {}", quoted(link.key.as_deref().unwrap_or_default())));
            }
        }
        self.line("");
        self.line("[mapping]");
        self.line(format!("name = {}", quoted(&engagement_name(draft.name))));
        for (name, value) in [("region", draft.region), ("zone", draft.zone)] {
            if let Some(value) = value {
                self.line(format!("{name} = {}", quoted(value)));
            }
        }
        for link in links {
            let Some((singular, plural)) = &link.custom else { continue };
            // HubSpot shows a record by a text, and by a number where there is no text.
            let title =
                link.live().find(|field| field.kind == PropertyKind::Text).or_else(|| link.live().next());
            let Some(title) = title else { continue };
            self.line("");
            self.line("[[objects]]");
            self.line(format!("name = {}", quoted(&link.object)));
            self.line(format!("singular = {}", quoted(singular)));
            self.line(format!("plural = {}", quoted(plural)));
            self.line(format!("primary_display = {}", quoted(&title.to)));
        }
    }

    fn link(&mut self, draft: &Draft<'_>, place: usize, link: &LinkDraft) {
        self.line("");
        self.text.push_str(&comment(&format!("{} → {}: {}.", link.collection, link.object, link.reason)));
        self.line("[[links]]");
        self.line(format!("name = {}", quoted(&link.name)));
        self.line(format!("collection = {}", quoted(&link.collection)));
        self.line(format!("object = {}", quoted(&link.object)));
        self.line(format!("sync_key = {}", quoted(&sync_key(draft.name))));
        // A field goes no way that its link does not go.
        let two_way = link.live().any(FieldDraft::goes_back);
        if two_way {
            self.line("direction = \"both\"");
        }
        if !link.match_on.is_empty() {
            self.line(format!("match = {}", list(&link.match_on)));
        }
        if !link.questions.is_empty() {
            let questions = format!("to decide: {}", link.questions.join("; "));
            self.line(format!("description = {}", quoted(&questions)));
        }
        for (number, field) in link.fields.iter().enumerate() {
            self.line("");
            let start = self.next_line();
            self.field(&link.name, field, two_way);
            if field.dropped.is_none() {
                self.fields.push((start..self.next_line(), place, number));
            }
        }
        let there =
            |name: &str| draft.links.iter().any(|far| far.name == name && far.live().next().is_some());
        for association in link.associations.iter().filter(|association| there(&association.to)) {
            self.line("");
            self.text.push_str(&comment(&format!("{}.", association.reason)));
            self.line("[[links.associations]]");
            self.line(format!("name = {}", quoted(&association.name)));
            self.line(format!("to = {}", quoted(&association.to)));
            self.line(format!("key = {}", quoted(&association.key)));
            if association.primary {
                self.line("kind = \"primary\"");
            }
        }
        if !link.unmapped.is_empty() {
            self.line("");
            self.line("# Not mapped:");
            for (column, reason) in &link.unmapped {
                self.text.push_str(&comment(&format!("- {column}: {reason}")));
            }
        }
        for (number, field) in link.fields.iter().enumerate().filter(|(_, field)| field.dropped.is_none()) {
            if field.chain.picklist.is_empty() {
                continue;
            }
            self.line("");
            let start = self.next_line();
            self.picklist(&link.name, field);
            self.fields.push((start..self.next_line(), place, number));
        }
    }

    fn field(&mut self, link: &str, field: &FieldDraft, two_way: bool) {
        self.text.push_str(&comment(&field.said()));
        if let Some(why) = &field.dropped {
            let left_out = format!("Left out, {} → {}: {why}", field.source.shown(), field.to);
            self.text.push_str(&comment(&left_out));
            return;
        }
        self.line("[[links.fields]]");
        self.line(match &field.source {
            Source::Columns(_) if let Some(path) = field.source.only_column() => {
                format!("from = {}", quoted(path))
            }
            Source::Columns(paths) => format!("from = {}", list(paths)),
            Source::Concat(paths) => format!("concat = {}", list(paths)),
            Source::Template(text) => format!("template = {}", quoted(text)),
            Source::Constant(text) => format!("value = {}", quoted(text)),
        });
        self.line(format!("to = {}", quoted(&field.to)));
        let mut steps = field.chain.steps.clone();
        if !field.chain.picklist.is_empty() {
            steps.push(format!("{{ picklist = {} }}", quoted(&picklist_name(link, field))));
        }
        if !steps.is_empty() {
            self.line(format!("transform = [{}]", steps.join(", ")));
        }
        if field.required {
            self.line("required = true");
        }
        if field.chain.leave_bad {
            self.line("on_bad = \"leave\"");
        }
        if two_way && !field.goes_back() {
            self.line("direction = \"to-hubspot\"");
        }
        for (name, value) in &field.keys {
            self.line(format!("{name} = {value}"));
        }
        if let Some((label, description)) = &field.create {
            if let Some(kind) = kinds::word(field.kind) {
                self.line(format!("kind = {}", quoted(kind)));
            }
            let mut create = format!("create = {{ label = {}", quoted(label));
            if let Some(description) = description {
                // Writing to a string cannot fail.
                let _ = write!(create, ", description = {}", quoted(description));
            }
            self.line(create + " }");
        }
        let question = field.question().map(|question| format!("to decide: {question}"));
        let notes: Vec<String> = field.note.iter().cloned().chain(question).collect();
        if !notes.is_empty() {
            self.line(format!("note = {}", quoted(&notes.join("; "))));
        }
    }

    fn picklist(&mut self, link: &str, field: &FieldDraft) {
        let name = picklist_name(link, field);
        self.line(format!("[picklists.{}]", key(&name)));
        self.line(format!("[picklists.{}.map]", key(&name)));
        for (word, option) in &field.chain.picklist {
            match option {
                Some(option) => self.line(format!("{} = {}", key(word), quoted(option))),
                None => self.text.push_str(&comment(&format!("{} = which option?", key(word)))),
            }
        }
        // A word that became an option by being made fit for it is the option's best label.
        let made = |word: &str, option: &str| names::internal_name(word).ends_with(option) && word != option;
        let mut labels: Vec<(&str, &str)> = Vec::new();
        for (word, option) in &field.chain.picklist {
            let option = option.as_deref().filter(|option| made(word, option));
            // Two words may become one option, which has one label.
            if let Some(option) = option.filter(|option| !labels.iter().any(|(known, _)| known == option)) {
                labels.push((option, word));
            }
        }
        if field.create.is_some() && !labels.is_empty() {
            self.line(format!("[picklists.{}.labels]", key(&name)));
            for (option, word) in labels {
                self.line(format!("{} = {}", key(option), quoted(word)));
            }
        }
    }
}

fn picklist_name(link: &str, field: &FieldDraft) -> String {
    format!("{link}_{}", field.to)
}
