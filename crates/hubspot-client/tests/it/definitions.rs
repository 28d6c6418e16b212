//! Calls that change definitions: method, path and body of each, and what is made of the answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use hubspot_client::{
    ApiVersion, AssociationCategory, AssociationType, Client, NewAssociationLimit, NewPipeline, NewStage,
    ObjectType, PipelineUpdate, RowOutcome, SchemaLabels, SchemaUpdate, StageUpdate, UnknownReason,
};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::scripted::{Act, Token, client};

const UNUSED_ONLY: &str = "?validateReferencesBeforeDelete=true&validateDealStageUsagesBeforeDelete=true";

fn boss(type_id: u32) -> AssociationType {
    AssociationType { category: AssociationCategory::UserDefined, type_id }
}

fn limit(type_id: u32, max_to_records: u32) -> NewAssociationLimit {
    NewAssociationLimit { association_type: boss(type_id), max_to_records }
}

/// Answers that fit every call: what only one endpoint knows is ignored by the others.
fn answer(request: &Request) -> ResponseTemplate {
    if request.method == "DELETE" || request.url.path().ends_with("/purge") {
        return ResponseTemplate::new(204);
    }
    ResponseTemplate::new(200).set_body_json(json!({
        "id": "9", "name": "made", "label": "Made", "objectTypeId": "2-7",
        "results": [{"category": "USER_DEFINED", "typeId": 7, "label": null, "userEnforcedMaxToObjectIds": 3}],
    }))
}

fn stage(id: Option<&str>) -> NewStage {
    NewStage {
        stage_id: id.map(str::to_owned),
        label: "Won".into(),
        display_order: 0,
        metadata: BTreeMap::from([("probability".into(), "1.0".into())]),
    }
}

async fn call_everything(client: &Client) {
    let custom = ObjectType::new("2-7").unwrap();
    let update = SchemaUpdate {
        labels: SchemaLabels { singular: "Car".into(), plural: "Cars".into() },
        primary_display_property: Some("plate".into()),
        required_properties: vec!["plate".into()],
        ..SchemaUpdate::default()
    };
    let schemas = client.schemas();
    schemas.update(&custom, &update).await.unwrap();
    let described = SchemaUpdate { description: "Ours".into(), ..update };
    schemas.update(&custom, &described).await.unwrap();
    let made = schemas.create_association(&custom, &ObjectType::CONTACTS, Some("driver")).await.unwrap();
    schemas.delete_association(&custom, &made.id).await.unwrap();

    let pipelines = client.pipelines(&ObjectType::DEALS);
    let renamed = PipelineUpdate { label: Some("Sales".into()), display_order: None };
    assert_eq!(pipelines.update("a/b", &renamed).await.unwrap().label, "Made");
    let whole = NewPipeline {
        pipeline_id: Some("not sent".into()),
        label: "Sales".into(),
        display_order: 1,
        stages: vec![stage(Some("won"))],
    };
    assert_eq!(pipelines.replace("p", &whole).await.unwrap().id, "9");
    pipelines.delete("p").await.unwrap();
    let moved = StageUpdate { label: None, display_order: Some(2), metadata: stage(None).metadata };
    assert_eq!(pipelines.update_stage("p", "won", &moved).await.unwrap().id, "9");
    pipelines.delete_stage("p", "won").await.unwrap();

    let links = client.associations(&ObjectType::CONTACTS, &ObjectType::COMPANIES);
    for limits in [client.association_limits().await.unwrap(), links.limits().await.unwrap()] {
        assert_eq!((limits[0].association_type(), limits[0].max_to_records), (boss(7), Some(3)));
    }
    for outcome in [links.create_limits(&[limit(7, 3)]).await, links.update_limits(&[limit(7, 3)]).await] {
        assert_eq!(outcome.unwrap().rows, [RowOutcome::Written(())]);
    }
    links.purge_limits(&[boss(7)]).await.unwrap();

    let properties = client.properties(&ObjectType::CONTACTS);
    assert_eq!(properties.relabel_group("ours", "Ours").await.unwrap().name, "made");
}

fn expected(schemas: &str, pipelines: &str, links: &str, properties: &str) -> Vec<(String, Value)> {
    let car = |description: &str| {
        json!({"labels": {"singular": "Car", "plural": "Cars"}, "description": description,
               "clearDescription": description.is_empty(), "primaryDisplayProperty": "plate",
               "requiredProperties": ["plate"], "searchableProperties": [], "secondaryDisplayProperties": [],
               "allowsSensitiveProperties": false})
    };
    let driver = json!({"fromObjectTypeId": "2-7", "toObjectTypeId": "contacts", "name": "driver"});
    let metadata = json!({"probability": "1.0"});
    let won = json!({"stageId": "won", "label": "Won", "displayOrder": 0, "metadata": metadata});
    let whole = json!({"label": "Sales", "displayOrder": 1, "stages": [won]});
    let limits = json!({"inputs": [{"category": "USER_DEFINED", "typeId": 7, "maxToObjectIds": 3}]});
    let purge = json!({"inputs": [{"category": "USER_DEFINED", "typeId": 7}]});
    let definitions = format!("{links}/definitions/configurations");
    let pair = format!("{definitions}/contacts/companies");
    vec![
        (format!("PATCH {schemas}/2-7"), car("")),
        (format!("PATCH {schemas}/2-7"), car("Ours")),
        (format!("POST {schemas}/2-7/associations"), driver),
        (format!("DELETE {schemas}/2-7/associations/9"), Value::Null),
        (format!("PATCH {pipelines}/deals/a%2Fb"), json!({"label": "Sales"})),
        (format!("PUT {pipelines}/deals/p{UNUSED_ONLY}"), whole),
        (format!("DELETE {pipelines}/deals/p{UNUSED_ONLY}"), Value::Null),
        (format!("PATCH {pipelines}/deals/p/stages/won"), json!({"displayOrder": 2, "metadata": metadata})),
        (format!("DELETE {pipelines}/deals/p/stages/won{UNUSED_ONLY}"), Value::Null),
        (format!("GET {definitions}/all"), Value::Null),
        (format!("GET {pair}"), Value::Null),
        (format!("POST {pair}/batch/create"), limits.clone()),
        (format!("POST {pair}/batch/update"), limits),
        (format!("POST {pair}/batch/purge"), purge),
        (format!("PATCH {properties}/contacts/groups/ours"), json!({"label": "Ours"})),
    ]
}

#[tokio::test]
async fn every_call_is_sent_as_documented_in_every_version() {
    for (version, expected) in [
        (
            ApiVersion::v2026_03(),
            expected(
                "/crm-object-schemas/2026-03/schemas",
                "/crm/pipelines/2026-03",
                "/crm/associations/2026-03",
                "/crm/properties/2026-03",
            ),
        ),
        (
            ApiVersion::legacy(),
            expected(
                "/crm-object-schemas/v3/schemas",
                "/crm/v3/pipelines",
                "/crm/v4/associations",
                "/crm/v3/properties",
            ),
        ),
    ] {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let client = Client::builder(server.uri())
            .token_provider(Arc::new(Token))
            .api_version(version)
            .retry_policy(hubspot_client::RetryPolicy::never())
            .build()
            .unwrap();
        call_everything(&client).await;
        let sent: Vec<(String, Value)> = server
            .received_requests()
            .await
            .unwrap()
            .iter()
            .map(|request| {
                let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
                let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
                (format!("{} {}{query}", request.method, request.url.path()), body)
            })
            .collect();
        assert_eq!(sent, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn every_limit_of_a_batch_is_accounted_for() {
    let (client, transport) = client(|seen, _| match seen.path.rsplit('/').next() {
        Some("create") => Act::Lost,
        _ => Act::Answer(
            207,
            json!({"results": [{"category": "USER_DEFINED", "typeId": 7},
                               {"category": "HUBSPOT_DEFINED", "typeId": 9}],
                   "errors": [{"message": "too many", "context": {"typeId": ["8"]}}]}),
        ),
    });
    let links = client.associations(&ObjectType::CONTACTS, &ObjectType::COMPANIES);
    let limits = [limit(8, 99_999), limit(9, 1), limit(7, 3)];
    let rows = links.update_limits(&limits).await.unwrap().rows;
    assert!(matches!(&rows[0], RowOutcome::Rejected(refusal) if refusal.message.contains("too many")));
    assert_eq!(rows[1], RowOutcome::Unknown(UnknownReason::MissingFromAnswer), "the category counts, too");
    assert_eq!(rows[2], RowOutcome::Written(()));
    let lost = links.create_limits(&limits).await.unwrap();
    assert_eq!((lost.counts().unknown, transport.seen().len()), (3, 2), "never repeated blindly");
    assert!(links.create_limits(&vec![limit(7, 3); 101]).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_is_replaced_again_only_if_its_stages_have_ids() {
    for (id, tries) in [(Some("won"), 2), (None, 1)] {
        let (client, transport) = client(|_, number| match number {
            1 => Act::Lost,
            _ => Act::Answer(200, json!({"id": "p"})),
        });
        let whole = NewPipeline {
            pipeline_id: None,
            label: "Sales".into(),
            display_order: 0,
            stages: vec![stage(id)],
        };
        let replaced = client.pipelines(&ObjectType::DEALS).replace("p", &whole).await;
        assert_eq!((replaced.is_ok(), transport.seen().len()), (id.is_some(), tries));
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_made_of_a_schema_says_all_that_was_read() {
    let fields = json!({"labels": {"singular": "Car", "plural": "Cars"}, "description": "Ours",
        "primaryDisplayProperty": "plate", "requiredProperties": ["plate"], "searchableProperties": ["make"],
        "secondaryDisplayProperties": ["year"], "allowsSensitiveProperties": true});
    let mut read = fields.clone();
    read["objectTypeId"] = json!("2-7");
    let (client, _) = client(move |_, _| Act::Answer(200, read.clone()));
    let schema = client.schemas().find(&ObjectType::new("2-7").unwrap()).await.unwrap().unwrap();
    assert_eq!(serde_json::to_value(schema.to_update()).unwrap(), fields);
}
