//! The binary as a process: what it logs, and what a kill and a Ctrl-C leave behind.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hubspot_sandbox::{Limits, PortalConfig};
use wholesale::business::Business;

use crate::shop::{Shop, TOKEN};

const SOUND: Business = Business { seed: 7, people: 10, mess: false, changed: 0, complete: false };

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_json_on_request_and_holds_no_token_and_no_persons_data() {
    let shop = Shop::open(&Business::new(60)).await;
    shop.expect(0, &["init", "--yes"]);
    let trace = ["--log", "json", "--set", "log.level=trace"];
    let logged = shop.expect(0, &[["apply", "--json"].as_slice(), &trace].concat()).err;
    let mut lines = 0;
    for line in logged.lines() {
        let entry: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(entry["level"].is_string(), "{line}");
        lines += 1;
    }
    assert!(lines > 20, "{lines} lines at level trace");
    assert!(!logged.contains(TOKEN), "the token is in the log");
    let people = std::fs::read_to_string(shop.path("data/people.csv")).unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(people.as_bytes());
    for person in reader.records() {
        let email = person.unwrap()[6].trim().to_lowercase();
        assert!(email.is_empty() || !logged.to_lowercase().contains(&email), "{email} is in the log");
    }
    // Without a request the log is silent when all is well.
    assert_eq!(shop.expect(0, &["run", "--once", "--json"]).err, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_apply_is_ended_by_the_next_one_without_a_duplicate() {
    let business = Business { mess: false, ..Business::new(400) };
    let shop = Shop::open(&business).await;
    shop.expect(0, &["init", "--yes"]);
    let mut apply = shop.command(&["apply"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // A line on standard error ends a link: by then some of the next one is on its way.
    let heard = lines(&mut apply).find(|line| line.starts_with("people: "));
    assert!(heard.is_some(), "the first links were brought over");
    apply.kill().unwrap();
    assert_eq!(apply.wait().unwrap().code(), None, "killed, not ended");
    shop.expect(0, &["apply"]);
    let verified = shop.expect(0, &["verify", "--json"]).json();
    assert_eq!(verified["difference_count"], 0);
    for link in verified["links"].as_array().unwrap() {
        assert_eq!((&link["records"], &link["foreign"]), (&link["source"], &0.into()), "{link}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_ends_well_when_it_is_asked_to_between_two_passes() {
    let shop = Shop::open(&SOUND).await;
    shop.expect(0, &["init", "--yes"]);
    let mut command = shop.command(&["run", "--every", "3600"]);
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(run.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(out.any(|line| line.starts_with("Next pass in 60 min")), "it waits for the next pass");
    assert!(Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(0));
    shop.expect(0, &["verify"]);
}

fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap)
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_apply_says_that_nothing_is_lost() {
    let mut config = PortalConfig { limits: Limits::Off, ..PortalConfig::new(TOKEN) };
    // Slow enough to be caught at work.
    config.latency = Duration::from_millis(100);
    let shop = Shop::with_portal(&Business { mess: false, ..Business::new(400) }, config).await;
    shop.expect(0, &["init", "--yes"]);
    let mut apply = shop.command(&["apply"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut err = lines(&mut apply);
    assert!(err.any(|line| line.starts_with("customers: ")), "it is at work");
    assert!(Command::new("kill").args(["-INT", &apply.id().to_string()]).status().unwrap().success());
    let told: Vec<String> = err.collect();
    assert_eq!(apply.wait().unwrap().code(), Some(1), "{told:?}");
    assert!(told.join("\n").contains("error: interrupted\n  what to do: nothing is lost"), "{told:?}");
}

#[cfg(unix)]
#[test]
fn a_demo_that_stays_shows_its_records_in_a_browser_until_ctrl_c() {
    let shop = Shop::without_portal();
    let mut command = shop.command(&["demo", "--stay", "--rows", "20"]);
    let mut demo = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = out.find(|line| line.contains("The portal stays up: ")).unwrap();
    let address = line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket
        .write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut page = String::new();
    socket.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("Machines"), "{page}");
    assert!(Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(0));
}
