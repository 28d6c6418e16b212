//! Transforms that an engagement writes in Rust: registered by name, used by the mapping file like any other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sync_types::Value;

use crate::flow::{Failure, Ty};

/// What a function takes or gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueKind {
    /// A value of any kind.
    Any,
    /// Text.
    Text,
    /// An exact decimal number.
    Number,
    /// True or false.
    Bool,
    /// A calendar day.
    Date,
    /// An instant.
    DateTime,
    /// A list of texts.
    List,
}

impl ValueKind {
    pub(crate) fn ty(self) -> Ty {
        match self {
            ValueKind::Any => Ty::Any,
            ValueKind::Text => Ty::Text,
            ValueKind::Number => Ty::Number,
            ValueKind::Bool => Ty::Bool,
            ValueKind::Date => Ty::Date,
            ValueKind::DateTime => Ty::DateTime,
            ValueKind::List => Ty::List,
        }
    }
}

/// Why a function refuses a value: the reason and what a person can do, neither with the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong with the value.
    pub reason: String,
    /// What a person can do about it.
    pub remedy: String,
}

impl Refusal {
    /// A refusal with a reason and a remedy.
    #[must_use]
    pub fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Refusal {
        Refusal { reason: reason.into(), remedy: remedy.into() }
    }
}

type Body = Arc<dyn Fn(&Value) -> Result<Value, Refusal> + Send + Sync>;

/// One registered function.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) takes: Ty,
    pub(crate) gives: Ty,
    body: Body,
    inverse: Option<Body>,
}

impl Function {
    /// Runs the function on a value that is not empty and of the kind it takes.
    pub(crate) fn run(&self, value: &Value) -> Result<Value, Failure> {
        (self.body)(value).map_err(|refusal| Failure::new("function-refused", refusal.reason, refusal.remedy))
    }

    pub(crate) fn inverse(&self) -> Option<Function> {
        Some(Function {
            name: self.name,
            takes: self.gives,
            gives: self.takes,
            body: self.inverse.clone()?,
            inverse: Some(self.body.clone()),
        })
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

/// The functions and hash keys that an engagement's program gives to its mapping file.
///
/// A function must be pure: same value, same answer; no I/O, no clock. It never sees an empty value, and an empty text
/// that it gives is an empty value. The mapping's fingerprint knows a function by its name alone: register a function
/// that gives other values than before under another name.
///
/// ```
/// use mapping_engine::{Functions, Refusal, ValueKind};
/// use sync_types::Value;
///
/// let functions = Functions::new()
///     .with("shop_number", ValueKind::Text, ValueKind::Text, |value| match value.as_text() {
///         Some(text) if text.len() == 7 => Ok(Value::text(&text[..6])),
///         _ => Err(Refusal::new("not a shop number of 7 digits", "correct it in the shop")),
///     })
///     .with_both("negated", ValueKind::Number, ValueKind::Number, |value| match value {
///         Value::Number(number) => Ok(Value::Number(-*number)),
///         other => Ok(other.clone()),
///     }, |value| match value {
///         Value::Number(number) => Ok(Value::Number(-*number)),
///         other => Ok(other.clone()),
///     });
/// assert_eq!(functions.names().collect::<Vec<_>>(), ["negated", "shop_number"]);
/// ```
#[derive(Clone, Default)]
pub struct Functions {
    functions: BTreeMap<&'static str, Function>,
    keys: BTreeMap<String, Arc<[u8]>>,
}

impl Functions {
    /// No functions and no keys.
    #[must_use]
    pub fn new() -> Functions {
        Functions::default()
    }

    /// Adds a function without an inverse: fields that use it go to HubSpot only. A function of the same name is
    /// replaced; a name of a built-in transform is never reached.
    #[must_use]
    pub fn with(
        mut self,
        name: &'static str,
        takes: ValueKind,
        gives: ValueKind,
        body: impl Fn(&Value) -> Result<Value, Refusal> + Send + Sync + 'static,
    ) -> Functions {
        let (takes, gives) = (takes.ty(), gives.ty());
        self.functions.insert(name, Function { name, takes, gives, body: Arc::new(body), inverse: None });
        self
    }

    /// Adds a function with its inverse. For every value that `forward` takes, `forward(back(forward(value)))` has to
    /// be `forward(value)`; the checker tries it, and a value for which it does not hold is refused as it comes.
    #[must_use]
    pub fn with_both(
        mut self,
        name: &'static str,
        takes: ValueKind,
        gives: ValueKind,
        forward: impl Fn(&Value) -> Result<Value, Refusal> + Send + Sync + 'static,
        back: impl Fn(&Value) -> Result<Value, Refusal> + Send + Sync + 'static,
    ) -> Functions {
        let (takes, gives) = (takes.ty(), gives.ty());
        let inverse: Option<Body> = Some(Arc::new(back));
        self.functions.insert(name, Function { name, takes, gives, body: Arc::new(forward), inverse });
        self
    }

    /// Adds a secret key by the name that `{ hash = { key = "…" } }` uses. It is shown nowhere.
    #[must_use]
    pub fn with_key(mut self, name: impl Into<String>, key: impl Into<Arc<[u8]>>) -> Functions {
        self.keys.insert(name.into(), key.into());
        self
    }

    /// The functions' names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.functions.keys().copied()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }

    pub(crate) fn key(&self, name: &str) -> Option<&[u8]> {
        self.keys.get(name).map(|key| &**key)
    }

    pub(crate) fn key_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.keys.keys().map(String::as_str)
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions")
            .field("functions", &self.functions.keys())
            .field("keys", &self.keys.keys())
            .finish()
    }
}

/// Runs what the reference shows of Rust.
#[cfg(doctest)]
#[doc = include_str!("../docs/transforms.md")]
struct Reference;
