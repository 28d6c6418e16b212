//! HubSpot's CRM API in HubSpot's words. See the crate page for an overview.
#![doc = include_str!("../README.md")]

mod account;
mod association_limits;
mod associations;
mod batch;
mod call;
mod client;
mod error;
mod journal;
mod labels;
mod limits;
mod object_type;
mod objects;
mod outcome;
mod owners;
mod pipelines;
mod properties;
mod quota;
mod raw;
mod record;
mod refusal;
mod scan;
mod schemas;
mod search;
mod version;
mod webhooks;
mod wire;

pub use account::{Account, AccountDetails, DailyUsage};
pub use association_limits::{AssociationLimit, NewAssociationLimit};
pub use associations::{
    AssociatedRecord, AssociationCategory, AssociationPager, AssociationRead, AssociationType, Associations,
    AttachedType, LabelledPair, Pair,
};
pub use batch::{CreateRow, NewAssociation, PropertyValues, ReadRequest, ReadRow, UpdateRow, UpsertRow};
pub use call::CallKind;
pub use client::{CallCounts, Client, ClientBuilder};
pub use error::{Error, ErrorKind, Retry};
pub use http_transport::{Clock, Idempotency, Lane, RetryPolicy, TokenError, TokenProvider, Transport};
pub use journal::{Journal, JournalOffer, JournalSubscription, NewJournalSubscription};
pub use labels::{LabelDefinition, NewLabel};
pub use limits::{Limits, LimitsStatus};
pub use object_type::{InvalidObjectType, ObjectType, RecordId};
pub use objects::{GetOptions, ListOptions, ListPager, Objects, Page};
pub use outcome::{BatchOutcome, Counts, RowOutcome, UnknownReason, Written};
pub use owners::{Owner, Owners};
pub use pipelines::{NewPipeline, NewStage, Pipeline, PipelineUpdate, Pipelines, Stage, StageUpdate};
pub use properties::{NewGroup, NewProperty, Properties, PropertyDefinition, PropertyGroup, PropertyOption};
pub use quota::{ObjectTypeUsage, Quota, RecordLimits, Usage};
pub use raw::{RawAnswer, RawRequest};
pub use record::{AssociatedId, AssociatedIds, PropertyMap, PropertyVersion, Record, Warning};
pub use refusal::{Refusal, RefusalDetail};
pub use scan::{IdScan, ModifiedScan, ScanRequest};
pub use schemas::{NewSchema, Schema, SchemaAssociation, SchemaLabels, SchemaUpdate, Schemas};
pub use search::{Filter, FilterGroup, Operator, SearchPage, SearchRequest, Sort};
pub use version::ApiVersion;
pub use webhooks::{NewWebhookSubscription, WebhookSettings, WebhookSubscription, Webhooks};
