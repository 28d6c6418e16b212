//! Laws of the engine's pure parts, tried on cases without number: the lowest level of the simulation.
//!
//! Each law names the invariants that rest on it. A case is made from chance alone, so that a seed repeats it.

mod fields;
mod keys;
mod model;
mod rows;
mod stores;

use fastrand::Rng;

/// Something that must hold of every case.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Its name.
    pub name: &'static str,
    /// The invariants that rest on it, by the numbers in the book of the simulation.
    pub keeps: &'static str,
    /// How many cases of others cost as much as one of this.
    pub cost: u64,
    try_one: fn(&mut Rng) -> Result<(), String>,
}

/// Every law.
pub const ALL: &[Law] = &[
    Law { name: "fields-come-to-the-model's-end", keeps: "I5 I6 I15 I25 I26", cost: 1, try_one: fields::end },
    Law { name: "order-of-a-batch-does-not-matter", keeps: "I23", cost: 4, try_one: fields::shuffled },
    Law { name: "unread-is-no-reason-to-write", keeps: "I22", cost: 1, try_one: fields::unread },
    Law { name: "no-override-unsaid", keeps: "I6", cost: 1, try_one: fields::overrides },
    Law { name: "only-forward", keeps: "I21", cost: 1, try_one: fields::forward },
    Law { name: "a-word-holds-for-what-was-shown", keeps: "I6", cost: 1, try_one: fields::said },
    Law { name: "rows-come-to-the-model's-end", keeps: "I12 I15 I25 I26", cost: 1, try_one: rows::planned },
    Law { name: "first-contact-fills", keeps: "I6", cost: 1, try_one: rows::first_contact },
    Law { name: "unchanged-means-linked", keeps: "I25", cost: 1, try_one: rows::unchanged },
    Law { name: "one-agreement-a-property", keeps: "I7", cost: 1, try_one: rows::agreement },
    Law { name: "deletions-by-policy-and-fuse", keeps: "I9", cost: 1, try_one: rows::deletions },
    Law { name: "keys-tell-records-apart", keeps: "I1", cost: 4, try_one: keys::apart },
    Law { name: "roots-tell-sets-apart", keeps: "I20", cost: 8, try_one: keys::roots },
    Law { name: "stores-keep-what-they-are-told", keeps: "I2 I7 I11 I19", cost: 400, try_one: stores::same },
    Law { name: "a-file-has-one-holder", keeps: "I18", cost: 20_000, try_one: stores::held },
];

/// A law that does not hold, and for what.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The law.
    pub law: &'static str,
    /// The case that broke it: the same for the same seed.
    pub case: u64,
    /// What was found.
    pub what: String,
}

impl Law {
    /// Tries cases of this law; the number of each is its seed.
    ///
    /// # Errors
    /// The first case that breaks it.
    pub fn hold(&self, cases: std::ops::Range<u64>) -> Result<(), Broken> {
        for case in cases {
            // Neighbouring seeds make neighbouring streams: a case gets one far from the next.
            let mut rng = Rng::with_seed(case.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            (self.try_one)(&mut rng).map_err(|what| Broken { law: self.name, case, what })?;
        }
        Ok(())
    }

    /// How many cases of it this many of an ordinary law are worth: at least one.
    #[must_use]
    pub fn share(&self, cases: u64) -> u64 {
        (cases / self.cost).max(1)
    }
}

/// Tries so many cases of the cheapest laws, and as many of the others as cost the same.
///
/// # Errors
/// The first law that does not hold.
pub fn hold_all(cases: u64) -> Result<u64, Broken> {
    let mut tried = 0;
    for law in ALL {
        let share = law.share(cases);
        law.hold(0..share)?;
        tried += share;
    }
    Ok(tried)
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
