//! Both directions as a user starts them: the binary, a SQLite file that people edit, and a local portal.

mod serve;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use http_transport::{Clock as _, TokioClock};
use hubspot_sandbox::{Limits, Portal, PortalConfig, Server, StoredRecord};
use rusqlite::Connection;
use serde_json::Value;

struct Club {
    folder: tempfile::TempDir,
    server: Server,
}

impl Club {
    async fn open() -> Club {
        Club::open_with(|_| {}).await
    }

    async fn open_with(change: impl FnOnce(&mut PortalConfig)) -> Club {
        // Search shows what was written at once: no test waits for an index.
        let mut config =
            PortalConfig { limits: Limits::Off, search_lag: Duration::ZERO, ..PortalConfig::new("demo") };
        change(&mut config);
        let server = Server::start("127.0.0.1:0".parse().unwrap(), Portal::new(config)).await.unwrap();
        let club = Club { folder: tempfile::tempdir().unwrap(), server };
        club.sql(include_str!("../../club.sql"));
        club
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("club.sqlite")
    }

    fn sql(&self, sql: &str) {
        Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
    }

    /// One value of the member with this e-mail address.
    fn member(&self, email: &str, column: &str) -> String {
        let sql = format!("SELECT CAST({column} AS TEXT) FROM member WHERE email = ?1");
        let file = Connection::open(self.file()).unwrap();
        file.query_row(&sql, [email], |row| row.get::<_, Option<String>>(0)).unwrap().unwrap_or_default()
    }

    fn members(&self) -> i64 {
        let file = Connection::open(self.file()).unwrap();
        file.query_row("SELECT count(*) FROM member", [], |row| row.get(0)).unwrap()
    }

    fn contacts(&self) -> Vec<StoredRecord> {
        let portal = self.server.portal();
        let page = portal.lock().unwrap().records("contacts", 0, 100_000).unwrap();
        page.records.into_iter().filter(|contact| !contact.archived).collect()
    }

    fn contact(&self, email: &str) -> StoredRecord {
        let found = self.contacts().into_iter().find(|contact| contact.properties["email"] == email);
        found.unwrap_or_else(|| panic!("no contact {email}"))
    }

    /// Somebody edits a contact in HubSpot.
    fn edit(&self, email: &str, property: &str, value: &str) {
        let (now, id) = (TokioClock::start().now(), self.contact(email).id);
        let portal = self.server.portal();
        portal.lock().unwrap().edit_as_user(now, "contacts", id, [(property, value)]).unwrap();
    }

    /// The program with these arguments, in the club's folder and with its portal.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_club"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KIT_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.folder.path()).args(arguments);
        command.env("KIT_HUBSPOT_URL", self.server.url()).env("KIT_HUBSPOT_TOKEN", "demo");
        command.env("KIT_HUBSPOT_LIMITS", "off");
        command
    }

    fn run(&self, code: i32, arguments: &[&str]) -> (Value, String) {
        let output = self.command(arguments).arg("--json").output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        let out = if out.is_empty() { Value::Null } else { serde_json::from_str(&out).unwrap() };
        (out, err.into_owned())
    }

    /// One run, and these numbers of its one link.
    fn pass(&self, fields: &[&str]) -> Vec<u64> {
        let (report, _) = self.run(0, &["run", "--once"]);
        let link = &report["links"][0];
        fields.iter().map(|field| link[*field].as_u64().unwrap()).collect()
    }
}

const WRITTEN: [&str; 4] = ["created", "updated", "brought_back", "created_left"];

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_on_either_side_arrives_on_the_other_and_then_all_is_quiet() {
    let club = Club::open().await;
    club.run(0, &["init", "--yes"]);
    assert_eq!(club.run(0, &["doctor"]).0["good"], true);
    assert_eq!(club.pass(&WRITTEN), [3, 0, 0, 0]);

    // An edit on each side, one on both to different values, and somebody new on each.
    club.sql("UPDATE member SET town = 'Oxford' WHERE number = 101");
    club.edit("grace@example.com", "city", "New York");
    club.edit("grace@example.com", "phone", "");
    club.sql("UPDATE member SET job = 'ours', town = 'Manchester', points = 9 WHERE number = 103");
    club.edit("alan@example.com", "jobtitle", "theirs");
    club.edit("alan@example.com", "city", "theirs");
    club.edit("alan@example.com", "points", "8");
    club.sql("INSERT INTO member (number, email, last_name) VALUES (104, 'edsger@example.com', 'Dijkstra')");
    let now = TokioClock::start().now();
    let new = [("email", "barbara@example.com"), ("lastname", "Liskov"), ("points", "3")];
    club.server.portal().lock().unwrap().create_as_user(now, "contacts", new).unwrap();

    let [created, updated, brought_back, created_left] = club.pass(&WRITTEN)[..] else { unreachable!() };
    assert_eq!((created, created_left), (1, 1));
    assert!(updated + brought_back >= 3, "{updated} and {brought_back}");
    assert_eq!(club.contact("ada@example.com").properties["city"], "Oxford");
    assert_eq!(club.member("grace@example.com", "town"), "New York");
    assert_eq!(club.member("grace@example.com", "phone"), "", "what was cleared there is cleared here");
    for (column, property, wins) in
        [("job", "jobtitle", "theirs"), ("town", "city", "Manchester"), ("points", "points", "9")]
    {
        assert_eq!(club.member("alan@example.com", column), wins, "{column} is decided by its policy");
        assert_eq!(club.contact("alan@example.com").properties[property], wins, "{property}");
    }
    assert_eq!(club.member("barbara@example.com", "points"), "3");
    assert_eq!(club.contact("edsger@example.com").properties["lastname"], "Dijkstra");

    assert_eq!(club.pass(&WRITTEN), [0, 0, 0, 0], "the echoes are no changes");
    assert_eq!((club.members(), club.contacts().len()), (5, 5));
    let (verified, _) = club.run(0, &["verify"]);
    assert_eq!(verified["difference_count"], 0, "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_both_directions_is_what_apply_writes() {
    let club = Club::open().await;
    club.run(0, &["init", "--yes"]);
    club.pass(&[]);
    club.sql("UPDATE member SET town = 'Oxford' WHERE number = 101");
    club.edit("grace@example.com", "city", "New York");
    club.edit("alan@example.com", "city", "Cambridge");
    let (plan, _) = club.run(2, &["plan", "--out", "plan.jsonl"]);
    assert_eq!(club.member("grace@example.com", "town"), "Arlington", "a plan writes nothing: {plan}");
    // Somebody is faster than the plan: that record waits for the next look.
    club.sql("UPDATE member SET town = 'Manchester' WHERE number = 103");
    club.run(2, &["apply", "plan.jsonl"]);
    assert_eq!(club.contact("ada@example.com").properties["city"], "Oxford");
    assert_eq!(club.member("grace@example.com", "town"), "New York");
    assert_eq!(club.member("alan@example.com", "town"), "Manchester", "what is newer than the plan stays");
    club.pass(&[]);
    assert_eq!(club.contact("alan@example.com").properties["city"], "Manchester");
    assert_eq!(club.pass(&WRITTEN), [0, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_decides_where_the_mapping_says_so() {
    let club = Club::open().await;
    let mapping = include_str!("../../mapping.toml").replace("conflict = \"source\"", "conflict = \"ask\"");
    std::fs::write(club.folder.path().join("mapping.toml"), mapping).unwrap();
    let with = |arguments: &[&'static str]| -> Vec<&'static str> {
        arguments.iter().copied().chain(["--set", "mapping.file=mapping.toml"]).collect()
    };
    club.run(0, &with(&["init", "--yes"]));
    club.run(0, &with(&["run", "--once"]));
    club.sql("UPDATE member SET town = 'Manchester' WHERE number = 103");
    club.edit("alan@example.com", "city", "Cambridge");
    let (report, _) = club.run(0, &with(&["run", "--once"]));
    assert_eq!(report["links"][0]["held"], 1, "{report}");
    assert_eq!(club.member("alan@example.com", "town"), "Manchester");
    assert_eq!(club.contact("alan@example.com").properties["city"], "Cambridge");
    let (held, _) = club.run(0, &with(&["conflicts", "list"]));
    assert!(held.to_string().contains("103"), "{held}");
    club.run(0, &with(&["conflicts", "resolve", "--take", "hubspot", "--all"]));
    club.run(0, &with(&["run", "--once"]));
    assert_eq!(club.member("alan@example.com", "town"), "Cambridge");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_file_refuses_is_parked_and_the_others_go_on() {
    let club = Club::open().await;
    club.run(0, &["init", "--yes"]);
    club.pass(&[]);
    club.edit("ada@example.com", "points", "-5");
    club.edit("grace@example.com", "city", "New York");
    let (report, _) = club.run(0, &["run", "--once"]);
    assert_eq!(report["links"][0]["brought_back"], 1, "{report}");
    assert_eq!(club.member("grace@example.com", "town"), "New York");
    assert_eq!(club.member("ada@example.com", "points"), "12");
    let (letters, _) = club.run(0, &["dead-letters", "list"]);
    assert_eq!((&letters[0]["id"], &letters[0]["cause"]), (&"101".into(), &"constraint".into()), "{letters}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_leave_to_write_nothing_runs() {
    let club = Club::open().await;
    club.run(0, &["init", "--yes"]);
    for command in [&["run", "--once"][..], &["plan"], &["doctor"]] {
        let arguments: Vec<&str> = command.iter().copied().chain(["--set", "source.write=false"]).collect();
        let (out, err) = club.run(1, &arguments);
        let told = format!("{out}{err}");
        assert!(told.contains("`members` brings changes of HubSpot to the source"), "{told}");
        assert!(told.contains("source.write = true"), "{told}");
    }
    assert_eq!(club.contacts().len(), 0);
}

/// A report's numbers by their names, of the only link.
fn counts(step: &Value, names: &[&str]) -> Vec<u64> {
    let link = &step["run"]["report"]["links"][0];
    names.iter().map(|name| link[*name].as_u64().unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_shows_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_club"))
        .current_dir(folder.path())
        .args(["demo", "--json", "--folder", "."])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_str(&told).unwrap();
    let then = |chapter: usize, step: usize| &told["chapters"][chapter]["then"][step];

    assert_eq!(counts(then(0, 0), &["updated", "brought_back"]), [1, 1], "an edit on each side");
    assert_eq!(counts(then(0, 1), &["updated", "brought_back"]), [0, 0], "their echo");
    assert_eq!([&then(1, 0)["conflicts"], &then(1, 1)["decided"], &then(1, 2)["conflicts"]], [1, 1, 0]);
    assert_eq!(counts(then(2, 0), &["created"]), [1], "made although its answer was lost");
    assert_eq!(counts(then(3, 0), &["created_left"]), [1], "a second Ada");
    assert_eq!(counts(then(4, 2), &["deleted"]), [0], "a merge deletes nobody");
    assert_eq!(counts(then(5, 0), &["deleted"]), [0], "a deletion is not believed at once");
    assert_eq!(counts(then(5, 2), &["gone"]), [1], "and is once it has lasted");
    assert_eq!(counts(then(6, 0), &["updated"]), [3], "the mistake travels");
    assert_eq!(then(7, 0)["undo"]["links"][0]["updated"], 3, "and is taken back");
    assert_eq!(counts(then(7, 1), &["updated", "brought_back"]), [0, 0]);

    let file = Connection::open(folder.path().join("source.db")).unwrap();
    let mut rows =
        file.prepare("SELECT number || ' ' || coalesce(town, '') FROM member ORDER BY number").unwrap();
    let rows: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows[..3], ["101 Oxford", "102 Arlington", "104 "], "Alan is gone");
    assert!(folder.path().join("certificate.json").is_file());
}
