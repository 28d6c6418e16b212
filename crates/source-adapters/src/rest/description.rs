//! What a description says of an API, as plain data, and its reading from TOML.

mod auth;
mod calls;
mod collection;
mod keys;
mod limits;
mod pages;
mod read;
mod webhook;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use sync_types::PropertyKind;

use super::pointer::Pointer;
use super::problem::Problems;
use super::template::Template;

/// A checked description of a JSON API: where it is, how it is called, and what its collections are.
///
/// It holds no secret, only the names of secrets, so that it can be kept and shown like any other text.
#[derive(Clone, Debug)]
pub struct Description {
    pub(super) api: Api,
    pub(super) auth: Auth,
    pub(super) limits: CallLimits,
    pub(super) errors: Errors,
    pub(super) maintenance: Vec<Maintenance>,
    pub(super) webhook: Option<WebhookProof>,
    pub(super) collections: BTreeMap<String, CollectionSpec>,
}

impl Description {
    /// Reads and checks a description; `file` is its name in messages.
    ///
    /// # Errors
    /// Every mistake at once, each with line and remedy.
    pub fn parse(file: &str, text: &str) -> Result<Description, Problems> {
        read::description(file, text)
    }

    /// What the API is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.api.name
    }

    /// The names of the environments it can be reached in, in alphabetical order.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.api.bases.keys().map(String::as_str)
    }

    /// The variables that may be set, with what they are otherwise; an empty one has to be set.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.api.variables
    }

    /// The names of the secrets that calls need, each once.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.auth.secrets();
        names.extend(self.api.headers.iter().filter_map(|(_, value)| value.secret()));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The names of the collections, in alphabetical order.
    pub fn collections(&self) -> impl Iterator<Item = &str> {
        self.collections.keys().map(String::as_str)
    }

    /// Whether a collection can be written in some way.
    #[must_use]
    pub fn is_written(&self, collection: &str) -> bool {
        let found = self.collections.get(collection);
        found.is_some_and(|spec| spec.create.is_some() || spec.update.is_some() || spec.delete.is_some())
    }
}

/// Where an API is and what every call to it carries.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) name: String,
    /// Base URLs by environment.
    pub(super) bases: BTreeMap<String, Template>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) headers: Vec<(String, SecretText)>,
    pub(super) timeout: Duration,
    pub(super) answer_bytes_max: usize,
    /// Whether it may be an address of a private network, or this machine, and be spoken to without TLS.
    pub(super) private_network: bool,
    /// A PEM file with the certificate and key that this side shows, by the name of its secret.
    pub(super) client_certificate: Option<String>,
}

/// A text that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SecretText {
    /// The secret of this name.
    Secret(String),
    /// A text that may be seen.
    Plain(Template),
}

impl SecretText {
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            SecretText::Secret(name) => Some(name),
            SecretText::Plain(_) => None,
        }
    }
}

/// How calls prove who they are from. Secrets are named, never held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Auth {
    None,
    ApiKey { place: KeyPlace, prefix: String, secret: String },
    Basic { user: SecretText, password: SecretText },
    Bearer { secret: String },
    Tokens(OAuthSpec),
    Hmac(HmacSpec),
}

impl Auth {
    pub(super) fn secrets(&self) -> Vec<&str> {
        match self {
            Auth::None => Vec::new(),
            Auth::ApiKey { secret, .. } | Auth::Bearer { secret } => vec![secret],
            Auth::Basic { user, password } => {
                [user, password].into_iter().filter_map(SecretText::secret).collect()
            }
            Auth::Tokens(spec) => {
                let refresh = match &spec.grant {
                    OAuthGrant::ClientCredentials => None,
                    OAuthGrant::Refresh { secret } => Some(secret.as_str()),
                };
                [Some(spec.client_secret.as_str()), spec.client_id.secret(), refresh]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Auth::Hmac(spec) => vec![&spec.secret],
        }
    }
}

/// Where an API key goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyPlace {
    Header(String),
    Query(String),
}

/// OAuth 2 (RFC 6749): how an access token is had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OAuthSpec {
    pub(super) grant: OAuthGrant,
    pub(super) token_url: Template,
    pub(super) client_id: SecretText,
    pub(super) client_secret: String,
    pub(super) scope: Option<String>,
    /// More that the token endpoint wants, such as `audience`.
    pub(super) extra: Vec<(String, Template)>,
    /// Whether the client shows its credential in the body rather than by basic authentication.
    pub(super) in_body: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OAuthGrant {
    ClientCredentials,
    /// A refresh token from an authorization-code flow that somebody went through before.
    Refresh {
        secret: String,
    },
}

/// A signature over each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HmacSpec {
    pub(super) secret: String,
    pub(super) hash: SignHash,
    /// What is signed, of `{method}`, `{path}`, `{query}`, `{timestamp}`, `{body}` and `{body_sha256}`.
    pub(super) over: Template,
    pub(super) base64: bool,
    /// Header of the signature.
    pub(super) header: String,
    /// What that header says, of `{signature}` and `{timestamp}`.
    pub(super) value: Template,
    pub(super) timestamp_header: Option<String>,
    pub(super) timestamp: TimeFormat,
}

/// The places of [`HmacSpec::over`].
pub(super) const SIGNED: [&str; 6] = ["method", "path", "query", "timestamp", "body", "body_sha256"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignHash {
    Sha256,
    Sha512,
}

/// How a call of the API's webhooks proves who it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WebhookProof {
    /// A text that both sides know, in a header or in the address.
    Shared {
        place: KeyPlace,
        prefix: String,
        secret: String,
    },
    Basic {
        user: SecretText,
        password: SecretText,
    },
    Hmac(WebhookHmac),
}

/// A signature over what is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WebhookHmac {
    pub(super) secret: String,
    /// Whether the key is written in base64, rather than being the text's own bytes.
    pub(super) key_base64: bool,
    pub(super) hash: SignHash,
    /// What is signed, of [`TOLD`].
    pub(super) over: Template,
    pub(super) base64: bool,
    pub(super) header: String,
    /// What stands in that header between separators, each with one place: `{signature}` or `{timestamp}`.
    pub(super) items: Vec<HeaderItem>,
    pub(super) separator: char,
    pub(super) timestamp_header: Option<String>,
    pub(super) timestamp: TimeFormat,
    /// Header of the message's id, where that is signed too.
    pub(super) id_header: Option<String>,
    /// How far the time of the call may lie from ours.
    pub(super) window: Duration,
}

/// One item of a signature's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeaderItem {
    pub(super) before: String,
    /// Whether the signature stands there, and not the time.
    pub(super) is_signature: bool,
    pub(super) after: String,
}

/// The places of [`WebhookHmac::over`].
pub(super) const TOLD: [&str; 4] = ["timestamp", "body", "body_sha256", "id"];

/// Limits of an API or of one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CallLimits {
    pub(super) windows: Vec<(u32, Duration)>,
    pub(super) per_day: Option<u64>,
    pub(super) concurrent: Option<usize>,
}

/// How failures are told apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Errors {
    /// Where the reason stands, to be shown without values.
    pub(super) message: Option<Pointer>,
    /// A header that says how long to wait, beside `Retry-After`.
    pub(super) wait: Option<(String, WaitForm)>,
    /// The first that fits decides, before HTTP's own rules.
    pub(super) rules: Vec<ErrorRule>,
}

/// How a header says how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitForm {
    Seconds,
    Millis,
    /// A point in time, in seconds since 1970.
    Epoch,
}

/// One way an answer can be a failure.
#[derive(Clone, Debug)]
pub(super) struct ErrorRule {
    /// Statuses that it is about; empty for all.
    pub(super) statuses: Vec<u16>,
    /// Where something has to stand, and what; any value where none is named.
    pub(super) at: Option<(Pointer, Option<String>)>,
    pub(super) means: Means,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    Ok,
    Refused,
    Unauthorized,
    Throttled,
    NotNow,
    Broken,
    /// There is no such record.
    Gone,
    /// The record is not as it was.
    Moved,
}

/// A time of the week in which the API is not called.
#[derive(Clone, Debug)]
pub(super) struct Maintenance {
    /// Days on which it begins; every day where empty.
    pub(super) days: Vec<Weekday>,
    pub(super) from: Time,
    /// Its end; on the next day where it is not after `from`.
    pub(super) to: Time,
    pub(super) zone: TimeZone,
}

/// One collection.
#[derive(Clone, Debug)]
pub(super) struct CollectionSpec {
    pub(super) key: Pointer,
    pub(super) modified: Option<Modified>,
    /// A record that has something here (and not `false`) counts as deleted.
    pub(super) deleted: Option<Pointer>,
    /// What is known of its fields; otherwise a first page tells.
    pub(super) fields: Option<Vec<FieldSpec>>,
    pub(super) list: ListSpec,
    pub(super) since: Option<SinceSpec>,
    pub(super) get: Option<GetSpec>,
    pub(super) batch: Option<BatchSpec>,
    pub(super) create: Option<CreateSpec>,
    pub(super) update: Option<UpdateSpec>,
    pub(super) delete: Option<CallSpec>,
}

impl CollectionSpec {
    /// Every call that the collection may make.
    pub(super) fn calls(&self) -> impl Iterator<Item = &CallSpec> {
        let find = self.create.as_ref().and_then(|create| match &create.once {
            Once::Field { find, .. } => Some(&find.call),
            Once::Header(_) => None,
        });
        let calls = [
            Some(&self.list.call),
            self.since.as_ref().map(|since| &since.list.call),
            self.get.as_ref().map(|get| &get.call),
            self.batch.as_ref().map(|batch| &batch.call),
            self.create.as_ref().map(|create| &create.call),
            find,
            self.update.as_ref().map(|update| &update.call),
            self.delete.as_ref(),
        ];
        calls.into_iter().flatten()
    }
}

/// Where and how a record says when it changed last.
#[derive(Clone, Debug)]
pub(super) struct Modified {
    pub(super) at: Pointer,
    pub(super) format: TimeFormat,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeFormat {
    /// RFC 3339 with an offset.
    Rfc3339,
    /// A date and time without an offset, in UTC.
    Utc,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMillis,
    /// A day.
    Day,
}

/// A field of a record's first level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldSpec {
    pub(super) name: String,
    pub(super) kind: PropertyKind,
    pub(super) format: TimeFormat,
    pub(super) required: bool,
    pub(super) read_only: bool,
    pub(super) options: Vec<String>,
}

/// A request but for what is filled in.
#[derive(Clone, Debug)]
pub(super) struct CallSpec {
    /// `customers.list`, for messages.
    pub(super) name: String,
    pub(super) method: http::Method,
    pub(super) path: Template,
    pub(super) query: Vec<(String, Template)>,
    pub(super) headers: Vec<(String, Template)>,
    pub(super) body: Option<Body>,
    pub(super) limits: CallLimits,
}

/// A JSON body whose texts may have places.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Object(Vec<(String, Body)>),
    List(Vec<Body>),
    Text(Template),
    Plain(Json),
}

impl Body {
    /// Whether a place of this name is filled in somewhere.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Body::Object(entries) => entries.iter().any(|(_, body)| body.has(name)),
            Body::List(items) => items.iter().any(|body| body.has(name)),
            Body::Text(text) => text.has(name),
            Body::Plain(_) => false,
        }
    }
}

/// Reading a collection page by page.
#[derive(Clone, Debug)]
pub(super) struct ListSpec {
    pub(super) call: CallSpec,
    /// Where the list of records stands.
    pub(super) records: Pointer,
    pub(super) pages: Pages,
}

/// How pages follow each other.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    pub(super) kind: PageKind,
    /// How the page size is asked for.
    pub(super) size: Option<(Slot, u64)>,
    /// A truth value that says whether there is more.
    pub(super) more: Option<Pointer>,
    /// The number of records in all, by which the end of a scan is checked.
    pub(super) total: Option<Pointer>,
    /// The most records that one list ever shows: a scan that reaches it fails instead of ending.
    pub(super) cap: Option<u64>,
    /// Whether a record that is deleted meanwhile moves no other record across a page border.
    pub(super) stable: bool,
}

#[derive(Clone, Debug)]
pub(super) enum PageKind {
    /// Everything in one answer.
    None,
    /// Numbered pages.
    Page { parameter: Slot, first: u64, last: Option<Pointer>, uneven: bool },
    /// A number of records to leave out.
    Offset { parameter: Slot },
    /// What the page before gave as the place to go on from.
    Cursor { parameter: Slot, next: NextPlace },
    /// The whole address of the next page, in a `Link` header (RFC 8288) with `rel="next"`.
    Link,
    /// The whole address of the next page, in the body.
    Url { next: Pointer },
    /// Records after a value of the last record. `step` goes back by one unit of time, for values that several records
    /// share.
    Keyset { parameter: Slot, from: Pointer, ties: Option<Ties> },
}

/// Where a cursor stands.
#[derive(Clone, Debug)]
pub(super) enum NextPlace {
    Body(Pointer),
    Header(String),
}

/// A keyset over times, which several records share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ties {
    pub(super) format: TimeFormat,
    /// Taken from the last record's time before it is asked for; zero where the API includes that time.
    pub(super) back: Duration,
}

/// Where a parameter of a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Query(String),
    Body(Pointer),
}

/// Reading what changed in a span of time.
#[derive(Clone, Debug)]
pub(super) struct SinceSpec {
    pub(super) list: ListSpec,
    /// How `{from}` and `{to}` are written.
    pub(super) format: TimeFormat,
    /// How far back before the last change that was seen each reading begins.
    pub(super) overlap: Duration,
    /// The longest span that may be asked for.
    pub(super) range_max: Option<Duration>,
    /// Whether deleted records are among the changes.
    pub(super) deletes: bool,
}

/// Reading one record.
#[derive(Clone, Debug)]
pub(super) struct GetSpec {
    pub(super) call: CallSpec,
    pub(super) record: Pointer,
    /// Whether the answer has an `ETag`, by which changes and deletions are made conditional (RFC 9110, 13.1.1).
    pub(super) etag: bool,
}

/// Reading several records by their ids.
#[derive(Clone, Debug)]
pub(super) struct BatchSpec {
    pub(super) call: CallSpec,
    pub(super) records: Pointer,
    pub(super) max: usize,
    pub(super) separator: String,
}

/// Making a record.
#[derive(Clone, Debug)]
pub(super) struct CreateSpec {
    pub(super) call: CallSpec,
    /// Where the fields go in the body.
    pub(super) wrap: Pointer,
    /// Where the record stands in the answer; without it, it is read by the id.
    pub(super) record: Option<Pointer>,
    /// Where the id stands in the answer.
    pub(super) id: Option<Pointer>,
    pub(super) once: Once,
}

/// How a creation is kept from being done twice.
#[derive(Clone, Debug)]
pub(super) enum Once {
    /// By a header that the API knows a repetition by.
    Header(String),
    /// By a field that holds the token, and a list that is asked for it first.
    Field { field: String, find: Box<ListSpec> },
}

/// Changing a record.
#[derive(Clone, Debug)]
pub(super) struct UpdateSpec {
    pub(super) call: CallSpec,
    pub(super) wrap: Pointer,
    pub(super) record: Option<Pointer>,
    /// Whether the whole record is sent, and not only what changes.
    pub(super) whole: bool,
}
