//! What a mapping needs to know of a portal beside its properties: ids of pipelines, stages and owners.

use hubspot_client::{Client, ObjectType};
use mapping_engine::{Needs, Owner, Pipeline, Portal, Stage};

use crate::Failure;

/// What the portal said.
#[derive(Debug)]
pub(crate) struct PortalFacts {
    id: Option<u64>,
    pipelines: Option<Vec<Pipeline>>,
    owners: Option<Vec<Owner>>,
}

impl PortalFacts {
    /// Asks the portal what the mapping needs to know, and nothing else.
    pub(crate) async fn read(client: &Client, portal: &str, needs: &Needs) -> Result<PortalFacts, Failure> {
        let mut pipelines = None;
        if !needs.pipelines.is_empty() {
            let mut all = Vec::new();
            for object in &needs.pipelines {
                let found = pipelines_of(client, object).await?;
                all.extend(
                    found.into_iter().filter(|known| !known.archived).map(|known| pipeline(object, known)),
                );
            }
            pipelines = Some(all);
        }
        let mut owners = None;
        if needs.owners {
            let mut all = client.owners().list(false).await?;
            // Somebody who has left is told as such, not as unknown.
            all.extend(client.owners().list(true).await?);
            owners = Some(all.into_iter().filter_map(owner).collect());
        }
        Ok(PortalFacts { id: portal.parse().ok(), pipelines, owners })
    }

    /// As the checker takes it.
    pub(crate) fn portal(&self) -> Portal<'_> {
        Portal { id: self.id, pipelines: self.pipelines.as_deref(), owners: self.owners.as_deref() }
    }
}

/// The pipelines of an object type by the name that the mapping uses. Observed live: a custom object is found by its
/// type id only, not by its bare name.
async fn pipelines_of(client: &Client, object: &str) -> Result<Vec<hubspot_client::Pipeline>, Failure> {
    let named = ObjectType::new(object).map_err(|error| {
        Failure::new(format!("the pipelines of `{object}` cannot be read")).caused_by(&error)
    })?;
    let refused = match client.pipelines(&named).list().await {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let customs = client.schemas().list().await?;
    let custom = customs.iter().find(|schema| schema.name == object).and_then(|schema| schema.object_type());
    match custom {
        Some(custom) => Ok(client.pipelines(&custom).list().await?),
        None => Err(refused.into()),
    }
}

fn pipeline(object: &str, known: hubspot_client::Pipeline) -> Pipeline {
    let stages = known.stages.into_iter().filter(|stage| !stage.archived);
    Pipeline {
        object: object.to_owned(),
        id: known.id,
        label: known.label,
        stages: stages.map(|stage| Stage { id: stage.id, label: stage.label }).collect(),
    }
}

fn owner(known: hubspot_client::Owner) -> Option<Owner> {
    Some(Owner { id: known.id.into(), email: known.email?.into(), archived: known.archived })
}
