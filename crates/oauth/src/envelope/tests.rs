//! What a sealed entry withstands.

use proptest::prelude::*;

use super::*;
use crate::entropy::SystemEntropy;

const NAME: &str = "grant/app/7";

fn key(byte: u8) -> MasterKey {
    MasterKey::from_base64(&SecretString::from(STANDARD.encode([byte; KEY]))).unwrap()
}

fn id(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

fn keys() -> Keys {
    Keys::new(id("k1"), key(1))
}

#[test]
fn what_is_sealed_opens_under_its_name_and_key_only() {
    let sealed = keys().seal(NAME, b"canary", &SystemEntropy).unwrap();
    assert_eq!(keys().open(NAME, &sealed).unwrap().as_slice(), b"canary");
    assert_eq!(keys().open("grant/app/8", &sealed).unwrap_err(), EnvelopeError::Damaged);
    assert_eq!(Keys::new(id("k1"), key(2)).open(NAME, &sealed).unwrap_err(), EnvelopeError::Damaged);
    let others = Keys::new(id("k2"), key(1));
    assert_eq!(others.open(NAME, &sealed).unwrap_err(), EnvelopeError::UnknownKey(id("k1")));
    assert!(!sealed.as_bytes().windows(6).any(|window| window == b"canary"));
}

#[test]
fn sealing_twice_gives_nothing_in_common() {
    let sealed = |_| keys().seal(NAME, b"the same", &SystemEntropy).unwrap();
    let [first, second] = [0, 1].map(sealed);
    let tail = |sealed: &Sealed| sealed.as_bytes()[6..].to_vec();
    assert!(tail(&first).iter().zip(tail(&second)).filter(|(a, b)| *a == b).count() < 16);
}

#[test]
fn rotation_moves_an_entry_to_the_current_key_and_leaves_its_body() {
    let sealed = keys().seal(NAME, b"content", &SystemEntropy).unwrap();
    let both = Keys::new(id("k2"), key(2)).with_former(id("k1"), key(1));
    assert_eq!(both.open(NAME, &sealed).unwrap().as_slice(), b"content");
    let rotated = both.rotate(NAME, &sealed, &SystemEntropy).unwrap().unwrap();
    assert_eq!(Keys::new(id("k2"), key(2)).open(NAME, &rotated).unwrap().as_slice(), b"content");
    assert_eq!(keys().open(NAME, &rotated).unwrap_err(), EnvelopeError::UnknownKey(id("k2")));
    assert_eq!(both.rotate(NAME, &rotated, &SystemEntropy).unwrap(), None);
    let body = |sealed: &Sealed| sealed.as_bytes()[sealed.as_bytes().len() - 23..].to_vec();
    assert_eq!(body(&sealed), body(&rotated));
}

#[test]
fn keys_and_ids_that_cannot_be_are_refused() {
    for text in ["", "short", "AAAA", &STANDARD.encode([0; 31]), &STANDARD.encode([0; 33]), "ü"] {
        assert_eq!(MasterKey::from_base64(&SecretString::from(text)).err(), Some(EnvelopeError::MasterKey));
    }
    for name in ["", "a b", "ä", &"x".repeat(65)] {
        assert_eq!(KeyId::new(name), Err(EnvelopeError::KeyId), "{name}");
    }
    let made = MasterKey::generate(&SystemEntropy).unwrap();
    assert!(MasterKey::from_base64(&made).is_ok());
}

#[test]
fn no_random_bytes_no_envelope() {
    #[derive(Debug)]
    struct Dry;
    impl Entropy for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
            Err(NoEntropy)
        }
    }
    assert_eq!(keys().seal(NAME, b"x", &Dry), Err(EnvelopeError::NoEntropy(NoEntropy)));
}

proptest! {
    #[test]
    fn any_content_comes_back(content: Vec<u8>, name: String) {
        let sealed = keys().seal(&name, &content, &SystemEntropy).unwrap();
        prop_assert_eq!(keys().open(&name, &sealed).unwrap().to_vec(), content);
    }

    #[test]
    fn a_changed_byte_or_a_cut_opens_nothing(at: proptest::sample::Index, flip in 1_u8..) {
        let sealed = keys().seal(NAME, b"some content", &SystemEntropy).unwrap();
        let mut changed = sealed.as_bytes().to_vec();
        let at = at.index(changed.len());
        changed[at] ^= flip;
        prop_assert!(keys().open(NAME, &Sealed::from_bytes(changed)).is_err());
        let cut = Sealed::from_bytes(sealed.as_bytes()[..at].to_vec());
        prop_assert!(keys().open(NAME, &cut).is_err());
    }

    #[test]
    fn nonsense_opens_nothing_and_harms_nothing(bytes: Vec<u8>) {
        prop_assert!(keys().open(NAME, &Sealed::from_bytes(bytes)).is_err());
    }
}
