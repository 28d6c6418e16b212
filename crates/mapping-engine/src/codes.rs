//! What each problem code means, at more length than a message has room for.

/// Every code of the checker with its explanation.
const CODES: [(&str, &str); 36] = [
    (
        "bad-argument",
        "A transform's argument cannot be used: a format without the day, a zone that does not exist, an expression that does not compile.",
    ),
    (
        "bad-association",
        "An association has a `kind` or a `label`, not both, and `inverse` only beside `label`.",
    ),
    ("bad-condition", "A condition has `field` and exactly one of `equals`, `in`, `not_in` and `present`."),
    ("bad-default", "The value of `when_empty = { default = … }` must be one that the property can hold."),
    (
        "bad-match",
        "`match` names properties that a field of the same link writes, so that there is a value to look for.",
    ),
    (
        "bad-name",
        "Names of mappings and links become part of sync keys; names of properties and objects become internal names in HubSpot. Both have a narrow alphabet.",
    ),
    ("bad-source", "A field takes its value from exactly one of `from`, `template`, `concat` and `value`."),
    (
        "bad-table",
        "A lookup table or a table of rates cannot be read: its text is no CSV, lacks a column or has a key twice, or a currency, day or rate is none.",
    ),
    ("bad-template", "A template has `{path}` for values and `{{`, `}}` for braces, and at least one path."),
    ("bad-value", "The key takes one of a few words."),
    (
        "duplicate-name",
        "Links, associations, objects, options and a picklist's words are named, and so each name stands once.",
    ),
    (
        "duplicate-target",
        "Two fields of one link write the same property. Which of them won would depend on their order.",
    ),
    ("missing-key", "A key that this table cannot do without is not there."),
    (
        "missing-sync-key",
        "Every link has a unique property in HubSpot by which a record is found again. Without it, a create whose answer is lost could only be repeated at the risk of a duplicate.",
    ),
    ("no-fields", "A link without fields would create empty records."),
    ("no-options", "A choice property that `init` is to make needs its options."),
    (
        "picklist-not-total",
        "The source lists options for which the table has nothing, so their records would be refused one by one.",
    ),
    (
        "read-only-property",
        "The property is calculated or set by HubSpot; HubSpot refuses the whole record if it is written.",
    ),
    (
        "sync-key-not-unique",
        "The sync key exists in HubSpot, but two records could hold the same value, or it cannot be written. HubSpot does not let an existing property become unique.",
    ),
    ("syntax", "The file is not valid TOML."),
    ("too-many", "A mapping has at most 65,535 links and as many associations."),
    ("type-mismatch", "A transform or property gets values of a kind that it does not take."),
    ("unknown-collection", "The source has no collection of this name."),
    ("unknown-column", "The source's collection has no column of this name."),
    ("unknown-key", "The table has no such key; a misspelt key would otherwise be silently without effect."),
    ("unknown-link", "An association leads to a link that the file does not have."),
    ("unknown-lookup", "The file has no lookup table of this name."),
    ("unknown-object", "The portal has no such object type, and the file does not define it."),
    (
        "unknown-option",
        "A picklist gives a value that is no option in HubSpot; HubSpot would refuse the record.",
    ),
    ("unknown-picklist", "The file has no picklist of this name."),
    ("unknown-property", "HubSpot has no such property; it would refuse the whole record."),
    ("unknown-rates", "The file has no table of rates of this name."),
    ("unknown-transform", "There is no transform of this name."),
    ("unused-object", "An object is defined that no link writes. It is not made."),
    ("unused-picklist", "A picklist that no field uses is likely a forgotten transform."),
    ("wrong-type", "The key takes another kind of TOML value."),
];

/// What a problem code of the checker means; `None` for a code that it does not have.
#[must_use]
pub fn explain_code(code: &str) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

/// Every problem code of the checker, in alphabetical order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    CODES.iter().map(|(code, _)| *code)
}
