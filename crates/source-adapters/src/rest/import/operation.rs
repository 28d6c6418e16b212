//! What was found in a file: calls, addresses, credentials; the same for every kind of file.

use super::form::Form;

/// Everything that a file says of an API.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) name: String,
    /// Base URLs with the names of their environments, if they have some.
    pub(super) bases: Vec<(String, String)>,
    /// Places in base URLs, and what stands for them.
    pub(super) variables: Vec<(String, String)>,
    pub(super) credential: Option<FoundCredential>,
    pub(super) operations: Vec<Operation>,
    /// What a person should know, one thing a line.
    pub(super) notes: Vec<String>,
}

/// How calls prove who they are from; no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FoundCredential {
    Bearer,
    Basic,
    Header(String),
    Query(String),
    ClientCredentials { token_url: String, scope: String },
    RefreshToken { token_url: String, scope: String },
}

/// One call.
#[derive(Clone, Debug, Default)]
pub(super) struct Operation {
    /// In capitals.
    pub(super) method: String,
    /// `/customers/{id}`.
    pub(super) path: String,
    pub(super) query: Vec<Parameter>,
    /// Names of headers that may be sent, in small letters.
    pub(super) headers: Vec<String>,
    pub(super) sent: Option<Form>,
    pub(super) answer: Option<Form>,
    /// Whether answers have a `Link` header.
    pub(super) links: bool,
}

/// A name of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) required: bool,
    /// A value that may be kept: a default, or a harmless word.
    pub(super) value: Option<String>,
    /// The largest number that it may be.
    pub(super) max: Option<u64>,
}

impl Found {
    /// Adds a call; what is known of the same one already is merged.
    pub(super) fn add(&mut self, operation: Operation) {
        let same = |known: &&mut Operation| known.method == operation.method && known.path == operation.path;
        let Some(known) = self.operations.iter_mut().find(same) else {
            self.operations.push(operation);
            return;
        };
        for parameter in operation.query {
            if known.query.iter().all(|known| known.name != parameter.name) {
                known.query.push(parameter);
            }
        }
        known.links |= operation.links;
        known.answer = match (known.answer.take(), operation.answer) {
            (Some(one), Some(two)) => Some(one.merged(two)),
            (one, two) => one.or(two),
        };
        known.sent = known.sent.take().or(operation.sent);
    }
}
