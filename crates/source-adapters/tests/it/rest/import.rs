//! First descriptions: what is understood of each kind of file, and that nothing secret or personal is copied.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use source_adapters::rest::{Description, ImportKind, Imported, import};

fn imported(text: &str) -> Imported {
    import("shop", text, &[]).unwrap()
}

/// The lines of one table of a description, comments cut off.
fn table(text: &str, name: &str) -> Vec<String> {
    let start = format!("[{name}]");
    let lines = text.lines().skip_while(|line| *line != start).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty());
    lines.map(|line| line.split("  #").next().unwrap().to_owned()).collect()
}

fn openapi() -> Json {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Acme Shop API" },
        "servers": [
            { "url": "https://{tenant}.acme.example/v2", "variables": { "tenant": { "default": "demo" } }, "description": "Production" },
            { "url": "https://sandbox.acme.example/v2", "description": "Sandbox" },
        ],
        "security": [{ "oauth": [] }],
        "paths": {
            "/customers": {
                "parameters": [{ "$ref": "#/components/parameters/Limit" }],
                "get": {
                    "parameters": [
                        { "in": "query", "name": "cursor", "schema": { "type": "string" } },
                        { "in": "query", "name": "updated_since", "schema": { "type": "string" } },
                        { "in": "query", "name": "view", "required": true, "schema": { "type": "string", "default": "full" } },
                        { "in": "query", "name": "shop", "required": true, "schema": { "type": "string" } },
                    ],
                    "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Page" } } } } },
                },
                "post": {
                    "parameters": [{ "in": "header", "name": "Idempotency-Key" }],
                    "requestBody": { "content": { "application/json": { "schema": { "type": "object", "properties": { "customer": { "$ref": "#/components/schemas/Customer" } } } } } },
                    "responses": { "201": { "content": { "application/json": { "schema": { "type": "object", "properties": { "data": { "$ref": "#/components/schemas/Customer" } } } } } } },
                },
            },
            "/customers/{customerId}": {
                "get": { "responses": { "200": { "content": { "application/json": { "schema": { "type": "object", "properties": { "data": { "$ref": "#/components/schemas/Customer" } } } } } } } },
                "put": { "responses": {} },
                "delete": { "responses": {} },
            },
            "/customers/{customerId}/orders": {
                "get": { "responses": { "200": { "content": { "application/json": { "schema": { "type": "array", "items": { "type": "object", "properties": { "order_id": { "type": "integer" } } } } } } } } },
            },
            "/health": { "get": { "responses": { "200": { "content": { "application/json": { "schema": { "type": "object", "properties": { "ok": { "type": "boolean" } } } } } } } } },
        },
        "components": {
            "parameters": { "Limit": { "in": "query", "name": "limit", "schema": { "type": "integer", "maximum": 250 } } },
            "securitySchemes": { "oauth": { "type": "oauth2", "flows": { "clientCredentials": { "tokenUrl": "https://auth.acme.example/token", "scopes": { "read": "" } } } } },
            "schemas": {
                "Page": { "type": "object", "properties": {
                    "items": { "type": "array", "items": { "$ref": "#/components/schemas/Customer" } },
                    "meta": { "type": "object", "properties": { "next_cursor": { "type": ["string", "null"] }, "total": { "type": "integer" } } },
                } },
                "Base": { "type": "object", "properties": { "id": { "type": "string", "readOnly": true } } },
                "Customer": { "allOf": [{ "$ref": "#/components/schemas/Base" }, { "type": "object", "properties": {
                    "email": { "type": "string", "example": "ann@example.com" },
                    "updatedAt": { "type": "string", "format": "date-time" },
                    "born": { "type": ["string", "null"], "format": "date" },
                    "status": { "type": "string", "enum": ["new", "known"] },
                    "tags": { "type": "array", "items": { "type": "string" } },
                    "vip": { "type": "boolean" },
                    "parent": { "$ref": "#/components/schemas/Customer" },
                } }] },
            },
        },
    })
}

#[test]
fn an_openapi_file_becomes_a_description() {
    let made = imported(&openapi().to_string());
    assert_eq!(
        (made.kind, made.collections.as_slice()),
        (ImportKind::OpenApi, ["customers".to_owned(), "orders".to_owned()].as_slice())
    );
    let text = &made.text;
    assert_eq!(table(text, "api"), ["name = \"acme-shop-api\""]);
    assert_eq!(
        table(text, "environments"),
        [
            "production = \"https://{tenant}.acme.example/v2\"",
            "sandbox = \"https://sandbox.acme.example/v2\""
        ]
    );
    assert_eq!(table(text, "variables"), ["tenant = \"demo\"", "customerId = \"\""]);
    assert_eq!(
        table(text, "auth"),
        [
            "kind = \"client-credentials\"",
            "token_url = \"https://auth.acme.example/token\"",
            "client_id = { secret = \"ACME_SHOP_API_CLIENT_ID\" }",
            "client_secret = { secret = \"ACME_SHOP_API_CLIENT_SECRET\" }",
            "scope = \"read\"",
        ]
    );
    assert_eq!(
        table(text, "collections.customers")[1..],
        ["key = \"/id\"", "modified = \"/updatedAt\""],
        "{text}"
    );
    assert_eq!(
        table(text, "collections.customers.fields"),
        [
            "id = { kind = \"text\", read_only = true }",
            "born = \"date\"",
            "email = \"text\"",
            "parent = \"json\"",
            "status = { kind = \"option\", options = [\"new\", \"known\"] }",
            "tags = \"json\"",
            "updatedAt = \"date-time\"",
            "vip = \"bool\"",
        ]
    );
    assert_eq!(
        table(text, "collections.customers.list"),
        [
            "path = \"/customers\"",
            "query = { view = \"full\" }",
            "records = \"/items\"",
            "paging = { kind = \"cursor\", parameter = \"cursor\", next = \"/meta/next_cursor\", size = { parameter = \
             \"limit\", value = 250 }, total = \"/meta/total\" }",
        ]
    );
    assert!(
        table(text, "collections.customers.since")
            .contains(&"query = { updated_since = \"{from}\" }".to_owned())
    );
    assert_eq!(
        table(text, "collections.customers.get"),
        ["path = \"/customers/{id}\"", "record = \"/data\""]
    );
    assert_eq!(
        table(text, "collections.customers.update"),
        ["path = \"/customers/{id}\"", "method = \"PUT\"", "send = \"whole\""]
    );
    assert_eq!(
        table(text, "collections.customers.create"),
        [
            "path = \"/customers\"",
            "idempotency_header = \"idempotency-key\"",
            "record = \"/data\"",
            "wrap = \"/customer\""
        ]
    );
    assert_eq!(table(text, "collections.orders"), ["key = \"/order_id\""]);
    assert_eq!(table(text, "collections.orders.list")[0], "path = \"/customers/{customerId}/orders\"");
    assert!(made.to_decide.iter().any(|line| line.contains("wants `shop`")), "{:?}", made.to_decide);
    assert!(text.contains("# looks like xxx@xxxxxxx.xxx") && !text.contains("ann@example"), "{text}");

    let some = import("shop", &openapi().to_string(), &["orders".into()]).unwrap();
    assert_eq!(some.collections, ["orders"]);
    assert!(
        import("shop", &openapi().to_string(), &["order".into()])
            .unwrap_err()
            .to_string()
            .contains("`orders`")
    );
}

#[test]
fn each_way_of_paging_is_recognised() {
    let paging = |query: &[&str], answer: Json| {
        let query: Vec<Json> =
            query.iter().map(|name| json!({ "in": "query", "name": name, "type": "string" })).collect();
        let document = json!({
            "swagger": "2.0", "host": "api.acme.example", "basePath": "/v1",
            "paths": { "/things": { "get": { "parameters": query, "responses": { "200": {
                "schema": answer,
            } } } } },
        });
        let text = imported(&document.to_string()).text;
        let list = table(&text, "collections.things.list");
        list.into_iter().find(|line| line.starts_with("paging")).unwrap()
    };
    let list = json!({ "type": "array", "items": { "type": "object", "properties": { "id": { "type": "integer" } } } });
    let with = |more: Json| {
        let mut properties = json!({ "data": list });
        for (name, value) in more.as_object().unwrap() {
            properties[name] = value.clone();
        }
        json!({ "type": "object", "properties": properties })
    };
    let number = json!({ "type": "integer" });
    let text = json!({ "type": "string" });
    for (query, answer, expected) in [
        (
            vec!["page", "per_page"],
            list.clone(),
            "{ kind = \"page\", parameter = \"page\", size = { parameter = \"per_page\", value = 100 } }",
        ),
        (
            vec!["page"],
            with(json!({ "total_pages": number })),
            "{ kind = \"page\", parameter = \"page\", last = \"/total_pages\" }",
        ),
        (
            vec!["offset", "limit"],
            with(json!({ "total": number })),
            "{ kind = \"offset\", parameter = \"offset\", size = { parameter = \"limit\", value = 100 }, total = \"/total\" }",
        ),
        (
            vec!["$skip", "$top"],
            list.clone(),
            "{ kind = \"offset\", parameter = \"$skip\", size = { parameter = \"$top\", value = 100 } }",
        ),
        (
            vec!["starting_after", "limit"],
            with(json!({ "has_more": { "type": "boolean" } })),
            "{ kind = \"keyset\", parameter = \"starting_after\", from = \"/id\", size = { parameter = \"limit\", value = 100 }, more = \"/has_more\" }",
        ),
        (vec![], with(json!({ "next": text })), "{ kind = \"next-url\", next = \"/next\" }"),
        (
            vec![],
            with(json!({ "@odata.nextLink": text })),
            "{ kind = \"next-url\", next = \"/@odata.nextLink\" }",
        ),
        (vec![], list.clone(), "{ kind = \"none\" }"),
    ] {
        assert_eq!(paging(&query, answer), format!("paging = {expected}"));
    }
}

#[test]
fn recordings_are_understood_and_no_value_is_copied() {
    let body = json!({ "results": [{ "uuid": "0b5c4ec8-6a0e-4f0e-9d8e-000000000001", "name": "Ann Lee", "changed": 1_767_225_600_123_i64 }], "next": "https://api.acme.example/v1/people?page=2" });
    let har = json!({ "log": { "entries": [
        { "request": { "method": "GET", "url": "https://cdn.example/x.json", "headers": [] }, "response": { "status": 200, "content": { "text": "{}" } } },
        { "request": { "method": "GET", "url": "https://api.acme.example/v1/people?expand=all&email=ann%40example.com&api_key=SECRET1",
                       "headers": [{ "name": "X-Api-Key", "value": "SECRET2" }, { "name": "Accept", "value": "*/*" }] },
          "response": { "status": 200, "headers": [], "content": { "text": body.to_string() } } },
        { "request": { "method": "GET", "url": "https://api.acme.example/v1/people/0b5c4ec8-6a0e-4f0e-9d8e-000000000001", "headers": [] },
          "response": { "status": 200, "content": { "text": body["results"][0].to_string() } } },
        { "request": { "method": "GET", "url": "https://api.acme.example/v1/broken", "headers": [] }, "response": { "status": 500, "content": { "text": "[]" } } },
    ] } });
    let made = imported(&har.to_string());
    assert_eq!((made.kind, made.collections.as_slice()), (ImportKind::Har, ["people".to_owned()].as_slice()));
    assert_eq!(table(&made.text, "api"), ["name = \"shop\"", "base_url = \"https://api.acme.example\""]);
    assert_eq!(table(&made.text, "auth")[..2], ["kind = \"api-key\"", "header = \"X-Api-Key\""]);
    assert_eq!(
        table(&made.text, "collections.people"),
        ["key = \"/uuid\"", "modified = { at = \"/changed\", format = \"epoch-ms\" }"]
    );
    assert_eq!(
        table(&made.text, "collections.people.list"),
        [
            "path = \"/v1/people\"",
            "query = { expand = \"all\" }",
            "records = \"/results\"",
            "paging = { kind = \"next-url\", next = \"/next\" }",
        ]
    );
    assert_eq!(table(&made.text, "collections.people.get"), ["path = \"/v1/people/{id}\""]);
    for secret in ["SECRET", "Ann", "ann", "0b5c4ec8"] {
        assert!(!made.text.contains(secret), "{secret} in {}", made.text);
    }
}

#[test]
fn a_postman_collection_is_understood() {
    let collection = json!({
        "info": { "name": "Acme", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
        "auth": { "type": "bearer", "bearer": [{ "key": "token", "value": "SECRET" }] },
        "variable": [{ "key": "baseUrl", "value": "https://api.acme.example/v1" }],
        "item": [{ "name": "People", "item": [
            { "request": { "method": "GET", "url": { "raw": "{{baseUrl}}/people?page=1&limit=20" } },
              "response": [{ "code": 200, "header": [{ "key": "Link", "value": "<x>; rel=next" }], "body": "[{\"id\": 7, \"name\": \"Ann\"}]" }] },
            { "request": { "method": "GET", "url": "{{baseUrl}}/people/:person_id" }, "response": [{ "code": 200, "body": "{\"id\": 7, \"name\": \"Ann\"}" }] },
            { "request": { "method": "PATCH", "url": "{{baseUrl}}/people/:person_id", "body": { "raw": "{\"person\": {\"name\": \"Bea\"}}" } } },
        ] }],
    });
    let made = imported(&collection.to_string());
    assert_eq!(made.kind, ImportKind::Postman);
    assert_eq!(table(&made.text, "api"), ["name = \"acme\"", "base_url = \"https://api.acme.example\""]);
    assert_eq!(table(&made.text, "auth"), ["kind = \"bearer\"", "token = { secret = \"ACME_TOKEN\" }"]);
    let list = table(&made.text, "collections.people.list");
    assert_eq!(list[0], "path = \"/v1/people\"");
    assert!(list.iter().any(|line| line.starts_with("paging = { kind = \"link\"")), "{list:?}");
    assert_eq!(
        table(&made.text, "collections.people.update"),
        ["path = \"/v1/people/{id}\"", "wrap = \"/person\""]
    );
    assert!(!made.text.contains("SECRET") && !made.text.contains("Ann") && !made.text.contains("Bea"));
}

#[test]
fn insomnias_exports_are_understood_in_both_formats() {
    let environment = json!({ "base_url": "https://api.acme.example/v1", "token": "SECRET" });
    let calls = [
        json!({
            "url": "{{ _.base_url }}/people", "method": "GET", "authentication": { "type": "bearer", "token": "SECRET" },
            "parameters": [{ "name": "page", "value": "1" }, { "name": "per_page", "value": "20" }, { "name": "off", "value": "1", "disabled": true }],
        }),
        json!({ "url": "{{ base_url }}/people/{{ _.person }}", "method": "GET" }),
        json!({
            "url": "{{ _.base_url }}/people/:person", "method": "PATCH",
            "body": { "mimeType": "application/json", "text": "{\"person\": {\"name\": \"Bea\"}}" },
        }),
    ];
    let resource = |kind: &str, mut of: Json| {
        of["_type"] = kind.into();
        of
    };
    let mut resources = vec![
        resource("workspace", json!({ "name": "Acme" })),
        resource("environment", json!({ "data": environment })),
        resource("request_group", json!({ "name": "People" })),
    ];
    resources.extend(calls.clone().map(|call| resource("request", call)));
    let four = json!({ "_type": "export", "__export_format": 4, "resources": resources }).to_string();
    let five = json!({
        "type": "collection.insomnia.rest/5.0", "name": "Acme", "environments": { "data": environment },
        "collection": [{ "name": "People", "children": calls }],
    });
    for (format, text) in [(4, four), (5, five.to_string())] {
        let made = imported(&text);
        assert_eq!(made.kind, ImportKind::Insomnia, "format {format}");
        assert_eq!(table(&made.text, "api"), ["name = \"acme\"", "base_url = \"https://api.acme.example\""]);
        assert_eq!(table(&made.text, "auth"), ["kind = \"bearer\"", "token = { secret = \"ACME_TOKEN\" }"]);
        let list = table(&made.text, "collections.people.list");
        assert_eq!(list[0], "path = \"/v1/people\"");
        assert!(list.iter().any(|line| line.starts_with("paging = { kind = \"page\"")), "{list:?}");
        assert_eq!(table(&made.text, "collections.people.get")[0], "path = \"/v1/people/{id}\"");
        assert_eq!(
            table(&made.text, "collections.people.update"),
            ["path = \"/v1/people/{id}\"", "wrap = \"/person\""]
        );
        assert!(!made.text.contains("SECRET") && !made.text.contains("Bea"), "{}", made.text);
    }
}

#[cfg(feature = "yaml")]
#[test]
fn insomnias_yaml_is_understood() {
    let yaml = "type: collection.insomnia.rest/5.0\nname: Acme\ncollection:\n  - name: People\n    children:\n\
                \x20     - url: https://api.acme.example/people\n        method: GET\n\
                \x20     - url: https://api.acme.example/people/7\n        method: GET\n";
    let made = imported(yaml);
    assert_eq!((made.kind, made.collections), (ImportKind::Insomnia, vec!["people".to_owned()]));
}

#[test]
fn a_command_a_sample_and_a_header_are_enough_to_begin_with() {
    let curl =
        "curl -s 'https://api.acme.example/v1/people?status=open' \\\n  -H 'Authorization: Bearer SECRET'\n";
    let made = imported(curl);
    assert_eq!(
        (made.kind, made.collections.as_slice()),
        (ImportKind::Curl, ["people".to_owned()].as_slice())
    );
    assert_eq!(table(&made.text, "auth"), ["kind = \"bearer\"", "token = { secret = \"SHOP_TOKEN\" }"]);
    assert!(
        table(&made.text, "collections.people.list").contains(&"query = { status = \"open\" }".to_owned())
    );
    assert!(!made.text.contains("SECRET"));

    for sample in [
        json!([{ "id": 1, "created": "2026-01-02T03:04:05Z", "day": "2026-01-02", "at": "2026-01-02T03:04:05" }]),
        json!({ "id": 1, "created": "2026-01-02T03:04:05Z", "day": "2026-01-02", "at": "2026-01-02T03:04:05" }),
        json!({ "data": { "records": [{ "id": 1, "created": "2026-01-02T03:04:05Z", "day": "2026-01-02", "at": "2026-01-02T03:04:05" }] } }),
    ] {
        let made = imported(&sample.to_string());
        assert_eq!(
            table(&made.text, "collections.records.fields"),
            [
                "at = { kind = \"date-time\", format = \"utc\" }",
                "created = \"date-time\"",
                "day = \"date\"",
                "id = \"number\""
            ]
        );
        assert!(made.to_decide.iter().any(|line| line.contains("base_url")));
    }

    let made = imported("\u{feff}Kunden-Nr;Name;\"E-Mail\";Umsatz\n00017;Ann;ann@example.com;12.5\n");
    assert_eq!(made.kind, ImportKind::Csv);
    assert_eq!(
        table(&made.text, "collections.records.fields"),
        ["Kunden-Nr = \"text\"", "Name = \"text\"", "E-Mail = \"text\"", "Umsatz = \"number\""]
    );
    assert!(!made.text.contains("Ann") && !made.text.contains("17"));
}

#[test]
fn what_cannot_be_imported_is_told_with_a_way_on() {
    for (text, word) in [
        ("{\"openapi\": \"3.0.0\"", "no JSON"),
        ("{\"openapi\": \"3.0.0\"}", "no call that gives a list"),
        ("<html><body>", "none of"),
        ("", "empty"),
    ] {
        let error = import("shop", text, &[]).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[cfg(feature = "yaml")]
#[test]
fn an_openapi_file_may_be_yaml() {
    let text = r#"
# A comment.
openapi: 3.0.3
info: { title: Acme, version: 1.0 }
servers:
  - url: https://api.acme.example/v1
paths:
  /items/{kind}:
    get: &list
      parameters:
        - { in: query, name: page, schema: { type: integer } }
      responses:
        200:
          content:
            application/json:
              schema:
                type: array
                items: &item
                  type: object
                  properties:
                    id: { type: integer }
                    day: { type: string, format: date, example: 2026-01-02 }
  /items/{kind}/{id}:
    get:
      responses:
        '200': { content: { application/json: { schema: *item } } }
"#;
    let made = imported(text);
    assert_eq!(
        (made.kind, made.collections.as_slice()),
        (ImportKind::OpenApi, ["items".to_owned()].as_slice())
    );
    assert_eq!(
        table(&made.text, "collections.items.fields"),
        ["day = \"date\"", "id = \"number\""],
        "{}",
        made.text
    );
    assert_eq!(table(&made.text, "collections.items.get"), ["path = \"/items/{kind}/{id}\""]);

    // Each line names the one above it ten times.
    let mut bomb = String::from("openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let above = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![above; 10].join(", ")));
    }
    for text in [bomb.as_str(), "openapi: [", "openapi: 3\n  a: b\n c"] {
        assert!(import("shop", text, &[]).unwrap_err().to_string().contains("YAML"), "{text}");
    }
}

/// JSON with the words that the importer looks for.
fn odd_json() -> impl Strategy<Value = Json> {
    let words = [
        "paths",
        "get",
        "post",
        "/things",
        "/things/{a}",
        "/a{b/{}",
        "responses",
        "200",
        "schema",
        "type",
        "array",
        "object",
        "string",
        "items",
        "properties",
        "id",
        "data",
        "next",
        "$ref",
        "#/paths",
        "parameters",
        "in",
        "query",
        "name",
        "limit",
        "log",
        "entries",
        "request",
        "url",
        "https://x.example/a?b=c",
        "response",
        "content",
        "text",
        "item",
        "updated_at",
        "a\"b\\c\n",
        "allOf",
        "",
        "é",
        "{x}",
        "servers",
        "info",
        "title",
    ];
    let word = proptest::sample::select(words.to_vec());
    let leaf = prop_oneof![
        word.clone().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        Just(Json::Null),
    ];
    leaf.prop_recursive(8, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|pairs| Json::Object(
                pairs.into_iter().map(|(name, json)| (name.to_owned(), json)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_imported_can_be_read_back(json in odd_json(), inside in odd_json(), at in 0..6_usize) {
        let mut document = openapi();
        let place = ["/paths/~1customers", "/components/schemas/Customer", "/paths/~1customers/get", "/servers", "/security",
                     "/components/securitySchemes/oauth"][at];
        *document.pointer_mut(place).unwrap() = inside;
        for document in [document, json] {
            match import("shop", &document.to_string(), &[]) {
                Ok(made) => prop_assert!(Description::parse("x", &made.text).is_ok()),
                Err(error) => prop_assert!(!error.to_string().contains("is no description"), "{}", error),
            }
        }
    }
}
