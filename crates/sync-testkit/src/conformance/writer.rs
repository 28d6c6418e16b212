//! Writing to a source: creations that can be repeated, changes that overwrite nobody, deletions of what was read.

use std::sync::Arc;

use sync_types::{
    ExternalId, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, OpId, Record, Seen, Source,
    SourceWriter, SyncKey, Value, Writes,
};

use super::workbench::{Workbench, fill};
use super::{broken, check, good};

struct Desk<'b> {
    bench: &'b dyn Workbench,
    source: Arc<dyn Source>,
    writer: Arc<dyn SourceWriter>,
}

/// Asks a writer, if there is one, for everything that it offers for the collection.
pub(super) async fn writes(bench: &dyn Workbench) {
    fill(bench).await;
    let source = bench.open().await;
    let Some(writer) = Arc::clone(&source).writer() else { return };
    check(writer.write_max() >= 1, "a batch holds at least one row");
    let offered = writer.writes(&bench.collection());
    let desk = Desk { bench, source, writer };
    if offered.update {
        desk.changes().await;
    }
    if offered.delete {
        desk.deletions().await;
    }
    if offered.create {
        desk.creations(offered).await;
    }
    desk.withheld(offered).await;
    let batch = LeftBatch { op: OpId(1), collection: "no such collection".into(), rows: Vec::new() };
    let create = LeftRow { verb: LeftVerb::Create, token: token("nowhere"), fields: Vec::new() };
    let unknown = desk.writer.write(&LeftBatch { rows: vec![create], ..batch }).await;
    check(unknown.is_err(), "an unknown collection cannot be written");
}

fn token(name: &str) -> SyncKey {
    SyncKey::new(format!("conformance {name}"))
}

fn set(path: &str, value: impl Into<Value>) -> LeftField {
    LeftField { path: path.into(), value: value.into() }
}

fn shows(record: &Record, field: &str, text: &str) -> bool {
    record.get(field) == Seen::Value(&Value::text(text))
}

impl Desk<'_> {
    async fn write(&self, rows: Vec<LeftRow>) -> Vec<LeftOutcome> {
        let count = rows.len();
        let batch = LeftBatch { op: OpId(7), collection: self.bench.collection(), rows };
        let outcomes = good(self.writer.write(&batch).await, "rows can be written");
        check(outcomes.len() == count, "there is one outcome for each row");
        outcomes
    }

    async fn one(&self, verb: LeftVerb, name: &str, fields: Vec<LeftField>) -> LeftOutcome {
        let outcomes = self.write(vec![LeftRow { verb, token: token(name), fields }]).await;
        outcomes.into_iter().next().unwrap_or(LeftOutcome::Gone)
    }

    async fn read(&self, id: &ExternalId) -> Option<Record> {
        let read = self.source.read(&self.bench.collection(), std::slice::from_ref(id)).await;
        good(read, "records can be read by id").into_iter().next().flatten()
    }

    /// A record of the bench as it is read now.
    async fn put(&self, number: u32, texts: [&str; 2]) -> Record {
        let id = self.bench.put(number, texts).await;
        match self.read(&id).await {
            Some(record) => record,
            None => broken("a record that was made can be read"),
        }
    }

    fn update(record: &Record) -> LeftVerb {
        LeftVerb::Update(record.clone())
    }

    async fn changes(&self) {
        let [first, second] = self.bench.fields();
        let read = self.put(1, ["one", "two"]).await;
        match self.one(Self::update(&read), "change", vec![set(first, "Zoë's \"1st\"")]).await {
            LeftOutcome::Written(shown) => {
                let is_whole = shown.id() == read.id() && shows(&shown, second, "two");
                check(is_whole, "what was changed is shown whole");
                check(shows(&shown, first, "Zoë's \"1st\""), "a change is written");
                check(self.read(read.id()).await == Some(shown), "a change is shown as the source shows it");
            }
            other => broken(&format!("a record that is as it was read can be changed: {other:?}")),
        }
        // The same change once more, as after an answer that was lost.
        let again = self.one(Self::update(&read), "change", vec![set(first, "Zoë's \"1st\"")]).await;
        check(
            matches!(again, LeftOutcome::Written(_) | LeftOutcome::Moved),
            "a change that was carried out may be repeated",
        );

        let read = self.put(2, ["one", "two"]).await;
        self.bench.put(2, ["somebody's", "two"]).await;
        let outcome = self.one(Self::update(&read), "moved", vec![set(first, "ours")]).await;
        let now = self.read(read.id()).await;
        check(
            now.is_some_and(|now| shows(&now, first, "somebody's")),
            "a field that somebody has changed is not overwritten",
        );
        check(outcome == LeftOutcome::Moved, "a field that has changed since it was read is told as moved");

        let read = self.put(2, ["one", "two"]).await;
        self.bench.put(2, ["one", "somebody's"]).await;
        let outcome = self.one(Self::update(&read), "beside", vec![set(first, "ours")]).await;
        let now = self.read(read.id()).await;
        check(
            now.as_ref().is_some_and(|now| shows(now, second, "somebody's")),
            "a change of one field undoes no change of another",
        );
        check(
            matches!(outcome, LeftOutcome::Written(_) | LeftOutcome::Moved),
            "a change of another field is let be, or told as moved",
        );

        let read = self.put(3, ["", "two"]).await;
        let outcome = self
            .one(Self::update(&read), "clear", vec![set(second, Value::Null), set(first, "filled")])
            .await;
        let cleared = matches!(&outcome, LeftOutcome::Written(shown)
            if shows(shown, second, "") && shows(shown, first, "filled"));
        check(cleared, "an empty field can be filled, and a full one cleared");

        let read = self.put(4, ["one", "two"]).await;
        self.bench.remove(4).await;
        let outcome = self.one(Self::update(&read), "gone", vec![set(first, "ours")]).await;
        check(outcome == LeftOutcome::Gone, "a change of a record that is gone is told as gone");
        check(self.read(read.id()).await.is_none(), "a change makes no record");

        self.several().await;
    }

    /// Rows of one batch have fates of their own, in their order.
    async fn several(&self) {
        let [first, _] = self.bench.fields();
        let mut reads = Vec::new();
        for number in 5..8 {
            reads.push(self.put(number, ["one", "two"]).await);
        }
        self.bench.put(6, ["somebody's", "two"]).await;
        let mut rows: Vec<LeftRow> = Vec::new();
        for (read, name) in reads.iter().zip(["a", "b", "c"]) {
            let fields = vec![set(first, name)];
            rows.push(LeftRow { verb: Self::update(read), token: token(name), fields });
        }
        let unknown = vec![set(first, "half"), set("no such field", "x")];
        let untouched = self.put(8, ["one", "two"]).await;
        rows.insert(1, LeftRow { verb: Self::update(&untouched), token: token("d"), fields: unknown });
        let mut outcomes = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            outcomes.extend(self.write(rows.by_ref().take(self.writer.write_max()).collect()).await);
        }
        let [a, refused, moved, c] = outcomes.as_slice() else { broken("there is one outcome for each row") };
        check(matches!(refused, LeftOutcome::Rejected(_)), "a field that there is not is refused");
        let now = self.read(untouched.id()).await;
        check(now.is_some_and(|now| shows(&now, first, "one")), "a refused row is not written by half");
        let of = |outcome: &LeftOutcome, read: Option<&Record>, text: &str| {
            matches!(outcome, LeftOutcome::Written(shown)
                if Some(shown.id()) == read.map(Record::id) && shows(shown, first, text))
        };
        check(
            of(a, reads.first(), "a") && of(c, reads.get(2), "c") && *moved == LeftOutcome::Moved,
            "each row of a batch has an outcome of its own, in order",
        );
    }

    async fn deletions(&self) {
        let read = self.put(1, ["one", "two"]).await;
        self.bench.put(1, ["one", "somebody's"]).await;
        let outcome = self.one(LeftVerb::Delete(read.clone()), "moved", Vec::new()).await;
        check(
            self.read(read.id()).await.is_some(),
            "a record is not deleted when any of its fields has changed since it was read",
        );
        check(outcome == LeftOutcome::Moved, "a record that has changed since it was read is told as moved");
        let read = self.put(1, ["one", ""]).await;
        let outcome = self.one(LeftVerb::Delete(read.clone()), "delete", Vec::new()).await;
        check(outcome == LeftOutcome::Deleted, "a record that is as it was read can be deleted");
        check(self.read(read.id()).await.is_none(), "a record that was deleted is gone");
        let again = self.one(LeftVerb::Delete(read), "delete", Vec::new()).await;
        check(again == LeftOutcome::Gone, "a deletion may be repeated");
    }

    async fn creations(&self, offered: Writes) {
        let [first, second] = self.bench.fields();
        let fields = || vec![set(first, "O'Neill"), set(second, "made")];
        // A suite may run again on the same system.
        let name = |name: &str| format!("{name} {}", self.bench.collection());
        let made = match self.one(LeftVerb::Create, &name("one"), fields()).await {
            LeftOutcome::Written(made) | LeftOutcome::Found(made) => made,
            other => broken(&format!("a record can be made: {other:?}")),
        };
        check(shows(&made, first, "O'Neill") && shows(&made, second, "made"), "a creation is written");
        check(
            self.read(made.id()).await.as_ref() == Some(&made),
            "what was made can be read as it was shown",
        );
        let again = self.one(LeftVerb::Create, &name("one"), fields()).await;
        let is_first =
            |outcome: &LeftOutcome| matches!(outcome, LeftOutcome::Found(shown) if shown.id() == made.id());
        check(is_first(&again), "a creation that is repeated has found the first record");
        let other = self.bench.open().await;
        if let Some(writer) = other.writer() {
            let desk = Desk { bench: self.bench, source: Arc::clone(&self.source), writer };
            let again = desk.one(LeftVerb::Create, &name("one"), fields()).await;
            check(is_first(&again), "a creation can be repeated by another process");
        }
        let second_one = self.one(LeftVerb::Create, &name("two"), fields()).await;
        let (LeftOutcome::Written(second_one) | LeftOutcome::Found(second_one)) = second_one else {
            broken("equal records can be made")
        };
        check(second_one.id() != made.id(), "another token makes another record");
        let refused = self.one(LeftVerb::Create, &name("three"), vec![set("no such field", "x")]).await;
        check(matches!(refused, LeftOutcome::Rejected(_)), "a field that there is not is refused");
        if !offered.delete {
            return;
        }
        for record in [&made, &second_one] {
            let outcome = self.one(LeftVerb::Delete(record.clone()), "clean", Vec::new()).await;
            check(outcome == LeftOutcome::Deleted, "what was made can be deleted");
        }
        let anew = self.one(LeftVerb::Create, &name("one"), fields()).await;
        let (LeftOutcome::Written(anew) | LeftOutcome::Found(anew)) = anew else {
            broken("a record that was made and is gone can be made anew")
        };
        let outcome = self.one(LeftVerb::Delete(anew), "clean", Vec::new()).await;
        check(outcome == LeftOutcome::Deleted, "what was made can be deleted");
    }

    /// What is not offered is refused, and nothing happens.
    async fn withheld(&self, offered: Writes) {
        let [first, _] = self.bench.fields();
        let read = self.put(1, ["one", "two"]).await;
        let fields = || vec![set(first, "ours")];
        let mut outcomes = Vec::new();
        if !offered.update {
            outcomes.push(self.one(Self::update(&read), "no update", fields()).await);
        }
        if !offered.delete {
            outcomes.push(self.one(LeftVerb::Delete(read.clone()), "no delete", Vec::new()).await);
        }
        if !offered.create {
            outcomes.push(self.one(LeftVerb::Create, "no create", fields()).await);
        }
        check(
            outcomes.iter().all(|outcome| matches!(outcome, LeftOutcome::Rejected(_))),
            "what may not be written is refused",
        );
        check(self.read(read.id()).await == Some(read), "what may not be written stays as it is");
    }
}
