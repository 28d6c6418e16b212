//! What is known of the portal beside its properties: its id, pipelines and owners.

/// What the caller knows of the portal. Whatever is not given is not checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portal<'a> {
    /// The portal's id, by which the mapping's environment is found or confirmed.
    pub id: Option<u64>,
    /// Every pipeline of the object types that have some.
    pub pipelines: Option<&'a [Pipeline]>,
    /// Every owner, archived ones too.
    pub owners: Option<&'a [Owner]>,
}

/// What of the portal, beside its properties, a mapping still needs to know before it can run: nothing where its files
/// give every id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Object types of whose pipelines it does not know all ids, each once.
    pub pipelines: Vec<String>,
    /// Whether it names owners whose ids it does not know.
    pub owners: bool,
}

/// A pipeline as the portal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Object type, by the name that mappings use.
    pub object: String,
    /// Internal id.
    pub id: String,
    /// The label that people see. HubSpot docs: unique within the object type.
    pub label: String,
    /// Its stages, in their order.
    pub stages: Vec<Stage>,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Internal id.
    pub id: String,
    /// The label that people see. Observed live: unique within the pipeline, case ignored.
    pub label: String,
}

/// Somebody to whom records can be assigned.
#[derive(Clone, PartialEq, Eq)]
pub struct Owner {
    /// The owner id, which is what `hubspot_owner_id` holds; not the user id.
    pub id: String,
    /// Their e-mail address.
    pub email: String,
    /// Whether the owner was deactivated, so that HubSpot may refuse to assign records to them.
    pub archived: bool,
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner")
            .field("id", &self.id)
            .field("archived", &self.archived)
            .finish_non_exhaustive()
    }
}
