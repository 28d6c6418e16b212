//! One collection: its records, and the calls that read and write them.

use std::time::Duration;

use http::Method;
use sync_types::PropertyKind;
use toml::de::DeValue;

use super::super::pointer::Pointer;
use super::keys::{Keys, Node, nearest, text};
use super::{
    BatchSpec, CallSpec, CollectionSpec, CreateSpec, FieldSpec, GetSpec, ListSpec, Modified, Once, SinceSpec,
    TimeFormat, UpdateSpec, auth, calls, pages,
};

/// How far back each reading of changes begins, unless said otherwise.
const OVERLAP: Duration = Duration::from_secs(300);

/// Most ids of one batch, unless said otherwise.
const BATCH_MAX: u64 = 50;

const KINDS: [(&str, PropertyKind); 8] = [
    ("text", PropertyKind::Text),
    ("number", PropertyKind::Number),
    ("bool", PropertyKind::Bool),
    ("date", PropertyKind::Date),
    ("date-time", PropertyKind::DateTime),
    ("option", PropertyKind::Option),
    ("options", PropertyKind::Options),
    ("json", PropertyKind::Json),
];

pub(super) fn read(name: &str, keys: &Keys<'_>, variables: &[&str]) -> Option<CollectionSpec> {
    let names = Names { collection: name, variables };
    let key = keys.required_pointer("key");
    let modified = modified(keys);
    let format = modified.as_ref().map(|modified| modified.format);
    let deleted = keys.pointer("deleted");
    // The API gives a record its id, unless the description says otherwise.
    let id = key.as_ref().and_then(Pointer::only_step);
    let fields = keys.table("fields", "`fields`").map(|table| fields(&table, id.as_deref()));
    let list = match keys.table("list", "`list`") {
        Some(table) => pages::list(&names.call("list"), &table, &names.with(&[]), format),
        None => {
            if !keys.has("list") {
                let remedy = "add [collections.NAME.list] with `path`, `records` and `paging`";
                keys.tell("missing-key", format!("`{name}` cannot be read: it has no `list`"), remedy);
            }
            None
        }
    };
    let since = keys.table("since", "`since`").and_then(|table| since(&table, &names, format));
    let get = keys.table("get", "`get`").and_then(|table| get(&table, &names));
    let batch = keys.table("batch", "`batch`").and_then(|table| batch(&table, &names));
    let create = keys.table("create", "`create`").and_then(|table| create(&table, &names, format));
    let update = keys.table("update", "`update`").and_then(|table| update(&table, &names));
    let delete = keys.table("delete", "`delete`").and_then(|table| {
        let call = calls::read(&names.call("delete"), &table, Method::DELETE, &names.with(&["id"]))?;
        needs_place(&table, &call, "id");
        Some(call)
    });
    let writes = keys.has("create") || keys.has("update") || keys.has("delete");
    if writes && !keys.has("get") {
        let remedy = "add [collections.NAME.get]: a record is looked at before it is changed";
        keys.tell("missing-key", format!("`{name}` is written, and single records cannot be read"), remedy);
    }
    if since.as_ref().is_some_and(|since| since.deletes) && deleted.is_none() && !keys.has("deleted") {
        let remedy = "add `deleted = \"/deleted_at\"` to the collection, or remove `deletes`";
        keys.tell("missing-key", "it is not said by what a deleted record is recognised", remedy);
    }
    if since.is_some() && modified.is_none() && !keys.has("modified") {
        let remedy = "add `modified = \"/updated_at\"`: it says how far the reading got";
        keys.tell("missing-key", "`since` needs the key `modified` of the collection", remedy);
    }
    Some(CollectionSpec {
        key: key?,
        modified,
        deleted,
        fields,
        list: list?,
        since,
        get,
        batch,
        create,
        update,
        delete,
    })
}

struct Names<'n> {
    collection: &'n str,
    variables: &'n [&'n str],
}

impl<'n> Names<'n> {
    fn call(&self, what: &str) -> String {
        format!("{}.{what}", self.collection)
    }

    /// What may be filled in: these, and the variables.
    fn with(&self, own: &[&'n str]) -> Vec<&'n str> {
        own.iter().chain(self.variables).copied().collect()
    }
}

fn needs_place(keys: &Keys<'_>, call: &CallSpec, name: &str) {
    let mut texts = call.query.iter().chain(&call.headers).map(|(_, value)| value);
    if call.path.has(name)
        || texts.any(|value| value.has(name))
        || call.body.as_ref().is_some_and(|body| body.has(name))
    {
        return;
    }
    let remedy = format!("write `{{{name}}}` where the call names it, as in \"/customers/{{id}}\"");
    keys.tell("missing-place", format!("the call does not say where `{{{name}}}` goes"), remedy);
}

fn modified(keys: &Keys<'_>) -> Option<Modified> {
    let node = keys.take("modified")?;
    if let DeValue::Table(_) = node.get_ref() {
        let table = Keys::of("`modified`", node, keys.report)?;
        let format = table.word("format", &auth::TIMES).unwrap_or(TimeFormat::Rfc3339);
        return Some(Modified { at: table.required_pointer("at")?, format });
    }
    let at = keys.pointer("modified")?;
    Some(Modified { at, format: TimeFormat::Rfc3339 })
}

fn fields(keys: &Keys<'_>, id: Option<&str>) -> Vec<FieldSpec> {
    let all = keys.take_all().into_iter();
    all.filter_map(|(name, node)| field(name.value, id == Some(name.value), node, keys)).collect()
}

fn field(name: &str, is_id: bool, node: Node<'_>, keys: &Keys<'_>) -> Option<FieldSpec> {
    let mut spec = FieldSpec {
        name: name.to_owned(),
        kind: PropertyKind::Text,
        format: TimeFormat::Rfc3339,
        required: is_id,
        read_only: is_id,
        options: Vec::new(),
    };
    if let DeValue::String(word) = node.get_ref() {
        let found = KINDS.iter().find(|(known, _)| known == word);
        if let Some((_, kind)) = found {
            spec.kind = *kind;
            return Some(spec);
        }
        let words = KINDS.map(|(word, _)| word);
        let remedy = nearest(word, &words, "choose one");
        keys.report.tell(node.span(), "unknown-word", format!("`{word}` is no kind of value"), remedy);
        return None;
    }
    let table = Keys::of("a field", node, keys.report)?;
    let kind = table.required_word("kind", &KINDS);
    spec.format = table.word("format", &auth::TIMES).unwrap_or(match kind {
        Some(PropertyKind::Date) => TimeFormat::Day,
        _ => TimeFormat::Rfc3339,
    });
    spec.required = table.flag("required").unwrap_or(is_id);
    spec.read_only = table.flag("read_only").unwrap_or(is_id);
    if let Some(node) = table.take("options") {
        let items = match node.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![node],
        };
        spec.options = items.into_iter().filter_map(|item| Some(text(item, keys.report)?.value)).collect();
    }
    Some(FieldSpec { kind: kind?, ..spec })
}

fn since(keys: &Keys<'_>, names: &Names<'_>, modified: Option<TimeFormat>) -> Option<SinceSpec> {
    let list = pages::list(&names.call("since"), keys, &names.with(&["from", "to"]), modified);
    let format = keys.word("format", &auth::TIMES).unwrap_or(TimeFormat::Rfc3339);
    let overlap = keys.duration("overlap").unwrap_or(OVERLAP);
    let range_max = keys.duration("range_max");
    let deletes = keys.flag("deletes").unwrap_or(false);
    let list = list?;
    needs_place(keys, &list.call, "from");
    if range_max.is_some() {
        needs_place(keys, &list.call, "to");
    }
    if range_max.is_some_and(|range| range <= overlap) {
        let remedy = "make `overlap` shorter than `range_max`";
        keys.tell_at("overlap", "no-progress", "a reading that goes back so far never gets on", remedy);
    }
    Some(SinceSpec { list, format, overlap, range_max, deletes })
}

fn get(keys: &Keys<'_>, names: &Names<'_>) -> Option<GetSpec> {
    let call = calls::read(&names.call("get"), keys, Method::GET, &names.with(&["id"]));
    let record = keys.pointer("record").or_else(|| Pointer::parse(""));
    let call = call?;
    needs_place(keys, &call, "id");
    Some(GetSpec { call, record: record?, etag: keys.flag("etag").unwrap_or(false) })
}

fn batch(keys: &Keys<'_>, names: &Names<'_>) -> Option<BatchSpec> {
    let call = calls::read(&names.call("batch"), keys, Method::GET, &names.with(&["ids"]));
    let records = keys.required_pointer("records");
    let max = keys.count("max", 1).unwrap_or(BATCH_MAX);
    let separator = keys.text("separator").map_or_else(|| String::from(","), |read| read.value);
    let call = call?;
    needs_place(keys, &call, "ids");
    Some(BatchSpec { call, records: records?, max: usize::try_from(max).unwrap_or(usize::MAX), separator })
}

fn create(keys: &Keys<'_>, names: &Names<'_>, modified: Option<TimeFormat>) -> Option<CreateSpec> {
    let call = calls::read(&names.call("create"), keys, Method::POST, &names.with(&[]));
    let wrap = keys.pointer("wrap").or_else(|| Pointer::parse(""));
    let (record, id) = (keys.pointer("record"), keys.pointer("id"));
    if record.is_none() && id.is_none() && !keys.has("record") && !keys.has("id") {
        let remedy = "add `record = \"\"` where the answer is the record, or `id = \"/id\"`";
        keys.tell("missing-key", "it is not said where the new record's id stands in the answer", remedy);
    }
    let once = match (auth::header(keys, "idempotency_header"), keys.text("token_field")) {
        (Some(header), None) => Some(Once::Header(header)),
        (None, Some(field)) => {
            find(keys, names, modified).map(|find| Once::Field { field: field.value, find: Box::new(find) })
        }
        _ => {
            let remedy = "add `idempotency_header = \"Idempotency-Key\"` where the API knows a repetition by \
                          it, else `token_field` with a field of its own and `find`, a list that is asked for it";
            keys.tell("not-repeatable", "a creation whose answer is lost would be done twice", remedy);
            None
        }
    };
    Some(CreateSpec { call: call?, wrap: wrap?, record, id, once: once? })
}

fn find(keys: &Keys<'_>, names: &Names<'_>, modified: Option<TimeFormat>) -> Option<ListSpec> {
    let Some(table) = keys.table("find", "`find`") else {
        let remedy = "add `find = { path = …, query = { … = \"{token}\" }, records = …, paging = … }`";
        keys.tell("missing-key", "`token_field` needs a list that is asked for it", remedy);
        return None;
    };
    let list = pages::list(&names.call("find"), &table, &names.with(&["token"]), modified)?;
    needs_place(&table, &list.call, "token");
    Some(list)
}

fn update(keys: &Keys<'_>, names: &Names<'_>) -> Option<UpdateSpec> {
    let call = calls::read(&names.call("update"), keys, Method::PATCH, &names.with(&["id"]));
    let wrap = keys.pointer("wrap").or_else(|| Pointer::parse(""));
    let record = keys.pointer("record");
    let whole = keys.word("send", &[("changes", false), ("whole", true)]).unwrap_or(false);
    let call = call?;
    needs_place(keys, &call, "id");
    Some(UpdateSpec { call, wrap: wrap?, record, whole })
}
