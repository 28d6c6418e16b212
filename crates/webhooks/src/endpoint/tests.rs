//! Which URL is verified, and whose requests are turned away.

use super::*;

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

#[test]
fn the_url_comes_from_the_configuration_and_the_query_from_the_request() {
    let at = Endpoint::at("https://hooks.example.com/hubspot/events").unwrap();
    let below = Endpoint::below("https://example.com/hubspot/").unwrap();
    for (endpoint, target, called) in [
        (&at, "/", "https://hooks.example.com/hubspot/events"),
        (&at, "/rewritten?a=%3A&b", "https://hooks.example.com/hubspot/events?a=%3A&b"),
        (&at, "http://evil.example/x?y", "https://hooks.example.com/hubspot/events?y"),
        (&below, "/cards?x=1", "https://example.com/hubspot/cards?x=1"),
        (&below, "/", "https://example.com/hubspot/"),
        (&below, "/a%2Fb", "https://example.com/hubspot/a%2Fb"),
    ] {
        assert_eq!(endpoint.called(&uri(target)), called);
    }
}

#[test]
fn a_request_for_another_host_is_not_meant() {
    let endpoint = Endpoint::at("https://hooks.example.com/x").unwrap();
    for (hosts, meant) in [
        (&["hooks.example.com"][..], true),
        (&["HOOKS.example.com"], true),
        (&["hooks.example.com:443"], true),
        (&["hooks.example.com:8443"], false),
        (&["evil.example"], false),
        (&["hooks.example.com.evil.example"], false),
        (&["evil.example", "hooks.example.com"], false),
        (&["hooks.example.com", "hooks.example.com"], false),
        (&[], false),
    ] {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().unwrap());
        }
        assert_eq!(endpoint.is_meant(&uri("/x"), &headers), meant, "{hosts:?}");
        assert!(endpoint.clone().or_any_host().is_meant(&uri("/x"), &headers));
    }
    let mut headers = HeaderMap::new();
    headers.append(HOST, "receiver.internal:8080".parse().unwrap());
    assert!(!endpoint.is_meant(&uri("/x"), &headers));
    assert!(endpoint.or_host("receiver.internal:8080").is_meant(&uri("/x"), &headers));
    let local = Endpoint::at("http://127.0.0.1:9000/hooks").unwrap();
    headers.insert(HOST, "127.0.0.1:9000".parse().unwrap());
    assert!(local.is_meant(&uri("/hooks"), &headers));
}

#[test]
fn what_hubspot_cannot_call_is_refused_with_the_reason() {
    for (url, part) in [
        ("hooks.example.com", "not a URL"),
        ("", "not a URL"),
        ("http://hooks.example.com/", "https addresses only"),
        ("ftp://127.0.0.1/", "https addresses only"),
        ("https://user:secret@hooks.example.com/", "must have no user"),
        ("https://hooks.example.com/?a=b", "must have no user"),
        ("https://hooks.example.com/#part", "must have no user"),
    ] {
        for made in [Endpoint::at(url), Endpoint::below(url)] {
            let error = made.unwrap_err().to_string();
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
    assert!(Endpoint::at("http://localhost:8080/").is_ok());
    assert!(Endpoint::at("http://[::1]:8080/").is_ok());
}
