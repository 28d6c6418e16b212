//! The program itself: what it prints, that it answers, how a signal ends it and what it leaves behind.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

const TOKEN: &str = "serve-test-token";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubspot-sandbox"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--token", TOKEN]).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running portal, killed if its test fails.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(snapshot: &Path) -> Served {
        Served::start_with(&["--snapshot", snapshot.to_str().unwrap()])
    }

    fn start_with(arguments: &[&str]) -> Served {
        let mut child = command(arguments).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://").unwrap().to_owned();
        Served { child, address }
    }

    fn send(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nHost: portal\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(mut self, name: &str) -> ExitStatus {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Already gone in every test that passes.
        let _ = self.child.kill();
    }
}

#[test]
fn a_signal_ends_it_cleanly_and_the_next_start_finds_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("portal.json");

    let first = Served::start(&snapshot);
    let created =
        first.send("POST /crm/v3/objects/contacts", r#"{"properties":{"email":"ada@example.com"}}"#);
    assert!(created.starts_with("HTTP/1.1 201 "), "{created}");
    assert!(first.signal("-TERM").success());

    let second = Served::start(&snapshot);
    let found = second.send("GET /crm/v3/objects/contacts/ada@example.com?idProperty=email", "");
    assert!(found.starts_with("HTTP/1.1 200 "), "{found}");
    assert!(second.send("GET /", "").contains("HubSpot sandbox"));
    assert!(second.signal("-INT").success());
}

#[test]
fn an_app_in_a_file_can_be_installed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.json");
    let app = r#"{"appId":1,"name":"From a file","clientId":"c","clientSecret":"s","redirectUris":["http://localhost/cb"]}"#;
    std::fs::write(&file, app).unwrap();
    let served = Served::start_with(&["--app", file.to_str().unwrap()]);
    let page =
        served.send("GET /oauth/authorize?client_id=c&redirect_uri=http://localhost/cb&scope=oauth", "");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("Connect From a file"), "{page}");
    assert!(served.signal("-TERM").success());
}

#[test]
fn a_bad_start_says_what_is_wrong_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let torn = folder.path().join("torn.json");
    std::fs::write(&torn, "{").unwrap();
    let nowhere = folder.path().join("missing").join("portal.json");
    for (arguments, words) in [
        (["--snapshot", torn.to_str().unwrap()], "cannot start from"),
        (["--snapshot", nowhere.to_str().unwrap()], "cannot write"),
        (["--listen", "192.0.2.1:1"], "cannot listen on 192.0.2.1:1"),
        (["--app", torn.to_str().unwrap()], "cannot take the app in"),
        (["--search-lag", "soon"], "write a duration such as 5s or 300ms"),
    ] {
        let output = command(&arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}
