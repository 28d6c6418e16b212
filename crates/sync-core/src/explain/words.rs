//! What the engine does about a property, in words. Pure.

use sync_types::MappedProperty;

use super::{Known, policy, way};
use crate::decide::{Decision, HoldCause, Side};

/// Of a link that flows to HubSpot only.
pub(super) fn one_way(known: &Known) -> &'static str {
    match (known.left, known.right, known.base) {
        (None, ..) => "the mapping leaves it alone, or the source record cannot be read or mapped",
        (Some(_), None, _) => "HubSpot's record is not known or cannot be read",
        (Some(left), Some(right), None) if left == right => "never agreed, but both sides hold the same",
        (Some(_), Some(_), None) => {
            "never agreed: the source's value is written when the record is next brought over"
        }
        (Some(left), Some(right), Some(base)) => match (left != base.left, right != base.right) {
            (false, false) if left == right => "both sides are as agreed",
            (false, false) => {
                "both sides are as agreed; HubSpot shows it in a form or with a value of its own"
            }
            (true, false) => "the source has changed it since both agreed: the next run writes it",
            (false, true) => {
                "HubSpot has changed it since both agreed: that stays until the source changes it, then the source wins"
            }
            (true, true) => {
                "both sides have changed it since they agreed: the source wins, by the link's direction"
            }
        },
    }
}

/// Of a link that flows both ways.
pub(super) fn both_ways(
    property: &MappedProperty,
    decision: Decision,
    settled: Option<Result<Side, HoldCause>>,
    known: &Known,
) -> String {
    let moved = known.moved();
    let rule = || format!("`conflict = {}`", policy(property.conflict));
    match decision {
        Decision::Read => "one side is not known: it has to be read first".into(),
        Decision::Nothing => match moved {
            Some((false, false)) if known.left == known.right => "both sides are as agreed".into(),
            Some((false, false)) => "both sides are as agreed, each with a form or value of its own".into(),
            Some((true, _)) => format!(
                "the source has changed it, but it flows {}: HubSpot's stays, and the source's too",
                way(property.direction)
            ),
            Some((_, true)) => format!(
                "HubSpot has changed it, but it flows {}: the source's stays, and HubSpot's too",
                way(property.direction)
            ),
            None => "the mapping leaves it alone".into(),
        },
        Decision::Agree(_) => "both sides hold the same now: the next run notes that they agree".into(),
        Decision::WriteRight(_) => match moved {
            Some((true, true)) => format!("both have changed it, and the source wins: {}", said(property)),
            Some(_) => {
                "the source has changed it since both agreed: the next run writes it to HubSpot".into()
            }
            None => {
                "they never agreed: by the rule of first contact the source's value is written to HubSpot"
                    .into()
            }
        },
        Decision::WriteLeft(_) => match moved {
            Some((true, true)) => format!("both have changed it, and HubSpot wins: {}", said(property)),
            Some(_) => {
                "HubSpot has changed it since both agreed: the next run brings it to the source".into()
            }
            None => {
                "they never agreed: by the rule of first contact HubSpot's value is brought to the source"
                    .into()
            }
        },
        Decision::Waiting => {
            "held for a person, and nothing has moved since: `conflicts resolve` decides".into()
        }
        Decision::Hold(cause) => format!("the next run holds it for a person: {}", why(cause)),
        Decision::Contest => match settled {
            Some(Ok(Side::Left)) => format!("by {} the source's value is written to HubSpot", rule()),
            Some(Ok(Side::Right)) => format!("by {} HubSpot's value is brought to the source", rule()),
            Some(Err(cause)) => format!("the next run holds it for a person ({}): {}", rule(), why(cause)),
            None => "one side is not known: it has to be read first".into(),
        },
    }
}

/// Whether it was the direction or a person that decided.
fn said(property: &MappedProperty) -> String {
    match property.direction {
        sync_types::Direction::Both => "a person said so".into(),
        direction => format!("it flows {}", way(direction)),
    }
}

fn why(cause: HoldCause) -> &'static str {
    match cause {
        HoldCause::BothChanged => "both sides have changed it to different values",
        HoldCause::FirstContact => "both sides had a value before they first met",
        HoldCause::StepBack => "it is a step back in an order that only goes forward",
        HoldCause::LostUpdate => "somebody changed it in HubSpot between our reading and our writing",
        HoldCause::Oscillation => "one side changes it back as often as the other sets it",
    }
}

#[cfg(test)]
mod tests {
    use sync_types::{FieldBase, Fingerprint, NameId, PropertyKind};

    use super::*;
    use crate::decide::Overrides;

    fn known(base: Option<(u64, u64)>, left: Option<u64>, right: Option<u64>) -> Known {
        Known {
            base: base.map(|(left, right)| FieldBase {
                property: NameId(1),
                left: Fingerprint(left),
                right: Fingerprint(right),
            }),
            left: left.map(Fingerprint),
            right: right.map(Fingerprint),
        }
    }

    #[test]
    fn one_way_every_situation_has_its_own_words() {
        let cases = [
            (known(Some((1, 1)), Some(1), Some(1)), "both sides are as agreed"),
            (known(Some((1, 2)), Some(1), Some(2)), "of its own"),
            (known(Some((1, 1)), Some(2), Some(1)), "the next run writes it"),
            (known(Some((1, 1)), Some(1), Some(2)), "that stays until"),
            (known(Some((1, 1)), Some(2), Some(3)), "the source wins"),
            (known(None, Some(1), Some(1)), "hold the same"),
            (known(None, Some(1), Some(2)), "never agreed: the source's"),
            (known(None, None, Some(2)), "leaves it alone"),
            (known(None, Some(2), None), "cannot be read"),
        ];
        for (known, words) in cases {
            assert!(one_way(&known).contains(words), "{known:?}: {}", one_way(&known));
        }
    }

    #[test]
    fn both_ways_the_words_name_the_rule() {
        let property = MappedProperty {
            direction: sync_types::Direction::Both,
            conflict: sync_types::Conflict::Filled,
            ..MappedProperty::to_right("city", PropertyKind::Text)
        };
        let both = known(Some((1, 1)), Some(2), Some(3));
        for (decision, settled, words) in [
            (Decision::Contest, Some(Ok(Side::Right)), "by `conflict = filled` HubSpot's value is brought"),
            (
                Decision::Contest,
                Some(Err(HoldCause::BothChanged)),
                "holds it for a person (`conflict = filled`)",
            ),
            (Decision::WriteRight(Overrides::OtherChange), None, "a person said so"),
            (Decision::Waiting, None, "conflicts resolve"),
        ] {
            let said = both_ways(&property, decision, settled, &both);
            assert!(said.contains(words), "{said}");
        }
    }
}
