//! People on both sides, and what they entered last.

use std::collections::BTreeMap;

use http_transport::SplitMix64;

use super::club::Club;
use crate::connected::Failure;

/// How many there may be.
const PEOPLE_MAX: usize = 80;

/// What people entered last about one member: towns in the club, first names in HubSpot, and jobs and points on both
/// sides. Points only ever grow.
#[derive(Clone, Debug, Default)]
struct Entered {
    town: Option<String>,
    first_name: Option<String>,
    job_in_club: Option<String>,
    job_in_hubspot: Option<String>,
    points: u64,
}

/// Everybody, by e-mail address.
#[derive(Debug, Default)]
pub(super) struct People {
    all: BTreeMap<String, Entered>,
    counter: u64,
}

impl People {
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    pub(super) fn edits(&self) -> u64 {
        self.counter
    }

    fn newcomer(&mut self) -> String {
        self.counter += 1;
        let email = format!("p{}@example.com", self.counter);
        self.all.insert(email.clone(), Entered::default());
        email
    }

    pub(super) fn join_left(&mut self, club: &Club) -> Result<(), Failure> {
        let email = self.newcomer();
        let sql = "INSERT INTO member (email, last_name) VALUES (?1, 'Member')";
        club.members()?.execute(sql, [&email])?;
        Ok(())
    }

    async fn join_right(&mut self, club: &Club) -> Result<(), Failure> {
        let email = self.newcomer();
        club.make_contact(&[("email", &email), ("lastname", "Contact"), ("points", "0")]).await
    }

    /// Somebody edits something somewhere, or joins.
    pub(super) async fn edit(&mut self, club: &Club, rng: &SplitMix64) -> Result<(), Failure> {
        let choice = rng.next_u64() % 16;
        if choice < 2 && self.all.len() < PEOPLE_MAX {
            return if choice == 0 { self.join_left(club) } else { self.join_right(club).await };
        }
        self.counter += 1;
        let number = self.counter;
        let at = usize::try_from(rng.next_u64() % self.all.len().max(1) as u64)?;
        let Some((email, entered)) = self.all.iter_mut().nth(at) else { return Ok(()) };
        match choice {
            0..=5 => {
                let town = format!("town {number}");
                if in_club(club, email, "town", &town)? {
                    entered.town = Some(town);
                }
            }
            6..=9 => {
                let name = format!("name {number}");
                if in_hubspot(club, email, "firstname", &name).await? {
                    entered.first_name = Some(name);
                }
            }
            10 | 11 => {
                if in_club(club, email, "points", &number.to_string())? {
                    entered.points = number;
                }
            }
            12 | 13 => {
                if in_hubspot(club, email, "points", &number.to_string()).await? {
                    entered.points = number;
                }
            }
            14 => {
                let job = format!("job {number}");
                if in_club(club, email, "job", &job)? {
                    entered.job_in_club = Some(job);
                }
            }
            _ => {
                let job = format!("job {number}");
                if in_hubspot(club, email, "jobtitle", &job).await? {
                    entered.job_in_hubspot = Some(job);
                }
            }
        }
        Ok(())
    }

    /// Everybody who is missing or there twice, and everything that somebody entered and that is not there.
    pub(super) async fn wrong(&self, club: &Club) -> Result<Vec<String>, Failure> {
        let contacts = club.contacts().await?;
        let file = club.members()?;
        let sql = "SELECT email, town, first_name, job, CAST(points AS TEXT) FROM member";
        let mut members: Vec<(String, [String; 4])> = Vec::new();
        let mut rows = file.prepare(sql)?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let text = |at: usize| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
            members.push((text(0)?, [text(1)?, text(2)?, text(3)?, text(4)?]));
        }
        let mut wrong = Vec::new();
        for (side, count) in [("club", members.len()), ("portal", contacts.len())] {
            if count != self.all.len() {
                wrong.push(format!("the {side} has {count} records of {} people", self.all.len()));
            }
        }
        for (email, entered) in &self.all {
            let here: Vec<&[String; 4]> =
                members.iter().filter(|(of, _)| of == email).map(|(_, values)| values).collect();
            let there: Vec<_> = contacts.iter().filter(|(of, _)| of == email).map(|(_, of)| of).collect();
            let ([here], [there]) = (here.as_slice(), there.as_slice()) else {
                wrong.push(format!(
                    "{email} stands {} times in the club and {} in HubSpot",
                    here.len(),
                    there.len()
                ));
                continue;
            };
            let property = |name: &str| there.properties.get(name).cloned().unwrap_or_default();
            let shown = ["city", "firstname", "jobtitle", "points"].map(property);
            let points = Some(entered.points.to_string()).filter(|_| entered.points > 0);
            let single = [(0, &entered.town), (1, &entered.first_name), (3, &points)];
            for (at, last) in single {
                if last.as_ref().is_some_and(|last| here[at] != *last || shown[at] != *last) {
                    wrong.push(format!(
                        "{email}: {last:?} was entered, {} and {} are shown",
                        here[at], shown[at]
                    ));
                }
            }
            // Entered on both sides: one of the two stands on both.
            let jobs: Vec<&String> = entered.job_in_club.iter().chain(&entered.job_in_hubspot).collect();
            let is_one = jobs.is_empty() || jobs.contains(&&here[2]);
            if here[2] != shown[2] || !is_one {
                wrong.push(format!("{email}: of {jobs:?}, {} and {} are shown", here[2], shown[2]));
            }
        }
        Ok(wrong)
    }
}

/// Somebody in the club sets this; false: the club does not have the member yet.
fn in_club(club: &Club, email: &str, column: &str, value: &str) -> Result<bool, Failure> {
    let sql = format!("UPDATE member SET {column} = ?1 WHERE email = ?2");
    Ok(club.members()?.execute(&sql, [value, email])? == 1)
}

/// Somebody in HubSpot sets this; false: HubSpot does not have the contact yet.
async fn in_hubspot(club: &Club, email: &str, property: &str, value: &str) -> Result<bool, Failure> {
    let contacts = club.contacts().await?;
    let Some((_, contact)) = contacts.iter().find(|(of, _)| of == email) else { return Ok(false) };
    club.edit_contact(contact.id, property, value).await?;
    Ok(true)
}
