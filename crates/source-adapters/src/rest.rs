//! Any JSON API by a description: where it is, how it is called, how its pages follow each other, what it says on
//! failure.
//!
//! Pure functions decide (`paging`, `since`, `answer`, `request`, `maintenance`); `caller` sends. What a description may say
//! stands in [`FORMAT`].

mod answer;
mod caller;
mod credential;
mod description;
mod import;
mod maintenance;
mod mask;
mod moment;
mod open;
mod origin;
mod paging;
mod pointer;
mod presets;
mod problem;
mod record;
mod request;
mod since;
mod source;
mod template;
mod tries;
mod webhook;
mod writer;

pub use credential::{GrantKeeper, KeptGrant};
pub use description::Description;
pub use import::{ImportError, ImportKind, Imported, import};
pub use open::{RestOptions, transport};
pub use presets::{PRESETS, Preset, preset};
pub use problem::{Problem, Problems};
pub use source::RestSource;
pub use tries::{FoundField, Tried, Verdict};
pub use webhook::{WebhookCall, WebhookRefusal, WebhookVerifier};

/// The reference of descriptions, in Markdown.
pub const FORMAT: &str = include_str!("../docs/rest.md");

#[cfg(test)]
mod tests;
