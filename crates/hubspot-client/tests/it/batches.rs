//! Batches: what is sent, and what becomes of each row.

use hubspot_client::{
    AssociationCategory, AssociationType, Client, CreateRow, ErrorKind, NewAssociation, ObjectType, Objects,
    Pair, PropertyValues, ReadRequest, ReadRow, RowOutcome, UnknownReason, UpdateRow, UpsertRow,
};
use serde_json::{Value, json};

use crate::scripted::{Act, client};

fn contacts(client: &Client) -> Objects {
    client.objects(&ObjectType::CONTACTS)
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("k{number}")).collect()
}

const NAME: PropertyValues<'static> = &[("firstname", "Ann"), ("lastname", "")];

/// Every input written, in reverse order.
fn all_written(body: &Value) -> Value {
    let results: Vec<Value> = body["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|input| {
            json!({"id": format!("9{}", input["objectWriteTraceId"].as_str().unwrap()), "new": true,
                            "objectWriteTraceId": input["objectWriteTraceId"]})
        })
        .collect();
    json!({"status": "COMPLETE", "results": results})
}

#[tokio::test(start_paused = true)]
async fn requests_are_as_hubspot_documents_them() {
    let (client, transport) = client(|seen, _| Act::Answer(200, all_written(&seen.body)));
    let objects = contacts(&client);
    objects.batch_upsert("our_id", &[UpsertRow { key: "k", properties: NAME }]).await.unwrap();
    objects.batch_update(&[UpdateRow { id: "5", properties: NAME }]).await.unwrap();
    let types = vec![AssociationType { category: AssociationCategory::HubspotDefined, type_id: 279 }];
    let associations = [NewAssociation { to: "8", types }];
    objects.batch_create(&[CreateRow { properties: NAME, associations: &associations }]).await.unwrap();
    let properties = json!({"firstname": "Ann", "lastname": ""});
    let expected = [
        (
            "upsert",
            json!({"id": "k", "idProperty": "our_id", "properties": properties, "objectWriteTraceId": "0"}),
        ),
        ("update", json!({"id": "5", "properties": properties, "objectWriteTraceId": "0"})),
        (
            "create",
            json!({"properties": properties, "objectWriteTraceId": "0", "associations": [{"to": {"id": "8"},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}]}),
        ),
    ];
    for (seen, (operation, input)) in transport.seen().iter().zip(expected) {
        assert_eq!(seen.path, format!("/crm/objects/2026-03/contacts/batch/{operation}"));
        assert_eq!(seen.body, json!({ "inputs": [input] }));
    }
}

#[tokio::test(start_paused = true)]
async fn shuffled_results_come_back_in_the_order_of_inputs() {
    let (client, _) = client(|seen, _| Act::Answer(200, all_written(&seen.body)));
    let keys = keys(100);
    let rows: Vec<UpsertRow<'_>> = keys.iter().map(|key| UpsertRow { key, properties: NAME }).collect();
    let outcome = contacts(&client).batch_upsert("our_id", &rows).await.unwrap();
    for (index, row) in outcome.rows.iter().enumerate() {
        let RowOutcome::Written(written) = row else { panic!("{row:?}") };
        assert_eq!((written.id.as_str(), written.new), (&*format!("9{index}"), Some(true)));
    }
    let too_many = [rows[0]; 101];
    let error = contacts(&client).batch_upsert("our_id", &too_many).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_every_row_unknown_and_new_is_not_believed_after_a_repeat() {
    let rows = [UpsertRow { key: "a", properties: NAME }, UpsertRow { key: "b", properties: NAME }];
    let (lost, transport) = client(|_, _| Act::Lost);
    let outcome = contacts(&lost).batch_upsert("our_id", &rows).await.unwrap();
    assert!(outcome.rows.iter().all(|row| *row == RowOutcome::Unknown(UnknownReason::NoAnswer)));
    assert_eq!(outcome.cause.unwrap().kind(), ErrorKind::NoAnswer);
    assert_eq!(transport.seen().len(), 5, "an upsert is safe to repeat");

    let (lost_once, _) = client(|seen, number| match number {
        1 => Act::Lost,
        _ => Act::Answer(200, all_written(&seen.body)),
    });
    let outcome = contacts(&lost_once).batch_upsert("our_id", &rows).await.unwrap();
    assert!(
        outcome.rows.iter().all(|row| matches!(row, RowOutcome::Written(written) if written.new.is_none()))
    );

    let (create, transport) = client(|_, _| Act::Lost);
    let rows = [CreateRow { properties: NAME, associations: &[] }];
    let outcome = contacts(&create).batch_create_isolating(&rows).await.unwrap();
    assert_eq!(outcome.rows, [RowOutcome::Unknown(UnknownReason::NoAnswer)]);
    assert_eq!(transport.seen().len(), 1, "a create is not");
}

#[tokio::test(start_paused = true)]
async fn one_odd_row_does_not_spoil_the_others_and_garbage_is_unknown() {
    let rows = [UpsertRow { key: "a", properties: NAME }, UpsertRow { key: "b", properties: NAME }];
    let (odd, _) = client(|_, _| {
        Act::Answer(
            200,
            json!({"results": [{"id": {"odd": 1}, "objectWriteTraceId": "0"}, {"id": "2", "objectWriteTraceId": "1"}]}),
        )
    });
    let outcome = contacts(&odd).batch_upsert("our_id", &rows).await.unwrap();
    assert_eq!(outcome.rows[0], RowOutcome::Unknown(UnknownReason::MissingFromAnswer));
    assert!(matches!(outcome.rows[1], RowOutcome::Written(_)));
    let (garbage, _) = client(|_, _| Act::Text(200, "{\"results\":[{"));
    let outcome = contacts(&garbage).batch_upsert("our_id", &rows).await.unwrap();
    assert!(outcome.rows.iter().all(|row| *row == RowOutcome::Unknown(UnknownReason::Unreadable)));
}

/// A portal that refuses a whole batch when any of its keys is poison, without saying which.
fn poisoned(poison: &'static [&'static str]) -> impl FnMut(&crate::scripted::Seen, usize) -> Act + Send {
    move |seen, _| {
        let inputs = seen.body["inputs"].as_array().unwrap();
        if inputs.iter().any(|input| poison.contains(&input["id"].as_str().unwrap())) {
            return Act::Answer(
                400,
                json!({"category": "VALIDATION_ERROR", "message": "x",
                "errors": [{"message": "bad", "code": "INVALID_EMAIL", "context": {"propertyName": ["email"]}}]}),
            );
        }
        Act::Answer(200, all_written(&seen.body))
    }
}

#[tokio::test(start_paused = true)]
async fn poison_rows_are_isolated_and_the_others_written() {
    let keys = keys(250);
    let rows: Vec<UpsertRow<'_>> = keys.iter().map(|key| UpsertRow { key, properties: NAME }).collect();
    for (poison, calls_max) in [(&[][..], 3), (&["k42"], 3 + 2 * 7), (&["k0", "k1", "k249"], 50)] {
        let (client, transport) = client(poisoned(poison));
        let outcome = contacts(&client).batch_upsert_isolating("our_id", &rows).await.unwrap();
        for (key, row) in keys.iter().zip(&outcome.rows) {
            let expected_rejected = poison.contains(&key.as_str());
            assert_eq!(matches!(row, RowOutcome::Rejected(_)), expected_rejected, "{key} {row:?}");
            assert_eq!(matches!(row, RowOutcome::Written(_)), !expected_rejected, "{key} {row:?}");
        }
        assert!(transport.seen().len() <= calls_max, "{poison:?} took {} calls", transport.seen().len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_names_its_row_or_property_needs_no_search() {
    let rows = [
        UpsertRow { key: "a", properties: &[("good", "1")] },
        UpsertRow { key: "b", properties: &[("nope", "1")] },
        UpsertRow { key: "c", properties: &[("good", "1")] },
    ];
    for refusal in [
        json!({"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": ["1"]}}),
        json!({"category": "VALIDATION_ERROR", "errors": [{"code": "PROPERTY_DOESNT_EXIST",
            "context": {"propertyName": ["nope"]}, "message": "Property \"nope\" does not exist"}]}),
    ] {
        let (client, transport) = client(move |seen, number| match number {
            1 => Act::Answer(400, refusal.clone()),
            _ => Act::Answer(200, all_written(&seen.body)),
        });
        let outcome = contacts(&client).batch_upsert_isolating("our_id", &rows).await.unwrap();
        assert!(matches!(outcome.rows[1], RowOutcome::Rejected(_)));
        assert_eq!((outcome.counts().written, transport.seen().len()), (2, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_parted_after_a_refusal_that_is_not_about_data() {
    let keys = keys(150);
    let rows: Vec<UpsertRow<'_>> = keys.iter().map(|key| UpsertRow { key, properties: NAME }).collect();
    let (forbidden, transport) = client(|_, _| Act::Answer(403, json!({"category": "MISSING_SCOPES"})));
    let error = contacts(&forbidden).batch_upsert_isolating("our_id", &rows).await.unwrap_err();
    assert_eq!((error.kind(), transport.seen().len()), (ErrorKind::MissingScope, 1));

    let (later, transport) = client(|seen, number| match number {
        1 => Act::Answer(200, all_written(&seen.body)),
        _ => Act::Answer(403, json!({"category": "MISSING_SCOPES"})),
    });
    let outcome = contacts(&later).batch_upsert_isolating("our_id", &rows).await.unwrap();
    assert_eq!((outcome.counts().written, outcome.counts().unknown), (100, 50));
    assert_eq!(outcome.rows[149], RowOutcome::Unknown(UnknownReason::NotAttempted));
    assert_eq!(outcome.cause.unwrap().kind(), ErrorKind::MissingScope);
    assert_eq!(transport.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn reads_say_found_missing_or_unclear() {
    let request =
        ReadRequest { id_property: Some("our_id"), properties: &["email"], ..ReadRequest::default() };
    for (results, expected) in [
        (json!([{"id": "1", "properties": {"our_id": "A"}}]), ["found", "missing", "found"]),
        (
            json!([{"id": "1", "properties": {"our_id": "A"}}, {"id": "2", "properties": {"our_id": "z"}}]),
            ["found", "unclear", "found"],
        ),
    ] {
        let (client, transport) = client(move |_, _| Act::Answer(200, json!({"results": results})));
        let rows = contacts(&client).batch_read(&["a", "b", "a"], &request).await.unwrap();
        let words = rows.iter().map(|row| match row {
            ReadRow::Found(_) => "found",
            ReadRow::Missing => "missing",
            ReadRow::Unclear => "unclear",
        });
        assert_eq!(words.collect::<Vec<_>>(), expected);
        let body = &transport.seen()[0].body;
        assert_eq!(body["properties"], json!(["email", "our_id"]), "the key is needed to match answers");
        assert_eq!(body["inputs"], json!([{"id": "a"}, {"id": "b"}]));
    }
}

#[tokio::test(start_paused = true)]
async fn links_are_written_read_with_paging_and_removed() {
    let (client, transport) = client(|seen, _| {
        if seen.path.ends_with("/read") {
            let results: Vec<Value> = seen.body["inputs"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|input| input["id"] != "3")
                .map(|input| match input["after"].as_str() {
                    None if input["id"] == "1" => json!({"from": {"id": "1"}, "paging": {"next": {"after": "x"}},
                        "to": [{"toObjectId": 7, "associationTypes": [{"category": "USER_DEFINED", "typeId": 3, "label": "Boss"}]}]}),
                    _ => json!({"from": {"id": input["id"]}, "to": [{"toObjectId": "8"}]}),
                })
                .collect();
            return Act::Answer(
                207,
                json!({"results": results, "errors": [
                {"subCategory": "crm.associations.FROM_OBJECT_NOT_FOUND", "context": {"id": ["4"]}}]}),
            );
        }
        Act::Answer(200, json!({"results": [{"from": {"id": "1"}, "to": {"id": "7"}}]}))
    });
    let links = client.associations(&ObjectType::CONTACTS, &ObjectType::COMPANIES);
    let read = links.batch_read(&["1", "2", "3", "4"]).await.unwrap();
    let found =
        |id: &str| -> Vec<&str> { read.by_record[&id.into()].iter().map(|link| link.to.as_str()).collect() };
    assert_eq!((found("1"), found("2"), found("3")), (vec!["7", "8"], vec!["8"], vec![]));
    assert_eq!(read.missing, ["4".into()]);

    let outcome =
        links.batch_link_default(&[Pair { from: "1", to: "7" }, Pair { from: "2", to: "7" }]).await.unwrap();
    assert_eq!((outcome.counts().written, outcome.counts().unknown), (1, 1));
    links.batch_unlink(&[Pair { from: "1", to: "7" }]).await.unwrap();
    let last = transport.seen().pop().unwrap();
    assert_eq!(last.path, "/crm/associations/2026-03/contacts/companies/batch/archive");
    assert_eq!(last.body, json!({"inputs": [{"from": {"id": "1"}, "to": [{"id": "7"}]}]}));
}
