//! How deep a verification looks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How deep a verification looks; each level does what the ones before it do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// V0: how many records there are on either side, by class.
    Counts,
    /// V1: which records: every linked one is in HubSpot, and no other bears a sync key of ours.
    Ids,
    /// V2: every mapped property of every linked record. Costs what the ids cost.
    Fields,
    /// V3: every association between linked records, in both directions.
    #[default]
    Edges,
    /// V4: of each link some records once more, each side read by itself and HubSpot's with its history.
    Samples,
}

impl Level {
    /// All levels, the shallowest first.
    pub const ALL: [Level; 5] = [Level::Counts, Level::Ids, Level::Fields, Level::Edges, Level::Samples];

    /// What it proves that a verification to this level finds no difference, in plain words; and what it does not.
    #[must_use]
    pub fn proves(self) -> &'static str {
        match self {
            Level::Counts => {
                "Every record of the source is as it was when it was last brought over, or in a class that is named \
                 here, and HubSpot has as many linked records as it should. It was not looked which records they are, \
                 nor at any value or association in HubSpot."
            }
            Level::Ids => {
                "Every record of the source is as it was when it was last brought over, or in a class that is named \
                 here, and every linked record is in HubSpot, by its id. No value and no association in HubSpot was \
                 looked at."
            }
            Level::Fields => {
                "Every mapped value of every linked record in HubSpot is the source's, or differs for a reason that is \
                 counted here. No association was looked at."
            }
            Level::Edges => {
                "Every mapped value of every linked record in HubSpot is the source's, or differs for a reason that is \
                 counted here, and every association between linked records is as wanted."
            }
            Level::Samples => {
                "Every mapped value of every linked record in HubSpot is the source's, or differs for a reason that is \
                 counted here, and every association between linked records is as wanted. Some records were read once \
                 more by themselves and with their history, and showed the same."
            }
        }
    }

    /// Whether values are compared.
    #[must_use]
    pub fn compares_values(self) -> bool {
        self >= Level::Fields
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Counts => "counts",
            Level::Ids => "ids",
            Level::Fields => "fields",
            Level::Edges => "edges",
            Level::Samples => "samples",
        })
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        let found = Level::ALL.into_iter().find(|level| level.to_string() == text);
        found
            .ok_or_else(|| format!("must be one of {}", Level::ALL.map(|level| level.to_string()).join(", ")))
    }
}
