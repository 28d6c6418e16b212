//! Laws of sync keys and of the sums in a certificate.

use fastrand::Rng;
use sync_core::{Root, sync_key};

use super::ensure;

fn word(rng: &mut Rng) -> String {
    (0..rng.usize(0..3)).map(|_| ['a', 'b', 'é'][rng.usize(0..3)]).collect()
}

/// Two keys are the same if and only if all that they are made of is.
pub(super) fn apart(rng: &mut Rng) -> Result<(), String> {
    let parts = |rng: &mut Rng| (word(rng), word(rng), word(rng), rng.u32(0..2));
    let (one, other) = (parts(rng), parts(rng));
    let key = |(engagement, link, id, generation): &(String, String, String, u32)| {
        sync_key(engagement, link, &id.as_str().into(), *generation)
    };
    ensure((key(&one) == key(&other)) == (one == other), || format!("{one:?} and {other:?}"))
}

/// Two sums are the same if and only if the same members were added, as often, in whatever order.
pub(super) fn roots(rng: &mut Rng) -> Result<(), String> {
    let members = |rng: &mut Rng| (0..rng.usize(0..4)).map(|_| (word(rng), word(rng))).collect::<Vec<_>>();
    let (mut one, mut other) = (members(rng), members(rng));
    if rng.bool() {
        other.clone_from(&one);
        rng.shuffle(&mut other);
        if rng.bool() {
            // One member more, twice.
            let extra = (word(rng), word(rng));
            other.extend([extra.clone(), extra]);
        }
    }
    let root = |members: &[(String, String)]| {
        let mut root = Root::default();
        for (near, far) in members {
            root.add([near.as_bytes(), far.as_bytes()]);
        }
        root
    };
    let (first, second) = (root(&one), root(&other));
    one.sort();
    other.sort();
    ensure((first == second) == (one == other), || format!("{one:?} and {other:?}"))
}
