//! The layers that settings come from, and one flat set of texts made of them: later layers win.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::keys;
use crate::Failure;

/// Read by tests of the kit, so not a mistyped setting.
const NOT_SETTINGS: &[&str] = &["KIT_SHARED_DATA"];

/// Where a setting was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// In the binary.
    BuiltIn,
    /// In a settings file, on a line.
    File(PathBuf, usize),
    /// In an environment variable.
    Variable(String),
    /// On the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn => f.write_str("the built-in settings"),
            Origin::File(path, line) => write!(f, "{} line {line}", path.display()),
            Origin::Variable(name) => write!(f, "the environment variable {name}"),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One setting's text and where it was made.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// Settings by their place, not yet checked.
#[derive(Clone, Default)]
pub(super) struct Layers {
    made: BTreeMap<String, Made>,
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Texts may be secrets, also under a mistyped key.
        f.debug_map().entries(self.made.iter().map(|(place, made)| (place, &made.origin))).finish()
    }
}

impl Layers {
    pub(super) fn get(&self, place: &str) -> Option<&Made> {
        self.made.get(place)
    }

    /// The names that the user chose below a place, such as the collections.
    pub(super) fn names_below(&self, place: &str) -> Vec<String> {
        let prefix = format!("{place}.");
        let mut names: Vec<String> = Vec::new();
        for key in self.made.keys() {
            let name = key.strip_prefix(&prefix).and_then(|rest| rest.split('.').next());
            if let Some(name) = name.filter(|name| names.last().is_none_or(|last| last != name)) {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn set(&mut self, place: &str, text: String, origin: Origin) -> Result<(), Failure> {
        if keys::find(place).is_none() {
            return Err(unknown(place, &origin));
        }
        self.made.insert(place.to_owned(), Made { text, origin });
        Ok(())
    }

    /// Lays a file's text over what is there.
    ///
    /// # Errors
    /// The text is no TOML, or holds an unknown key.
    pub(super) fn add_text(&mut self, text: &str, path: Option<&Path>) -> Result<(), Failure> {
        let origin = |offset: usize| match path {
            Some(path) => Origin::File(path.to_owned(), line(text, offset)),
            None => Origin::BuiltIn,
        };
        let table = DeTable::parse(text).map_err(|error| {
            let place = origin(error.span().map_or(0, |span| span.start));
            Failure::new(format!("{place}: {}", error.message()))
                .remedy("correct the line; settings are written in TOML, such as `share = 0.8`")
        })?;
        self.add_table(table.get_ref(), "", &origin)
    }

    fn add_table(
        &mut self,
        table: &DeTable<'_>,
        above: &str,
        origin: &dyn Fn(usize) -> Origin,
    ) -> Result<(), Failure> {
        for (name, value) in table {
            let at = origin(name.span().start);
            let name = name.get_ref();
            let place = if above.is_empty() { name.to_string() } else { format!("{above}.{name}") };
            let text = match value.get_ref() {
                DeValue::Table(below) => {
                    self.add_table(below, &place, origin)?;
                    continue;
                }
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.to_string(),
                DeValue::Float(number) => number.to_string(),
                DeValue::Boolean(value) => value.to_string(),
                DeValue::Datetime(_) | DeValue::Array(_) => {
                    return Err(match keys::find(&place) {
                        None => unknown(&place, &at),
                        Some(key) => Failure::new(format!("{at}: `{place}` must be one text or number"))
                            .remedy(key.help.to_owned()),
                    });
                }
            };
            let text =
                if keys::find(&place).is_some_and(|key| key.is_path) { beside(&at, &text) } else { text };
            self.set(&place, text, at)?;
        }
        Ok(())
    }

    /// Lays the environment's `KIT_` variables over what is there.
    ///
    /// # Errors
    /// A `KIT_` variable is no setting, or no UTF-8.
    pub(super) fn add_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), Failure> {
        for (name, value) in variables {
            if !name.starts_with("KIT_") || NOT_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            let key = keys::KEYS.iter().find(|key| keys::variable(key).as_ref() == Some(&name));
            let Some(key) = key else {
                let known = keys::KEYS.iter().filter_map(keys::variable);
                let near = known.map(|known| (strsim::damerau_levenshtein(&known, &name), known)).min();
                let failure = Failure::new(format!("the environment variable {name} is no setting"));
                return Err(match near.filter(|(distance, _)| *distance <= 3) {
                    Some((_, known)) => failure.remedy(format!("did you mean {known}?")),
                    None => failure.remedy("unset it, or see `--help` for the settings there are"),
                });
            };
            self.set(key.path, value, Origin::Variable(name))?;
        }
        Ok(())
    }

    /// Lays one `key=value` of the command line over what is there.
    ///
    /// # Errors
    /// It has no `=`, or the key is unknown.
    pub(super) fn add_assignment(&mut self, assignment: &str) -> Result<(), Failure> {
        let Some((place, text)) = assignment.split_once('=') else {
            return Err(Failure::new("--set: there is no `=` in what follows it")
                .remedy("write it as `--set hubspot.share=0.5`"));
        };
        self.add_flag(place.trim(), text.to_owned(), format!("--set {}", place.trim()))
    }

    /// Lays a flag of the command line over what is there.
    ///
    /// # Errors
    /// The key is unknown.
    pub(super) fn add_flag(&mut self, place: &str, text: String, flag: String) -> Result<(), Failure> {
        self.set(place, text, Origin::Flag(flag))
    }
}

/// A path in a file is meant from where the file is.
fn beside(origin: &Origin, text: &str) -> String {
    match origin {
        Origin::File(file, _) => {
            let folder = file.parent().unwrap_or(Path::new(""));
            folder.join(text).to_string_lossy().into_owned()
        }
        _ => text.to_owned(),
    }
}

fn unknown(place: &str, origin: &Origin) -> Failure {
    let failure = Failure::new(format!("{origin}: there is no setting `{place}`"));
    match keys::nearest(place) {
        Some(near) => failure.remedy(format!("did you mean `{near}`?")),
        None => failure.remedy("remove it, or see `--help` for the settings there are"),
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
