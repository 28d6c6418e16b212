//! The wire, through the real transport: paths of each version, headers, bodies, and a catch-all that names what it got.

use std::sync::Arc;

use hubspot_client::{ApiVersion, Client, GetOptions, NewLabel, NewProperty, ObjectType, Pair};
use serde_json::json;
use wiremock::matchers::{any, body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::scripted::Token;

async fn server() -> MockServer {
    let server = MockServer::start().await;
    let name_the_route = |request: &Request| {
        ResponseTemplate::new(500).set_body_string(format!("no mock for {} {}", request.method, request.url))
    };
    Mock::given(any()).respond_with(name_the_route).with_priority(255).mount(&server).await;
    server
}

fn client(server: &MockServer, version: ApiVersion) -> Client {
    Client::builder(server.uri())
        .token_provider(Arc::new(Token))
        .api_version(version)
        .retry_policy(hubspot_client::RetryPolicy::never())
        .build()
        .unwrap()
}

#[tokio::test]
async fn every_version_has_its_paths() {
    for (version, objects, record_links, links, properties, schemas, account) in [
        (
            ApiVersion::v2026_03(),
            "/crm/objects/2026-03",
            "/crm/objects/2026-03",
            "/crm/associations/2026-03",
            "/crm/properties/2026-03",
            "/crm-object-schemas/2026-03/schemas",
            "/account-info/2026-03",
        ),
        (
            ApiVersion::v2026_09(),
            "/crm/objects/2026-09",
            "/crm/objects/2026-09",
            "/crm/associations/2026-09",
            "/crm/properties/2026-09",
            "/crm-object-schemas/2026-09/schemas",
            "/account-info/2026-09",
        ),
        (
            ApiVersion::legacy(),
            "/crm/v3/objects",
            "/crm/v4/objects",
            "/crm/v4/associations",
            "/crm/v3/properties",
            "/crm-object-schemas/v3/schemas",
            "/account-info/v3",
        ),
    ] {
        let server = server().await;
        let empty = || ResponseTemplate::new(200).set_body_json(json!({"results": []}));
        for (verb, route, answer) in [
            (
                "GET",
                format!("{objects}/contacts/5"),
                ResponseTemplate::new(200).set_body_json(json!({"id": "5"})),
            ),
            ("DELETE", format!("{objects}/contacts/5"), ResponseTemplate::new(204)),
            ("PUT", format!("{record_links}/contacts/5/associations/default/companies/6"), empty()),
            ("GET", format!("{record_links}/contacts/5/associations/companies"), empty()),
            ("POST", format!("{links}/contacts/companies/batch/archive"), ResponseTemplate::new(204)),
            ("GET", format!("{links}/contacts/companies/labels"), empty()),
            ("GET", format!("{properties}/contacts"), empty()),
            ("GET", format!("{properties}/contacts/groups"), empty()),
            ("GET", schemas.to_owned(), empty()),
            (
                "GET",
                format!("{account}/details"),
                ResponseTemplate::new(200).set_body_json(json!({"portalId": 1})),
            ),
            ("GET", format!("{account}/api-usage/daily/private-apps"), empty()),
        ] {
            Mock::given(method(verb))
                .and(path(route))
                .and(header("authorization", "Bearer pat-test-1"))
                .and(header("accept", "application/json"))
                .respond_with(answer)
                .expect(1)
                .mount(&server)
                .await;
        }
        let client = client(&server, version);
        let contacts = client.objects(&ObjectType::CONTACTS);
        contacts.get("5", &GetOptions::default()).await.unwrap();
        contacts.archive("5").await.unwrap();
        let links = client.associations(&ObjectType::CONTACTS, &ObjectType::COMPANIES);
        links.link_default("5", "6").await.unwrap();
        assert_eq!(links.list("5").next_page().await.unwrap(), Some(vec![]));
        links.batch_unlink(&[Pair { from: "5", to: "6" }]).await.unwrap();
        links.labels().await.unwrap();
        client.properties(&ObjectType::CONTACTS).list().await.unwrap();
        client.properties(&ObjectType::CONTACTS).groups().await.unwrap();
        client.schemas().list().await.unwrap();
        client.account().details().await.unwrap();
        client.account().daily_usage().await.unwrap();
    }
}

#[tokio::test]
async fn keys_and_lists_are_encoded_in_the_url() {
    let server = server().await;
    Mock::given(method("GET"))
        .and(path("/crm/objects/2026-03/contacts/ann%2Bx%40example.com"))
        .and(query_param("idProperty", "email"))
        .and(query_param("properties", "firstname,lastname"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": "5"})))
        .mount(&server)
        .await;
    let options = GetOptions {
        id_property: Some("email".into()),
        properties: vec!["firstname".into(), "lastname".into()],
        ..GetOptions::default()
    };
    let client = client(&server, ApiVersion::default());
    client.objects(&ObjectType::CONTACTS).get("ann+x@example.com", &options).await.unwrap();
}

#[tokio::test]
async fn definitions_are_written_as_documented() {
    let server = server().await;
    let property = NewProperty {
        name: "our_id".into(),
        label: "Our id".into(),
        value_type: "string".into(),
        field_type: "text".into(),
        group_name: "contactinformation".into(),
        description: String::new(),
        options: Vec::new(),
        has_unique_value: true,
        hidden: false,
    };
    Mock::given(method("POST"))
        .and(path("/crm/properties/2026-03/contacts"))
        .and(body_json(json!({"name": "our_id", "label": "Our id", "type": "string", "fieldType": "text",
                              "groupName": "contactinformation", "hasUniqueValue": true})))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({"name": "our_id", "options": null,
            "hasUniqueValue": true, "modificationMetadata": {"readOnlyValue": true, "archivable": true}})))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/crm/associations/2026-03/contacts/companies/labels"))
        .and(body_json(json!({"name": "boss", "label": "Boss of", "inverseLabel": "Has boss"})))
        .respond_with(ResponseTemplate::new(200).set_body_json(
            json!({"results": [{"category": "USER_DEFINED", "typeId": 7, "label": "Boss of"}]}),
        ))
        .mount(&server)
        .await;
    let client = client(&server, ApiVersion::default());
    let made = client.properties(&ObjectType::CONTACTS).create(&property).await.unwrap();
    assert!(made.has_unique_value && made.is_read_only() && made.options.is_empty());
    let label =
        NewLabel { name: "boss".into(), label: "Boss of".into(), inverse_label: Some("Has boss".into()) };
    let links = client.associations(&ObjectType::CONTACTS, &ObjectType::COMPANIES);
    assert_eq!(links.create_label(&label).await.unwrap()[0].type_id, 7);
}
