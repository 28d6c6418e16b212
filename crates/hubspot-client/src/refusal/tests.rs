//! Tables of error bodies and what they come to.

use proptest::prelude::*;

use super::*;

fn refusal(status: u16, body: &str) -> Refusal {
    ErrorBody::parse(body.as_bytes()).refusal(status)
}

#[test]
fn statuses_and_categories_come_to_kinds() {
    for (status, body, kind) in [
        (401, r#"{"category":"INVALID_AUTHENTICATION"}"#, ErrorKind::RevokedCredential),
        (403, r#"{"category":"MISSING_SCOPES"}"#, ErrorKind::MissingScope),
        (403, "<html>", ErrorKind::Forbidden),
        (404, "", ErrorKind::NotFound),
        (400, r#"{"category":"VALIDATION_ERROR"}"#, ErrorKind::Validation),
        (400, "{}", ErrorKind::BadRequest),
        (409, r#"{"category":"OBJECT_ALREADY_EXISTS"}"#, ErrorKind::AlreadyExists),
        (409, r#"{"category":"CONFLICT"}"#, ErrorKind::Conflict),
        (414, "", ErrorKind::TooLarge),
        (423, "", ErrorKind::Locked),
        (429, r#"{"policyName":"TEN_SECONDLY_ROLLING"}"#, ErrorKind::RateLimited),
        (429, r#"{"policyName":"DAILY"}"#, ErrorKind::DailyLimit),
        (437, "", ErrorKind::LimitReached),
        (477, "", ErrorKind::Migrating),
        (502, "null", ErrorKind::Server),
        (302, "", ErrorKind::Unreadable),
    ] {
        assert_eq!(refusal(status, body).kind, kind, "{status} {body}");
    }
}

#[test]
fn a_taken_unique_value_names_its_holder_and_not_the_value() {
    let coordinates = |value: &str| {
        format!(
            "Cannot set PropertyValueCoordinates{{portalId=1, objectTypeId=ObjectTypeId{{legacyObjectType=CONTACT}}, \
             propertyName=email, value={value}}} on 552100000001. 552200000002 already has that value."
        )
    };
    for (status, message, property, holder) in [
        (409, "Contact already exists. Existing ID: 123".to_owned(), None, "123"),
        (400, coordinates("ann@example.com"), Some("email"), "552200000002"),
        (400, coordinates("x} on 1. 2 already has that value"), Some("email"), "552200000002"),
    ] {
        let body = serde_json::json!({"category": "VALIDATION_ERROR", "message": message}).to_string();
        let refusal = refusal(status, &body);
        assert_eq!(refusal.kind, ErrorKind::Duplicate, "{message}");
        assert_eq!(refusal.holder, Some(RecordId::from(holder)), "{message}");
        assert_eq!(refusal.details.first().and_then(|detail| detail.property.as_deref()), property);
        assert!(!format!("{refusal:?}").contains("ann@"), "{refusal:?}");
    }
}

#[test]
fn details_keep_what_helps_and_drop_the_value() {
    let embedded = r#"Property values were not valid: [{"isValid":false,"message":"Ann Lee was not a valid number.","error":"INVALID_INTEGER","name":"age"}]"#;
    for (body, code, property, message) in [
        (
            serde_json::json!({"errors": [{"message": "Secret was not one of the allowed options: [label: \"A\"]",
                "code": "INVALID_OPTION", "context": {"propertyName": ["industry"]}}]}),
            "INVALID_OPTION",
            "industry",
            "the value was not one of the allowed options: [label: \"…\"]",
        ),
        (serde_json::json!({ "message": embedded }), "INVALID_INTEGER", "age", "the value is not valid"),
        (
            serde_json::json!({"errors": [{"message": "Property \"nope\" does not exist",
                "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["nope"]}}]}),
            "PROPERTY_DOESNT_EXIST",
            "nope",
            "there is no such property",
        ),
        (
            serde_json::json!({"errors": [{"message": "A value for amount must be provided",
                "code": "MISSING_REQUIRED_PROPERTY", "context": {"propertyName": "amount"}}]}),
            "MISSING_REQUIRED_PROPERTY",
            "amount",
            "A value for amount must be provided",
        ),
    ] {
        let refusal = refusal(400, &body.to_string());
        assert_eq!(
            refusal.details,
            [RefusalDetail {
                code: Some(code.to_owned()),
                property: Some(property.to_owned()),
                message: message.to_owned()
            }]
        );
        let shown = format!("{refusal:?}");
        assert!(!shown.contains("Secret") && !shown.contains("Ann Lee"), "{shown}");
    }
}

#[test]
fn missing_scopes_are_listed() {
    let refusal = refusal(
        403,
        r#"{"category":"MISSING_SCOPES","errors":[{"message":"x","context":{"requiredGranularScopes":["a.read","b.read"]}}]}"#,
    );
    assert_eq!(refusal.scopes, ["a.read", "b.read"]);
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in ".*", status in 100_u16..600) {
        let _ = refusal(status, &body);
    }

    #[test]
    fn no_message_makes_it_panic_or_leak_an_address(name in "[a-z]{1,8}", around in "\\PC{0,60}") {
        let address = format!("{name}@example.com");
        let message = format!("{around} {address} {around}");
        let body = serde_json::json!({"message": message, "errors": [{"message": message, "code": "INVALID_EMAIL"}]});
        let shown = format!("{:?}", refusal(400, &body.to_string()));
        prop_assert!(!shown.contains(&address));
    }
}
