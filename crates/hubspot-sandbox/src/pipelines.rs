//! Pipelines and stages of an object type: what they hold and the rules over them.

pub(crate) mod api;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::time::{Millis, iso};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stage {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) display_order: i64,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) display_order: i64,
    pub(crate) stages: Vec<Stage>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Pipelines {
    pub(crate) list: Vec<Pipeline>,
}

const DEAL_STAGES: &[(&str, &str, &str)] = &[
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
];

const TICKET_STAGES: &[(&str, &str, &str)] = &[
    ("1", "New", "OPEN"),
    ("2", "Waiting on contact", "OPEN"),
    ("3", "Waiting on us", "OPEN"),
    ("4", "Closed", "CLOSED"),
];

/// `isClosed` follows from a deal stage's probability.
pub(crate) fn is_closed(probability: &str) -> bool {
    matches!(probability, "0.0" | "1.0")
}

impl Pipelines {
    /// The pipeline a standard type starts with: `default` for deals, `0` for tickets.
    pub(crate) fn standard(singular: &str) -> Pipelines {
        let (id, label, rows) = match singular {
            "deal" => ("default", "Sales Pipeline", DEAL_STAGES),
            "ticket" => ("0", "Support Pipeline", TICKET_STAGES),
            _ => return Pipelines::default(),
        };
        let stages = (0_i64..)
            .zip(rows)
            .map(|(display_order, (id, label, meaning))| {
                let mut metadata = BTreeMap::new();
                if singular == "deal" {
                    metadata.insert("isClosed".to_owned(), is_closed(meaning).to_string());
                    metadata.insert("probability".to_owned(), (*meaning).to_owned());
                } else {
                    metadata.insert("isClosed".to_owned(), (*meaning == "CLOSED").to_string());
                    metadata.insert("ticketState".to_owned(), (*meaning).to_owned());
                }
                Stage {
                    id: (*id).to_owned(),
                    label: (*label).to_owned(),
                    display_order,
                    metadata,
                    created_at: 0,
                    updated_at: 0,
                }
            })
            .collect();
        let pipeline = Pipeline {
            id: id.to_owned(),
            label: label.to_owned(),
            display_order: 0,
            stages,
            created_at: 0,
            updated_at: 0,
        };
        Pipelines { list: vec![pipeline] }
    }

    pub(crate) fn first(&self) -> Option<&Pipeline> {
        self.list.iter().min_by_key(|pipeline| pipeline.display_order)
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Pipeline> {
        self.list.iter().find(|pipeline| pipeline.id == id)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|pipeline| pipeline.id.as_str())
    }
}

impl Pipeline {
    pub(crate) fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "displayOrder": self.display_order,
            "stages": self.stages.iter().map(Stage::to_json).collect::<Vec<_>>(),
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": false,
        })
    }
}

impl Stage {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "label": self.label,
            "displayOrder": self.display_order,
            "metadata": self.metadata,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": false,
        })
    }
}
