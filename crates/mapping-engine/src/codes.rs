//! What each problem code means, at more length than a message has room for.

/// Every code of the checker with its explanation.
const CODES: &[(&str, &str)] = &[
    (
        "archived-owner",
        "The owner was deactivated. HubSpot may refuse to assign records to them, and the records would be parked.",
    ),
    (
        "association-not-two-way",
        "An association comes back from HubSpot as one key in one column of the source: it must be single, unconditional, and its key's transforms must be undone.",
    ),
    (
        "bad-argument",
        "A transform's argument cannot be used: a format without the day, a zone that does not exist, an expression that does not compile.",
    ),
    (
        "bad-association",
        "An association has a `kind` or a `label`, not both, and `inverse` only beside `label`; one that is `single`, as a primary one is, has one key and not a list.",
    ),
    ("bad-condition", "A condition has `field` and exactly one of `equals`, `in`, `not_in` and `present`."),
    (
        "bad-conflict",
        "`conflict` says who wins when both sides have changed a value. Where values go one way only, nobody can disagree.",
    ),
    (
        "bad-consent",
        "A consent says which words give and which withdraw it, and a subscription has a legal basis with an explanation.",
    ),
    ("bad-default", "The value of `when_empty = { default = … }` must be one that the property can hold."),
    (
        "bad-direction",
        "A field, an association, a policy or a scope asks for a way that its link does not go, or a constant is to come from HubSpot.",
    ),
    (
        "bad-expression",
        "The expression is not valid, reads what does not exist, compares values of different kinds, gives the wrong kind, or could take more work than is allowed for one record.",
    ),
    (
        "bad-include",
        "An included file must lie in the main file's folder or below, be readable, and stand once. Paths are relative to the file that includes it; a circle or a path that leads out of the folder is refused.",
    ),
    (
        "bad-match",
        "`match` names properties that a field of the same link maps, so that there is a value to look for.",
    ),
    (
        "bad-name",
        "Names of mappings and links become part of sync keys; names of properties and objects become internal names in HubSpot. Both have a narrow alphabet.",
    ),
    (
        "bad-order",
        "An order lists every value of a property once, from first to last, in values that the property can hold; it is there for `ratchet` and for `conflict = \"furthest\"`, which need it unless numbers and dates order themselves.",
    ),
    (
        "bad-picklist",
        "A picklist's keys contradict each other: `back` names a word that does not give the option, or stages and owners are mixed.",
    ),
    (
        "bad-source",
        "A field takes its value from exactly one of `from`, `template`, `concat`, `expression`, `value`, `pipeline` and `stage`.",
    ),
    (
        "bad-table",
        "A lookup table or a table of rates cannot be read: its file is not there or outside the mapping's folder, its text is no CSV, lacks a column or has a key twice, or a currency, day or rate is none.",
    ),
    ("bad-template", "A template has `{path}` for values and `{{`, `}}` for braces, and at least one path."),
    ("bad-value", "The key takes one of a few words."),
    (
        "contested-property",
        "Two links with sync keys of their own may write the same record of HubSpot. If both owned the property, each would write over the other's value in every run.",
    ),
    (
        "duplicate-name",
        "Links, associations, objects, tables, options and a picklist's words are named, and so each name stands once, over all files.",
    ),
    (
        "duplicate-target",
        "Two fields of one link write the same property, or bring two properties back to one column. Which of them won would depend on their order.",
    ),
    ("missing-key", "A key that this table cannot do without is not there."),
    (
        "missing-required",
        "One side refuses to make a record without this property or column, and no field of the link gives it.",
    ),
    (
        "missing-sync-key",
        "Every link has a unique property in HubSpot by which a record is found again. Without it, a create whose answer is lost could only be repeated at the risk of a duplicate.",
    ),
    (
        "moves-back",
        "HubSpot moves the property forward only. A step back, or an empty value, would be refused or silently lost, and the two sides would differ for ever.",
    ),
    (
        "never-leaves-source",
        "A column that is marked as never leaving the source would reach HubSpot: as a value, in a template, an expression or a lookup, as the key of an association or as the evidence of a match.",
    ),
    ("no-fields", "A link without fields would create empty records."),
    ("no-options", "A choice property that `init` is to make needs its options."),
    (
        "no-round-trip",
        "The transforms can be undone, but for some value of the schemas, of ordinary data or of the samples the way there and back does not end where it began.",
    ),
    (
        "not-two-way",
        "A field that comes back from HubSpot needs transforms that can be undone. One of them loses something, so the source could not be given the value that makes the property's value again, and both sides would correct each other for ever.",
    ),
    (
        "parent-circle",
        "Records wait for the records that they name, in a circle. None of them would ever be made.",
    ),
    (
        "picklist-not-total",
        "The source lists options for which the table has nothing, so their records would be refused one by one.",
    ),
    (
        "read-only-column",
        "The source says that the column cannot be written, but the field or association comes back from HubSpot.",
    ),
    (
        "read-only-property",
        "The property is calculated or set by HubSpot; HubSpot refuses the whole record if it is written.",
    ),
    (
        "stage-without-pipeline",
        "Stages belong to pipelines. Without the pipeline beside it, HubSpot takes the stage for one of the default pipeline.",
    ),
    (
        "sync-key-not-unique",
        "The sync key exists in HubSpot, but two records could hold the same value, or it cannot be written. HubSpot does not let an existing property become unique.",
    ),
    ("syntax", "The file is not valid TOML."),
    (
        "too-many",
        "A part of the mapping is larger than any real one is: so that no file can keep the checker busy for ever, lists, tables and texts have limits, and of many problems the first thousand are told.",
    ),
    ("type-mismatch", "A transform or property gets values of a kind that it does not take."),
    ("unknown-collection", "The source has no collection of this name."),
    ("unknown-column", "The source's collection has no column of this name."),
    (
        "unknown-environment",
        "No environment of the file has this name, or none has the id of the portal that the credential belongs to. Running with the ids of another portal would write wrong stages and owners.",
    ),
    ("unknown-key", "The table has no such key; a misspelt key would otherwise be silently without effect."),
    ("unknown-link", "An association leads to a link that the file does not have."),
    ("unknown-lookup", "The file has no lookup table of this name."),
    ("unknown-object", "The portal has no such object type, and the file does not define it."),
    (
        "unknown-option",
        "A picklist gives a value that is no option in HubSpot; HubSpot would refuse the record.",
    ),
    ("unknown-picklist", "The file has no picklist of this name."),
    ("unknown-pipeline", "The file has no pipeline of this name."),
    ("unknown-property", "HubSpot has no such property; it would refuse the whole record."),
    ("unknown-rates", "The file has no table of rates of this name."),
    ("unknown-stage", "The pipeline has no stage of this name."),
    ("unknown-transform", "There is no transform of this name."),
    (
        "unresolved-id",
        "A pipeline, stage or owner is named, but its id in this portal is not known: neither the file nor the environment gives it, or the portal has nothing with that label, id or e-mail address.",
    ),
    ("unused-lookup", "A lookup table that no field uses is likely a forgotten transform."),
    ("unused-object", "An object is defined that no link writes. It is not made."),
    ("unused-picklist", "A picklist that no field uses is likely a forgotten transform."),
    ("unused-pipeline", "A pipeline that no field and no picklist uses is likely a forgotten field."),
    ("unused-rates", "A table of rates that no field uses is likely a forgotten transform."),
    (
        "weak-match",
        "Different records often share this property's value, so a record could be taken for another one and written over.",
    ),
    (
        "wrong-environment",
        "An id that belongs to one environment stands where another one runs, or the credential belongs to another portal than the environment. Ids of pipelines, stages and owners differ from portal to portal.",
    ),
    (
        "wrong-pipeline",
        "The stage or pipeline does not belong to what the link writes; HubSpot refuses the record.",
    ),
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
