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
    /// Every option the table can give, in the order of the file, with its label.
    pub(crate) options: Vec<(String, String)>,
}

impl Picklist {
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
