//! What a certificate withstands: changed texts, foreign keys, and links that were taken out of the chain.

use std::path::{Path, PathBuf};

use sync_core::certificate::{Certificate, OpenItems};
use sync_core::{Level, LinkVerify};

use super::*;
use crate::settings::Signing;

fn signing(folder: &Path, name: &str) -> Signing {
    Signing { key: None, file: folder.join(name) }
}

fn certificate(number: u64, previous: Option<String>) -> Certificate {
    let numbers = LinkVerify { link: "people <&>".into(), source: 3, in_sync: 3, ..LinkVerify::default() };
    Certificate {
        format: FORMAT.into(),
        kit: "0.1.0".into(),
        engagement: "acme".into(),
        portal: "123".into(),
        mapping: "00000000000000aa".into(),
        number,
        previous,
        made: "2026-11-22T05:00:00Z".parse().unwrap(),
        level: Level::Edges,
        proves: Level::Edges.proves().into(),
        last_run: Some(7),
        cursors: [("contacts".to_owned(), "c".to_owned())].into(),
        links: vec![sync_core::certificate::CertifiedLink {
            numbers,
            source_unexplained: 0,
            records_unexplained: 0,
        }],
        edges_compared: 2,
        edges_agree: 2,
        open: OpenItems::default(),
        difference_count: 0,
        differences_by_reason: std::collections::BTreeMap::new(),
        differences: Vec::new(),
        agrees: true,
    }
}

/// A chain of three in a folder.
fn chain(folder: &Path) -> Vec<PathBuf> {
    let signer = Signer::open(&signing(folder, "own.key")).unwrap();
    let mut previous = None;
    let mut files = Vec::new();
    for number in 1..=3 {
        let file = place(folder, number).unwrap();
        let written = write(&certificate(number, previous), &signer, &file).unwrap();
        previous = Some(written.hash);
        files.push(written.json);
    }
    files
}

fn refuses(files: &[PathBuf], key: Option<&str>, words: &str) {
    let refused = check(files, key).unwrap_err();
    assert!(refused.to_string().contains(words), "{refused}");
}

#[test]
fn a_chain_is_checked_in_any_order_and_each_file_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let files = chain(folder.path());
    let shuffled = [files[2].clone(), files[0].clone(), files[1].clone()];
    let checked = check(&shuffled, None).unwrap();
    assert_eq!(checked.iter().map(|checked| checked.certificate.number).collect::<Vec<_>>(), [1, 2, 3]);
    check(&files[1..], Some(&checked[0].public_key)).unwrap();
    let page = std::fs::read_to_string(files[1].with_extension("html")).unwrap();
    assert!(page.contains(&checked[1].hash) && page.contains(&checked[0].hash), "{page}");
    assert!(page.contains("people &lt;&amp;&gt;") && page.contains("Both sides agree"), "{page}");
    let taken = place(&files[0], 9).unwrap_err();
    assert!(taken.to_string().contains("there already"), "{taken}");
}

#[test]
fn a_certificate_claims_no_more_than_its_level_proves() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::open(&signing(folder.path(), "own.key")).unwrap();
    for level in Level::ALL {
        let proves = level.proves().to_owned();
        let made = Certificate { level, proves, ..certificate(1, None) };
        let written = write(&made, &signer, &folder.path().join(format!("{level}.json"))).unwrap();
        let page = std::fs::read_to_string(written.html).unwrap();
        assert_eq!(page.contains("Both sides agree"), level >= Level::Fields, "{level}: {page}");
        assert_eq!(page.contains("compares no value"), level < Level::Fields, "{level}");
        assert_eq!(page.contains("Associations were not compared"), level < Level::Edges, "{level}");
        for text in [page, std::fs::read_to_string(written.json).unwrap()] {
            assert!(text.replace("&#x27;", "'").contains(level.proves()), "{level}: {text}");
        }
    }
}

#[test]
fn what_was_changed_left_out_or_signed_by_another_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = chain(folder.path());
    refuses(&[files[0].clone(), files[2].clone()], None, "number 2 is missing");
    refuses(&[files[0].clone(), files[0].clone()], None, "two ends");
    refuses(&files, Some("somebody else's"), "not with somebody else's");

    let text = std::fs::read_to_string(&files[1]).unwrap();
    let changed = folder.path().join("changed.json");
    for (from, to) in
        [("acme", "acmf"), ("\"agrees\": true", "\"agrees\": false"), ("  \"number\"", " \"number\"")]
    {
        std::fs::write(&changed, text.replacen(from, to, 1)).unwrap();
        refuses(std::slice::from_ref(&changed), None, "was changed since it was signed");
    }
    std::fs::write(&changed, "{}").unwrap();
    refuses(std::slice::from_ref(&changed), None, "no certificate of this kit");

    // Made anew under the same number, with the right key: the next one does not follow it.
    let signer = Signer::open(&signing(folder.path(), "own.key")).unwrap();
    std::fs::remove_file(&changed).unwrap();
    let other = Certificate { edges_compared: 9, ..certificate(2, None) };
    let first = check(&files[..1], None).unwrap().remove(0);
    write(&Certificate { previous: Some(first.hash), ..other }, &signer, &changed).unwrap();
    refuses(&[files[0].clone(), changed.clone(), files[2].clone()], None, "one of them was replaced");

    // With a key of one's own.
    let stranger = Signer::open(&signing(folder.path(), "stranger.key")).unwrap();
    let forged = folder.path().join("forged.json");
    let second = check(&files[1..2], None).unwrap().remove(0);
    write(&certificate(3, Some(second.hash)), &stranger, &forged).unwrap();
    refuses(&[files[1].clone(), forged], None, "another key");
}

#[test]
fn the_key_file_is_made_once_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let settings = signing(folder.path(), "state.db.key");
    assert!(Signer::find(&settings).unwrap().is_none());
    let first = Signer::open(&settings).unwrap();
    assert_eq!(Signer::open(&settings).unwrap().public_key(), first.public_key());
    assert!(!format!("{first:?}").contains(std::fs::read_to_string(&settings.file).unwrap().trim()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&settings.file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::write(&settings.file, "short").unwrap();
    let wrong = Signer::open(&settings).unwrap_err();
    assert!(wrong.to_string().contains("openssl rand -base64 32"), "{wrong}");
}
