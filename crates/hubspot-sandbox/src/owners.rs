//! Owners: the people records are assigned to, and their endpoints.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::OwnerSeed;
use crate::context::{Answer, Ctx};
use crate::error::ApiError;
use crate::time::{Millis, iso};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) id: u64,
    pub(crate) user_id: u64,
    pub(crate) seed: OwnerSeed,
    pub(crate) archived: bool,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

/// HubSpot has three id spaces for one person; owner ids and user ids differ here too.
const FIRST_OWNER: u64 = 76_100_001;
const FIRST_USER: u64 = 9_200_001;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Owners(Vec<Owner>);

impl Owners {
    pub(crate) fn new(seeds: &[OwnerSeed]) -> Owners {
        let mut owners = Owners::default();
        for seed in seeds {
            owners.add(seed.clone(), 0);
        }
        owners
    }

    pub(crate) fn add(&mut self, seed: OwnerSeed, now: Millis) -> u64 {
        let offset = self.0.len() as u64;
        let id = FIRST_OWNER + offset;
        self.0.push(Owner {
            id,
            user_id: FIRST_USER + offset,
            seed,
            archived: false,
            created_at: now,
            updated_at: now,
        });
        id
    }

    pub(crate) fn archive(&mut self, id: u64, now: Millis) -> bool {
        let Some(owner) = self.0.iter_mut().find(|owner| owner.id == id) else { return false };
        owner.archived = true;
        owner.updated_at = now;
        true
    }

    pub(crate) fn is_active(&self, id: u64) -> bool {
        self.0.iter().any(|owner| owner.id == id && !owner.archived)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Owner> {
        self.0.iter()
    }
}

impl Owner {
    fn to_json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "email": self.seed.email,
            "type": "PERSON",
            "firstName": self.seed.first_name,
            "lastName": self.seed.last_name,
            // HubSpot docs: an archived owner's number moves to the other field.
            "userId": if self.archived { Value::Null } else { Value::from(self.user_id) },
            "userIdIncludingInactive": self.user_id,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": self.archived,
        })
    }
}

pub(crate) fn list(owners: &Owners, ctx: &Ctx) -> Result<Answer, ApiError> {
    let limit = ctx.limit(100, 500)?;
    let archived = ctx.flag("archived");
    let after: u64 = ctx.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let email = ctx.query("email").map(str::to_lowercase);
    let mut page: Vec<&Owner> = owners
        .iter()
        .filter(|owner| owner.archived == archived && owner.id > after)
        .filter(|owner| email.as_deref().is_none_or(|wanted| owner.seed.email.to_lowercase() == wanted))
        .take(limit + 1)
        .collect();
    let more = page.len() > limit;
    page.truncate(limit);
    let mut body = json!({"results": page.iter().map(|owner| owner.to_json()).collect::<Vec<_>>()});
    if more && let (Some(last), Some(body)) = (page.last(), body.as_object_mut()) {
        body.insert("paging".to_owned(), ctx.paging(&last.id.to_string()));
    }
    Ok(Answer::json(200, &body))
}

pub(crate) fn get(owners: &Owners, ctx: &Ctx, id: &str) -> Result<Answer, ApiError> {
    let by_user = ctx.query("idProperty") == Some("userId");
    let archived = ctx.flag("archived");
    let wanted: u64 = id.parse().map_err(|_| ApiError::not_found("resource not found"))?;
    owners
        .iter()
        .find(|owner| {
            (if by_user { owner.user_id } else { owner.id }) == wanted && owner.archived == archived
        })
        .map(|owner| Answer::json(200, &owner.to_json()))
        .ok_or_else(|| ApiError::not_found("resource not found"))
}
