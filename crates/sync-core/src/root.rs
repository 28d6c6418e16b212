//! One number for a set of records: the same set gives the same number, in whatever order it was read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::mutation::{self, Bug};

/// The sum, modulo 2²⁵⁶, of a hash of each member. Who can find two different sets with one sum has found a weakness
/// of SHA-256 or of lattices; and a certificate that holds a sum is signed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Root([u8; 32]);

impl Root {
    /// Adds a member, given in parts. No two different lists of parts are one member.
    pub fn add<'a>(&mut self, parts: impl IntoIterator<Item = &'a [u8]>) {
        let mut hasher = Sha256::new();
        for part in parts {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut carry = 0_u16;
        for (sum, byte) in self.0.iter_mut().zip(hasher.finalize()) {
            if mutation::is(Bug::RootCancels) {
                *sum ^= byte;
                continue;
            }
            let added = u16::from(*sum) + u16::from(byte) + carry;
            let [low, high] = added.to_le_bytes();
            *sum = low;
            carry = u16::from(high);
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({self})")
    }
}

impl FromStr for Root {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Root, &'static str> {
        const WRONG: &str = "a root has 64 hexadecimal digits";
        let digits: Vec<u8> = text
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or(WRONG)?;
        let (pairs, []) = digits.as_chunks::<2>() else { return Err(WRONG) };
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        Ok(Root(bytes.try_into().map_err(|_| WRONG)?))
    }
}

impl Serialize for Root {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Root {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Root, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn root(members: &[(String, String)]) -> Root {
        let mut root = Root::default();
        for (a, b) in members {
            root.add([a.as_bytes(), b.as_bytes()]);
        }
        root
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter_and_every_member_does(
            mut members in proptest::collection::vec((".{0,3}", ".{0,3}"), 1..9),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = root(&members);
            members.reverse();
            prop_assert_eq!(root(&members), whole);
            prop_assert_eq!(whole.to_string().parse(), Ok(whole));
            members.remove(cut.index(members.len()));
            prop_assert_ne!(root(&members), whole);
        }
    }

    #[test]
    fn parts_are_kept_apart_and_nonsense_is_refused() {
        let of = |a: &str, b: &str| root(&[(a.into(), b.into())]);
        assert_ne!(of("ab", "c"), of("a", "bc"));
        for text in ["", "zz", "abc", &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert!(text.parse::<Root>().is_err(), "{text}");
        }
    }
}
