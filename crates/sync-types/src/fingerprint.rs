//! Keyed fingerprints: what the state store keeps in place of customers' values.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::Value;

/// A keyed 64-bit hash of a canonical value. Equal values have equal fingerprints under one key; two different
/// values share one by chance with probability 2⁻⁶⁴.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Makes fingerprints under one secret key, so that nobody without the key can test guesses against the store.
#[derive(Clone)]
pub struct Fingerprinter {
    key: [u8; 16],
}

impl Fingerprinter {
    /// A fingerprinter under this key.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Fingerprinter {
        Fingerprinter { key }
    }

    /// The fingerprint of one canonical value.
    #[must_use]
    pub fn value(&self, value: &Value) -> Fingerprint {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        feed(&mut hasher, value);
        Fingerprint(hasher.finish())
    }

    /// The fingerprint of several values in order, mixed with a salt such as the mapping's own fingerprint.
    pub fn values<'a>(&self, salt: u64, values: impl IntoIterator<Item = &'a Value>) -> Fingerprint {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write_u64(salt);
        for value in values {
            feed(&mut hasher, value);
        }
        Fingerprint(hasher.finish())
    }

    /// The fingerprint of a text that is not a value, such as a natural key.
    #[must_use]
    pub fn text(&self, text: &str) -> Fingerprint {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        feed_text(&mut hasher, 9, text);
        Fingerprint(hasher.finish())
    }
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinter(key hidden)")
    }
}

/// Feeds a value in a form in which no two different values give the same bytes: tag, length, content.
fn feed(hasher: &mut SipHasher24, value: &Value) {
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Bool(value) => {
            hasher.write_u8(1);
            hasher.write_u8(u8::from(*value));
        }
        Value::Number(value) => {
            hasher.write_u8(2);
            hasher.write(&value.normalize().serialize());
        }
        Value::Date(value) => {
            hasher.write_u8(3);
            hasher.write_i16(value.year());
            hasher.write_i8(value.month());
            hasher.write_i8(value.day());
        }
        Value::DateTime(value) => {
            hasher.write_u8(4);
            hasher.write_i128(value.as_nanosecond());
        }
        Value::Text(value) => feed_text(hasher, 5, value),
        Value::List(items) => {
            hasher.write_u8(6);
            hasher.write_u64(items.len() as u64);
            for item in items {
                feed(hasher, item);
            }
        }
        Value::Object(entries) => {
            hasher.write_u8(7);
            hasher.write_u64(entries.len() as u64);
            for (name, value) in entries {
                feed_text(hasher, 8, name);
                feed(hasher, value);
            }
        }
    }
}

fn feed_text(hasher: &mut SipHasher24, tag: u8, text: &str) {
    hasher.write_u8(tag);
    hasher.write_u64(text.len() as u64);
    hasher.write(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn equal_values_agree_and_different_ones_do_not() {
        let print = Fingerprinter::new(*b"0123456789abcdef");
        let number = |text: &str| Value::Number(text.parse::<Decimal>().unwrap());
        assert_eq!(print.value(&number("1.50")), print.value(&number("1.5")));
        let different = [
            Value::Null,
            Value::Bool(false),
            Value::Bool(true),
            number("0"),
            number("1"),
            Value::Text("0".into()),
            Value::Text("ab".into()),
            Value::List(vec!["a".into(), "b".into()]),
            Value::List(vec!["ab".into()]),
            Value::List(vec![Value::List(vec!["a".into()]), "b".into()]),
            Value::Date(jiff::civil::date(2026, 1, 2)),
            Value::DateTime("2026-01-02T00:00:00Z".parse().unwrap()),
        ];
        for (i, a) in different.iter().enumerate() {
            for (j, b) in different.iter().enumerate() {
                assert_eq!(print.value(a) == print.value(b), i == j, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn another_key_gives_another_fingerprint_and_debug_hides_it() {
        let (a, b) = (Fingerprinter::new([1; 16]), Fingerprinter::new([2; 16]));
        let value = Value::text("ada@example.com");
        assert_ne!(a.value(&value), b.value(&value));
        assert_eq!(format!("{a:?} {value:?}"), "Fingerprinter(key hidden) text(15 bytes)");
    }
}
