//! The `associations` of a record that get and list show when asked: ids and slugs, without labels, the first page only.

use serde_json::{Map, Value, json};

use crate::associations::links::End;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::objects::types::TypeKey;
use crate::state::State;

/// Entries per record and type; more are announced by `paging`.
const SHOWN: usize = 100;

/// The types that a request asked for.
#[derive(Debug)]
pub(crate) struct Requested(Vec<TypeKey>);

pub(crate) fn requested(state: &State, ctx: &Ctx<'_>) -> Result<Requested, ApiError> {
    ctx.list("associations")
        .into_iter()
        .map(|name| state.find_type(name))
        .collect::<Result<_, _>>()
        .map(Requested)
}

impl Requested {
    pub(crate) fn of(&self, state: &State, end: End) -> Option<Value> {
        let mut by_type = Map::new();
        for to in &self.0 {
            let mut results = Vec::new();
            let mut next = None;
            for (id, held) in state.links.list(end, *to) {
                if results.len() >= SHOWN {
                    next = Some(id);
                    break;
                }
                for held in held {
                    if let Some(link_type) = state.link_types.get(held.key) {
                        results.push(json!({"id": id.to_string(), "type": link_type.name}));
                    }
                }
            }
            if results.is_empty() {
                continue;
            }
            let mut entry = json!({"results": results});
            if let (Some(next), Some(entry)) = (next, entry.as_object_mut()) {
                entry.insert("paging".to_owned(), json!({"next": {"after": next.to_string()}}));
            }
            by_type.insert(state.ty(*to).plural.clone(), entry);
        }
        (!by_type.is_empty()).then_some(Value::Object(by_type))
    }
}
