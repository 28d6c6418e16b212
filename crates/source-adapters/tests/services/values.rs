//! Every type that a column may have, read and written back, and what the database refuses.

use std::sync::Arc;

use source_adapters::postgres::Postgres;
use sync_types::{
    ExternalId, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, OpId, PropertyKind, ReadRequest, Seen,
    Source, SourceWriter as _, Value,
};

use crate::server::Server;

const TABLE: &str = "
    CREATE TYPE mood AS ENUM ('glad', 'so so');
    CREATE DOMAIN postcode AS text CHECK (value ~ '^[0-9]{5}$');
    CREATE TABLE firm (code uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
    CREATE TABLE \"Odd \"\"Table\" (
        \"Key\" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, label varchar(20) UNIQUE, small smallint, exact numeric(12, 4),
        rough double precision, yes boolean, day date, at timestamptz, local timestamp, feeling mood, zip postcode, tags text[],
        ranks int[], note jsonb, picture bytea, span interval, net inet, needed text NOT NULL, firm uuid REFERENCES firm (code),
        loud text GENERATED ALWAYS AS (upper(label)) STORED
    );
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF new.label = 'secret' THEN RAISE EXCEPTION 'no %', new.label; END IF; RETURN new; END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON \"Odd \"\"Table\" FOR EACH ROW EXECUTE FUNCTION refuse();
    INSERT INTO \"Odd \"\"Table\" (needed, label) VALUES ('x', 'taken'), ('y', NULL);
";

const NAME: &str = "Odd \"Table";

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_go_there_and_back() {
    let Some(server) = Server::start() else { return };
    server.people().await.batch_execute(TABLE).await.unwrap();
    let source = Arc::new(Postgres::new(server.config().with_writing()).unwrap());
    let schemas = source.describe().await.unwrap();
    let schema = schemas.iter().find(|schema| schema.name == NAME).unwrap();
    let told: Vec<String> = schema
        .properties
        .iter()
        .map(|one| {
            let marks = [("required", one.required), ("unique", one.unique), ("read-only", one.read_only)];
            let marks = marks.iter().filter(|(_, is)| *is).map(|(mark, _)| format!(" {mark}"));
            let length = one.length_max.map_or_else(String::new, |length| format!(" {length}"));
            format!("{} {:?}{}{length}", one.name, one.kind, marks.collect::<String>())
        })
        .collect();
    assert_eq!(
        told,
        [
            "Key Number unique read-only",
            "label Text unique 20",
            "small Number",
            "exact Number",
            "rough Number",
            "yes Bool",
            "day Date",
            "at DateTime",
            "local Text",
            "feeling Option",
            "zip Text",
            "tags Json",
            "ranks Json",
            "note Json",
            "span Text",
            "net Text",
            "needed Text required",
            "firm Text",
            "loud Text read-only"
        ]
    );
    assert_eq!(schema.property("feeling").unwrap().options, ["glad", "so so"]);
    assert_eq!(schema.property("note").unwrap().kind, PropertyKind::Json);

    let list = |items: &[&str]| Value::List(items.iter().map(|item| Value::text(*item)).collect());
    let nested = Value::Object(vec![("a".into(), list(&["x"])), ("b".into(), number("1.5"))]);
    for (field, written, shown) in [
        ("small", number("-7"), number("-7")),
        ("small", "8".into(), number("8")),
        ("exact", number("12345678.1234"), number("12345678.1234")),
        ("rough", number("0.1"), number("0.1")),
        ("rough", number("0.0000001"), number("0.0000001")),
        ("yes", true.into(), true.into()),
        ("day", jiff::civil::date(2024, 2, 29).into(), jiff::civil::date(2024, 2, 29).into()),
        (
            "at",
            "2026-01-02T03:04:05.678901Z".into(),
            "2026-01-02T03:04:05.678901Z".parse::<jiff::Timestamp>().unwrap().into(),
        ),
        ("local", "2026-01-02 03:04:05".into(), "2026-01-02 03:04:05".into()),
        ("feeling", "so so".into(), "so so".into()),
        ("zip", "20095".into(), "20095".into()),
        ("tags", list(&["a,b", "{c}", "\"d\""]), list(&["a,b", "{c}", "\"d\""])),
        ("tags", "one".into(), list(&["one"])),
        ("ranks", Value::List(vec![number("1"), number("2")]), Value::List(vec![number("1"), number("2")])),
        ("note", nested.clone(), nested),
        ("span", "P1DT2H".into(), "P1DT2H".into()),
        ("needed", Value::Null, Value::Null),
        ("exact", Value::Null, Value::Null),
        ("tags", Value::Null, Value::Null),
        ("label", "'; DROP TABLE a; --".into(), "'; DROP TABLE a; --".into()),
    ] {
        match change(&source, "2", field, written).await {
            LeftOutcome::Written(record) => assert_eq!(record.get(field), Seen::Value(&shown), "{field}"),
            other => panic!("{field}: {other:?}"),
        }
    }
    for (field, value, code) in [
        ("label", "taken".into(), "unique-value-taken"),
        ("label", "secret".into(), "constraint"),
        ("label", "far too long for the column".into(), "bad-value"),
        ("label", "a\0b".into(), "bad-value"),
        ("small", "many".into(), "bad-value"),
        ("small", number("70000"), "bad-value"),
        ("feeling", "sad".into(), "bad-value"),
        ("zip", "x".into(), "constraint"),
        ("firm", "00000000-0000-0000-0000-000000000001".into(), "no-such-parent"),
        ("loud", "X".into(), "read-only"),
        ("Key", number("9"), "read-only"),
        ("picture", "x".into(), "no-such-field"),
        ("day", Value::List(vec!["x".into()]), "bad-kind"),
    ] {
        match change(&source, "2", field, value).await {
            LeftOutcome::Rejected(why) => {
                assert_eq!(why.code, code, "{field}: {why:?}");
                assert!(!format!("{why:?}").contains("secret"), "{why:?}");
            }
            other => panic!("{field}: {other:?}"),
        }
    }
}

async fn change(source: &Arc<Postgres>, id: &str, field: &str, value: Value) -> LeftOutcome {
    let read = source.read(&NAME.into(), &[ExternalId::from(id)]).await.unwrap();
    let verb = LeftVerb::Update(read.into_iter().flatten().next().unwrap());
    let fields = vec![LeftField { path: field.into(), value }];
    let batch = LeftBatch {
        op: OpId(1),
        collection: NAME.into(),
        rows: vec![LeftRow { verb, token: "t".into(), fields }],
    };
    source.write(&batch).await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_used_are_told_and_do_not_end_the_scan() {
    let Some(server) = Server::start() else { return };
    let sql = "CREATE TABLE codes (code text COLLATE \"und-x-icu\", total numeric, day date);
        INSERT INTO codes VALUES ('a', 1, NULL), ('A', 2, NULL), ('b', 3, NULL), ('b', 4, NULL), ('b', 5, NULL),
            (NULL, 6, NULL), ('n', 'NaN', NULL), ('o', 7, 'infinity'), ('z', 8, '2026-01-01')";
    server.people().await.batch_execute(sql).await.unwrap();
    let source = Postgres::new(server.config().with_query("codes", "SELECT * FROM codes", "code")).unwrap();
    for max in [1, 2, 3, 100] {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let mut request = ReadRequest { collection: "codes".into(), after: None, max };
        loop {
            let page = source.read_page(&request).await.unwrap();
            assert!(page.records.len() <= max);
            for record in page.records {
                match record {
                    Ok(record) => good.push(record.id().to_string()),
                    Err(problem) => bad.push(format!("{} {}", problem.code, problem.place)),
                }
            }
            match page.next {
                Some(next) => request.after = Some(next),
                None => break,
            }
        }
        assert_eq!(good, ["A", "a", "z"], "pages of {max}");
        let expected = [
            "missing-key collection `codes` key ?",
            "duplicate-key collection `codes` key b",
            "bad-value collection `codes` key n",
            "bad-value collection `codes` key o",
        ];
        assert_eq!(bad, expected, "pages of {max}");
    }
}
