//! Pipelines and their stages.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use http_transport::Idempotency;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::object_type::ObjectType;
use crate::wire::{Collection, encode, null_as_default, to_body};

/// Asks HubSpot to refuse a deletion that would leave records without their stage: versions before 2026-09 need it.
const UNUSED_ONLY: &str = "?validateReferencesBeforeDelete=true&validateDealStageUsagesBeforeDelete=true";

/// Pipelines of one type.
#[derive(Clone, Debug)]
pub struct Pipelines {
    client: Client,
    object_type: ObjectType,
}

/// A pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Pipeline {
    /// Its id, which records hold.
    pub id: String,
    /// Label for people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub label: String,
    /// Place among the pipelines.
    #[serde(default, deserialize_with = "null_as_default")]
    pub display_order: i32,
    /// Its stages, in no particular order.
    #[serde(default, deserialize_with = "null_as_default")]
    pub stages: Vec<Stage>,
    /// Whether it is archived.
    #[serde(default, deserialize_with = "null_as_default")]
    pub archived: bool,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Stage {
    /// Its id, which records hold.
    pub id: String,
    /// Label for people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub label: String,
    /// Place within the pipeline.
    #[serde(default, deserialize_with = "null_as_default")]
    pub display_order: i32,
    /// Such as `probability` and `isClosed` for deals, `ticketState` for tickets.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: BTreeMap<String, String>,
    /// Whether it is archived.
    #[serde(default, deserialize_with = "null_as_default")]
    pub archived: bool,
}

/// A pipeline to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewPipeline {
    /// An id of our choice, at most 36 characters; HubSpot chooses when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_id: Option<String>,
    /// Label, unique within the type.
    pub label: String,
    /// Place among the pipelines.
    pub display_order: i32,
    /// At least one.
    pub stages: Vec<NewStage>,
}

/// A stage to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewStage {
    /// An id of our choice, at most 100 characters; HubSpot chooses when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_id: Option<String>,
    /// Label, unique within the pipeline.
    pub label: String,
    /// Place within the pipeline.
    pub display_order: i32,
    /// Deals need `probability` between 0 and 1.
    pub metadata: BTreeMap<String, String>,
}

/// What to change of a pipeline; `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PipelineUpdate {
    /// Label, unique within the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Place among the pipelines, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_order: Option<i32>,
}

/// What to change of a stage; `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageUpdate {
    /// Label, unique within the pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Place within the pipeline, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_order: Option<i32>,
    /// HubSpot asks for it with every change: give the whole, as [`Stage::metadata`] has it.
    pub metadata: BTreeMap<String, String>,
}

impl Pipelines {
    pub(crate) fn new(client: Client, object_type: ObjectType) -> Self {
        Self { client, object_type }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/{}{rest}", self.client.version().pipelines, self.object_type)
    }

    /// All pipelines with their stages.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn list(&self) -> Result<Vec<Pipeline>, Error> {
        let all: Collection<Pipeline> = self.client.fetch(Call::get(self.path(""))).await?;
        Ok(all.results)
    }

    /// Creates a pipeline. The answer echoes the request; only a read shows what is stored.
    ///
    /// # Errors
    /// When refused. After an unknown outcome, look with [`list`](Self::list).
    pub async fn create(&self, pipeline: &NewPipeline) -> Result<Pipeline, Error> {
        self.client.fetch(Call::post(self.path(""), to_body(pipeline, 1_024)?)).await
    }

    /// Adds a stage.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn create_stage(&self, pipeline: &str, stage: &NewStage) -> Result<Stage, Error> {
        let path = self.path(&format!("/{}/stages", encode(pipeline)));
        self.client.fetch(Call::post(path, to_body(stage, 256)?)).await
    }

    /// Changes a pipeline, not its stages. The answer echoes the request; only a read shows what is stored.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn update(&self, pipeline: &str, change: &PipelineUpdate) -> Result<Pipeline, Error> {
        let path = self.path(&format!("/{}", encode(pipeline)));
        self.client.fetch(Call::new(Method::PATCH, path, to_body(change, 128)?)).await
    }

    /// Replaces a pipeline as a whole: stages left out are deleted for good. A stage is kept by naming its id. The
    /// pipeline keeps its own id, whatever `with` says.
    ///
    /// # Errors
    /// When records are in a stage left out, when refused otherwise, or when the outcome is unknown. Repeating is
    /// harmless if every stage has an id.
    pub async fn replace(&self, pipeline: &str, with: &NewPipeline) -> Result<Pipeline, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            label: &'a str,
            display_order: i32,
            stages: &'a [NewStage],
        }
        let body = Body { label: &with.label, display_order: with.display_order, stages: &with.stages };
        let path = self.path(&format!("/{}{UNUSED_ONLY}", encode(pipeline)));
        // A stage without an id would get a second one if a lost answer led to a repeat.
        let idempotency = if with.stages.iter().all(|stage| stage.stage_id.is_some()) {
            Idempotency::Idempotent
        } else {
            Idempotency::Once
        };
        let call = Call::new(Method::PUT, path, to_body(&body, 1_024)?).idempotency(idempotency);
        self.client.fetch(call).await
    }

    /// Deletes a pipeline without records.
    ///
    /// # Errors
    /// When records are in it, or when the outcome is unknown; repeating is harmless.
    pub async fn delete(&self, pipeline: &str) -> Result<(), Error> {
        let path = self.path(&format!("/{}{UNUSED_ONLY}", encode(pipeline)));
        self.client.perform(Call::new(Method::DELETE, path, Bytes::new())).await
    }

    /// Changes a stage. The answer echoes the request; only a read shows what is stored.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn update_stage(
        &self,
        pipeline: &str,
        stage: &str,
        change: &StageUpdate,
    ) -> Result<Stage, Error> {
        let path = self.stage_path(pipeline, stage);
        self.client.fetch(Call::new(Method::PATCH, path, to_body(change, 256)?)).await
    }

    /// Deletes a stage. HubSpot reports success for one that does not exist, too.
    ///
    /// HubSpot promises to refuse a stage with records from version 2026-09 on; with earlier ones, move the records first.
    ///
    /// # Errors
    /// When records are in it, or when the outcome is unknown; repeating is harmless.
    pub async fn delete_stage(&self, pipeline: &str, stage: &str) -> Result<(), Error> {
        let path = format!("{}{UNUSED_ONLY}", self.stage_path(pipeline, stage));
        self.client.perform(Call::new(Method::DELETE, path, Bytes::new())).await
    }

    fn stage_path(&self, pipeline: &str, stage: &str) -> String {
        self.path(&format!("/{}/stages/{}", encode(pipeline), encode(stage)))
    }
}
