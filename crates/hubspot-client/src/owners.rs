//! Owners: the people and queues that records belong to.

use std::fmt;

use serde::Deserialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::wire::{Collection, Paging, Query, null_as_default, optional_text};

/// Owners.
#[derive(Clone, Debug)]
pub struct Owners {
    client: Client,
}

/// An owner. Its id goes into `hubspot_owner_id`; its user id is another number. `Debug` shows ids only.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Owner {
    /// The owner id.
    #[serde(deserialize_with = "crate::wire::text")]
    pub id: Box<str>,
    /// The address people are matched by.
    #[serde(default, deserialize_with = "optional_text")]
    pub email: Option<Box<str>>,
    /// First name.
    #[serde(default, deserialize_with = "optional_text")]
    pub first_name: Option<Box<str>>,
    /// Last name.
    #[serde(default, deserialize_with = "optional_text")]
    pub last_name: Option<Box<str>>,
    /// The user id, which settings and property history use; `None` for archived owners and queues.
    #[serde(default, deserialize_with = "optional_text")]
    pub user_id: Option<Box<str>>,
    /// Whether the user is deactivated.
    #[serde(default, deserialize_with = "null_as_default")]
    pub archived: bool,
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner")
            .field("id", &self.id)
            .field("archived", &self.archived)
            .finish_non_exhaustive()
    }
}

impl Owners {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// All owners, page after page; archived ones instead when `archived`.
    ///
    /// # Errors
    /// When a call fails, or when HubSpot's paging does not advance.
    pub async fn list(&self, archived: bool) -> Result<Vec<Owner>, Error> {
        let mut owners = Vec::new();
        let mut after: Option<Box<str>> = None;
        loop {
            let mut query = Query::default();
            query.push("limit", "100");
            if let Some(after) = &after {
                query.push("after", after);
            }
            if archived {
                query.push("archived", "true");
            }
            let path = format!("{}{}", self.client.version().owners, query.as_str());
            let page: Collection<Owner> = self.client.fetch(Call::get(path)).await?;
            owners.extend(page.results);
            match Paging::after(page.paging) {
                None => return Ok(owners),
                Some(next) if after.as_ref() == Some(&next) => {
                    return Err(Error::unreadable(
                        "the paging does not advance: the same page follows itself",
                    ));
                }
                next => after = next,
            }
        }
    }
}
