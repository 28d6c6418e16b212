//! What `club demo` tells: the club's people and HubSpot's people work, each on their side. Not needed by an engagement of
//! your own.

use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use engagement::story::{Chapter, Scene, Story, Then};
use hubspot_sandbox::{Fault, FaultKind, Matcher};
use rusqlite::Connection;

type Happened = Result<String, Box<dyn Error + Send + Sync>>;

pub(crate) const STORY: Story = Story { write, chapters: &CHAPTERS };

const CHAPTERS: [Chapter; 8] = [
    Chapter { title: "An edit on each side", happens: edits, then: &[Then::Run, Then::Run] },
    Chapter {
        title: "Both sides change the same value: a person is asked",
        happens: conflict,
        then: &[Then::Run, Then::TakeHubSpot, Then::Run],
    },
    Chapter {
        title: "HubSpot's answer is lost: nobody is made twice",
        happens: lost_answer,
        then: &[Then::Run, Then::Run],
    },
    Chapter { title: "Somebody is entered a second time in HubSpot", happens: second, then: &[Then::Run] },
    Chapter {
        title: "HubSpot's people merge the two: nobody is deleted for that",
        happens: merge,
        then: &[Then::Run, Then::Later(EVIDENCE), Then::Run],
    },
    Chapter {
        title: "A contact is deleted: believed once it has lasted",
        happens: delete,
        then: &[Then::Run, Then::Later(EVIDENCE), Then::Run],
    },
    Chapter { title: "A mistake at the club travels", happens: mistake, then: &[Then::Run] },
    Chapter {
        title: "The run is taken back, and the club mends its file",
        happens: regret,
        then: &[Then::Undo, Then::Run],
    },
];

/// Longer than a deletion has to last before it is believed.
const EVIDENCE: Duration = Duration::from_secs(15 * 60);

fn write(file: &Path) -> io::Result<()> {
    Connection::open(file)
        .and_then(|file| file.execute_batch(include_str!("../club.sql")))
        .map_err(io::Error::other)
}

fn sql(scene: &Scene<'_>, sql: &str) -> rusqlite::Result<()> {
    Connection::open(scene.file)?.execute_batch(sql)
}

/// The id of the contact with this address.
fn contact(scene: &Scene<'_>, email: &str) -> Result<u64, String> {
    let page = scene.portal().records("contacts", 0, 1_000).map_err(|error| error.to_string())?;
    let is_it = |contact: &&hubspot_sandbox::StoredRecord| {
        !contact.archived && contact.properties.get("email").is_some_and(|of| of == email)
    };
    page.records.iter().find(is_it).map(|contact| contact.id).ok_or_else(|| format!("no contact {email}"))
}

fn edit(
    scene: &Scene<'_>,
    email: &str,
    property: &str,
    value: &str,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let id = contact(scene, email)?;
    Ok(scene.portal().edit_as_user(scene.now, "contacts", id, [(property, value)])?)
}

fn edits(scene: &Scene<'_>) -> Happened {
    sql(scene, "UPDATE member SET town = 'Oxford' WHERE number = 101")?;
    edit(scene, "grace@example.com", "jobtitle", "rear admiral")?;
    Ok("Ada moves to Oxford, says the club; Grace is a rear admiral now, says HubSpot.".to_owned())
}

fn conflict(scene: &Scene<'_>) -> Happened {
    sql(scene, "UPDATE member SET phone = '+44 20 7946 0999' WHERE number = 101")?;
    edit(scene, "ada@example.com", "phone", "+44 20 7946 0555")?;
    Ok("Ada gets a new number at the club and another one in HubSpot.".to_owned())
}

fn lost_answer(scene: &Scene<'_>) -> Happened {
    sql(
        scene,
        "INSERT INTO member (number, email, last_name) VALUES (104, 'edsger@example.com', 'Dijkstra')",
    )?;
    let writes = Matcher {
        method: Some("POST".to_owned()),
        path_regex: Some("/contacts/batch/(create|upsert)".to_owned()),
        ..Matcher::default()
    };
    scene.portal().inject(Fault::once(writes, FaultKind::LostAfterApply))?;
    Ok("Edsger joins the club. HubSpot makes the contact, and the connection breaks before it says so."
        .to_owned())
}

fn second(scene: &Scene<'_>) -> Happened {
    let fields = [("email", "countess@example.com"), ("firstname", "Augusta"), ("lastname", "King")];
    scene.portal().create_as_user(scene.now, "contacts", fields)?;
    Ok("Augusta King, Countess of Lovelace, is Ada under another address.".to_owned())
}

fn merge(scene: &Scene<'_>) -> Happened {
    let (ada, countess) = (contact(scene, "ada@example.com")?, contact(scene, "countess@example.com")?);
    scene.portal().merge_as_user(scene.now, "contacts", ada, countess)?;
    Ok("One contact is left of the two; at the club they are still two members.".to_owned())
}

fn delete(scene: &Scene<'_>) -> Happened {
    let alan = contact(scene, "alan@example.com")?;
    scene.portal().archive_record(scene.now, "contacts", alan)?;
    Ok("Alan's contact goes to HubSpot's recycling bin.".to_owned())
}

fn mistake(scene: &Scene<'_>) -> Happened {
    sql(scene, "UPDATE member SET town = 'Atlantis'")?;
    Ok("Somebody forgets the WHERE: every member lives in Atlantis.".to_owned())
}

fn regret(scene: &Scene<'_>) -> Happened {
    sql(
        scene,
        "UPDATE member SET town = CASE number WHEN 101 THEN 'Oxford' WHEN 102 THEN 'Arlington' END WHERE number < 200",
    )?;
    Ok("HubSpot gets back what its own history shows; the club looks into its papers.".to_owned())
}
