//! Picklist tables: the source's words for HubSpot's options.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::flow::Failure;

/// A compiled `[picklists.NAME]` table.
#[derive(Debug)]
pub(crate) struct Picklist {
    pub(crate) name: String,
    pub(crate) ignore_case: bool,
    /// The source's words, in lower case where case is ignored.
    pub(crate) map: HashMap<Box<str>, Box<str>>,
    pub(crate) default: Option<Box<str>>,
    /// The source's words in the order of the file, as written, with their options.
    pub(crate) words: Vec<(Box<str>, Box<str>)>,
    /// The word that stands for an option on the way back, where several words give it.
    pub(crate) back: HashMap<Box<str>, Box<str>>,
    /// Every option the table can give, in the order of the file, with its label.
    pub(crate) options: Vec<(String, String)>,
}

impl Picklist {
    /// The table from options to the source's words, or why there is none.
    pub(crate) fn inverse(&self) -> Result<Picklist, String> {
        if let Some(default) = &self.default {
            return Err(format!(
                "the picklist `{}` gives `{default}` for every word it does not have, and which one it was is lost",
                self.name
            ));
        }
        let mut map: HashMap<Box<str>, Box<str>> = HashMap::new();
        for (word, option) in &self.words {
            if let Some(chosen) = self.back.get(option) {
                map.insert(option.clone(), chosen.clone());
            } else if let Some(other) = map.insert(option.clone(), word.clone()) {
                return Err(format!(
                    "the picklist `{}` gives `{option}` for `{other}` and for `{word}`, and which one it was is lost",
                    self.name
                ));
            }
        }
        let words: Vec<_> = map.iter().map(|(option, word)| (option.clone(), word.clone())).collect();
        let options = self.words.iter().map(|(word, _)| (word.to_string(), word.to_string())).collect();
        Ok(Picklist {
            name: self.name.clone(),
            ignore_case: false,
            map,
            default: None,
            words,
            back: HashMap::new(),
            options,
        })
    }

    pub(crate) fn find(&self, word: &str) -> Option<&str> {
        let found = if self.ignore_case { self.map.get(&*word.to_lowercase()) } else { self.map.get(word) };
        found.or(self.default.as_ref()).map(|option| &**option)
    }

    pub(crate) fn translate<'a>(&self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Failure> {
        match self.find(&text) {
            Some(option) if *option == *text => Ok(text),
            Some(option) => Ok(Cow::Owned(option.to_owned())),
            None => Err(Failure::new(
                "unknown-option",
                format!("the value is not in the picklist `{}`", self.name),
                format!("add it to `[picklists.{}.map]`, or give the table a `default`", self.name),
            )),
        }
    }
}
