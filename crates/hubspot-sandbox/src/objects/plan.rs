//! Decides what a write would do, without doing it: checked values, the target record and the links to make.
//!
//! A batch is planned whole before any row is applied, so refusing it leaves nothing behind.

use std::collections::HashMap;

use serde::Deserialize;

use crate::associations::types::{Category, LinkKey};
use crate::context::{Ctx, PropertyMap, Text};
use crate::error::{ApiError, Detail, Refusal};
use crate::objects::record::Record;
use crate::objects::types::{AdminRule, ObjectType, TypeKey};
use crate::properties::definition::{PropKey, Property, Semantics};
use crate::properties::value::{ValueRules, Warning, normalise};
use crate::router::Version;
use crate::state::State;

/// `associations[]` of a create.
#[derive(Debug, Deserialize)]
pub(crate) struct AssociationInput {
    pub(crate) to: crate::context::IdRef,
    pub(crate) types: Vec<LinkTypeInput>,
}

/// One association type in a body.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkTypeInput {
    pub(crate) association_category: Category,
    pub(crate) association_type_id: u32,
}

/// A link that a create will make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewLink {
    pub(crate) key: LinkKey,
    pub(crate) to: u64,
}

/// Checked values, only those that differ from what is stored.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) values: Vec<(PropKey, Box<str>)>,
    /// Values HubSpot computes from the others; history shows them under another source.
    pub(crate) computed: Vec<(PropKey, Box<str>)>,
    /// Names the request wrote, for the answer.
    pub(crate) written: Vec<PropKey>,
    pub(crate) warnings: Vec<Warning>,
}

impl Draft {
    fn value(&self, prop: PropKey) -> Option<&str> {
        self.values.iter().find(|(key, _)| *key == prop).map(|(_, text)| &**text)
    }
}

/// Unique values that earlier rows of the same batch are going to take.
#[derive(Default)]
pub(crate) struct Reserved(HashMap<(PropKey, String), u64>);

/// Checks the values of one row. `record` is what they are written to, `None` on a create; `id` is its id either way.
pub(crate) fn draft(
    state: &State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    record: Option<&Record>,
    id: u64,
    sent: &PropertyMap,
    reserved: &mut Reserved,
) -> Result<Draft, ApiError> {
    let ty = state.ty(key);
    let mut draft = check_values(state, ctx, ty, record, sent)?;
    check_stage(ty, record, &mut draft, state.config.portal_id)?;
    keep_lifecycle_forward(ty, record, &mut draft);
    if record.is_none() {
        check_required(ty, &draft)?;
    }
    if ctx.version == Version::V2026_09 {
        check_admin_rules(ty, record, &draft)?;
    }
    check_unique(state, ty, record, id, &draft, reserved)?;
    compute(ty, record, &mut draft);
    // What does not change a value leaves neither history nor a new modification date.
    let unchanged = |(prop, text): &(PropKey, Box<str>)| {
        record.and_then(|record| record.value(*prop)).unwrap_or_default() == &**text
    };
    draft.values.retain(|value| !unchanged(value));
    draft.computed.retain(|value| !unchanged(value));
    Ok(draft)
}

fn check_values(
    state: &State,
    ctx: &Ctx<'_>,
    ty: &ObjectType,
    record: Option<&Record>,
    sent: &PropertyMap,
) -> Result<Draft, ApiError> {
    let mut draft = Draft { values: Vec::with_capacity(sent.len()), ..Draft::default() };
    let mut refusals = Vec::new();
    for (name, Text(raw)) in sent {
        let Some((prop, property)) = find_property(ty, name) else {
            refusals.push(Refusal {
                property: name.clone(),
                code: "PROPERTY_DOESNT_EXIST",
                message: format!("Property \"{name}\" does not exist"),
            });
            continue;
        };
        if property.read_only_value {
            refusals.push(Refusal {
                property: name.clone(),
                code: "READ_ONLY_VALUE",
                message: format!("\"{name}\" is a read only property; its value cannot be set."),
            });
            continue;
        }
        let rules = ValueRules {
            version: ctx.version,
            owners: &state.owners,
            current: record.and_then(|record| record.value(prop)),
        };
        match normalise(property, raw, rules, &mut draft.warnings) {
            Ok(text) => {
                if is_blocked(ty, property, &text) {
                    // The public API's words for a deleted person's address are not documented.
                    refusals.push(Refusal {
                        property: name.clone(),
                        code: "INVALID_EMAIL",
                        message: "email has been GDPR blacklisted".to_owned(),
                    });
                    continue;
                }
                draft.written.push(prop);
                draft.values.push((prop, text.into_owned().into_boxed_str()));
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() {
        Ok(draft)
    } else {
        Err(ApiError::invalid_properties(state.config.portal_id, &refusals))
    }
}

/// HubSpot keeps names in lower case and finds them in any.
fn find_property<'t>(ty: &'t ObjectType, name: &str) -> Option<(PropKey, &'t Property)> {
    ty.props.find_active(name).or_else(|| ty.props.find_active(&name.to_lowercase()))
}

fn is_blocked(ty: &ObjectType, property: &Property, text: &str) -> bool {
    property.semantics == Semantics::Email
        && !ty.blocked_emails.is_empty()
        && ty.blocked_emails.contains(text)
}

/// The value a property will have after the write.
fn after<'v>(record: Option<&'v Record>, draft: &'v Draft, prop: PropKey) -> Option<&'v str> {
    match draft.value(prop) {
        Some(text) => Some(text).filter(|text| !text.is_empty()),
        None => record.and_then(|record| record.value(prop)),
    }
}

/// A stage must belong to the record's pipeline. Without a pipeline a new record gets the first one.
fn check_stage(
    ty: &ObjectType,
    record: Option<&Record>,
    draft: &mut Draft,
    portal_id: u64,
) -> Result<(), ApiError> {
    let (Some(pipeline_prop), Some(stage_prop)) =
        (ty.props.with_semantics(Semantics::Pipeline), ty.props.with_semantics(Semantics::Stage))
    else {
        return Ok(());
    };
    let touched = draft.value(pipeline_prop).is_some() || draft.value(stage_prop).is_some();
    if !touched {
        return Ok(());
    }
    if after(record, draft, pipeline_prop).is_none()
        && let Some(first) = ty.pipelines.first()
    {
        draft.values.push((pipeline_prop, first.id.clone().into_boxed_str()));
    }
    let refuse = |prop: PropKey, value: &str, allowed: Vec<&str>| {
        let name = ty.props.get(prop).map(|property| property.name.clone()).unwrap_or_default();
        let message = format!("{value} was not one of the allowed options: [{}]", allowed.join(", "));
        ApiError::invalid_properties(
            portal_id,
            &[Refusal { property: name, code: "INVALID_OPTION", message }],
        )
    };
    let Some(pipeline_id) = after(record, draft, pipeline_prop) else { return Ok(()) };
    let Some(pipeline) = ty.pipelines.find(pipeline_id) else {
        return Err(refuse(pipeline_prop, pipeline_id, ty.pipelines.ids().collect()));
    };
    match after(record, draft, stage_prop) {
        Some(stage) if pipeline.stage(stage).is_none() => {
            Err(refuse(stage_prop, stage, pipeline.stages.iter().map(|stage| stage.id.as_str()).collect()))
        }
        _ => Ok(()),
    }
}

/// HubSpot docs: the lifecycle stage moves forward only, after clearing anywhere. Whether a step back is refused or
/// ignored is not stated; it is ignored here, which only a client that reads back notices.
fn keep_lifecycle_forward(ty: &ObjectType, record: Option<&Record>, draft: &mut Draft) {
    let Some(record) = record else { return };
    draft.values.retain(|(prop, text)| {
        let Some(property) = ty.props.get(*prop) else { return true };
        if property.semantics != Semantics::LifecycleStage || text.is_empty() {
            return true;
        }
        let place = |value: &str| property.options.iter().position(|option| option.value == value);
        let Some(current) = record.value(*prop) else { return true };
        place(text) >= place(current)
    });
}

fn check_required(ty: &ObjectType, draft: &Draft) -> Result<(), ApiError> {
    let given = |name: &String| {
        ty.props
            .find_active(name)
            .is_none_or(|(prop, _)| draft.value(prop).is_some_and(|text| !text.is_empty()))
    };
    let mut missing: Vec<String> = ty.required.iter().filter(|name| !given(name)).cloned().collect();
    if !ty.required_any.is_empty() && !ty.required_any.iter().any(given) {
        missing.extend(ty.required_any.iter().cloned());
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(ApiError::validation(format!("Error creating {}. Some required properties were not set.", ty.legacy))
        .with("properties", missing))
}

/// 2026-09 binds API writes to the rules that administrators made for the user interface.
fn check_admin_rules(ty: &ObjectType, record: Option<&Record>, draft: &Draft) -> Result<(), ApiError> {
    let value = |name: &str| ty.props.find_active(name).and_then(|(prop, _)| after(record, draft, prop));
    for rule in &ty.admin_rules {
        match rule {
            AdminRule::RequiredOnCreate { property } if record.is_none() && value(property).is_none() => {
                let message = format!("A value for {property} must be provided");
                return Err(ApiError::validation("The property values provided are invalid").detail(
                    Detail::coded("MISSING_REQUIRED_PROPERTY", message)
                        .with("propertyName", vec![property.clone()]),
                ));
            }
            AdminRule::RequiredWhen { property, controller, value: wanted }
                if value(controller) == Some(wanted.as_str()) && value(property).is_none() =>
            {
                let message = format!(
                    "{property} is required because of a conditional property rule based on [{controller}]"
                );
                return Err(ApiError::validation(message.clone()).detail(
                    Detail::coded("MISSING_CONDITIONAL_REQUIRED_PROPERTY", message)
                        .with("propertyName", vec![property.clone()]),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_unique(
    state: &State,
    ty: &ObjectType,
    record: Option<&Record>,
    id: u64,
    draft: &Draft,
    reserved: &mut Reserved,
) -> Result<(), ApiError> {
    let mut claimed = Vec::new();
    for (prop, text) in &draft.values {
        for (index, value) in ty.claims(*prop, text) {
            let holder = ty
                .records
                .holder(index, value)
                .or_else(|| reserved.0.get(&(index, value.to_owned())).copied())
                .filter(|holder| *holder != id);
            if let Some(holder) = holder {
                return Err(taken(state, ty, record, id, *prop, value, holder));
            }
            claimed.push((index, value.to_owned()));
        }
    }
    for claim in claimed {
        reserved.0.insert(claim, id);
    }
    Ok(())
}

/// HubSpot docs and observation: 409 when a create meets another contact's primary address, the 400 text otherwise.
fn taken(
    state: &State,
    ty: &ObjectType,
    record: Option<&Record>,
    id: u64,
    prop: PropKey,
    value: &str,
    holder: u64,
) -> ApiError {
    let property = ty.props.get(prop);
    let is_email = property.is_some_and(|property| property.semantics == Semantics::Email);
    let primary = match ty.records.get(holder) {
        Some(other) => other.value(prop) == Some(value),
        // The holder is an earlier row of this batch.
        None => true,
    };
    if record.is_none() && is_email && primary {
        return ApiError::contact_exists(holder);
    }
    let name = property.map_or("", |property| property.name.as_str());
    ApiError::unique_value_taken(state.config.portal_id, &ty.legacy, name, value, id, holder)
}

/// Values that follow from others: the e-mail's domain, whether a deal is closed, a line item's amount.
fn compute(ty: &ObjectType, record: Option<&Record>, draft: &mut Draft) {
    let mut computed: Vec<(&str, String)> = Vec::new();
    {
        let key = |name: &str| ty.props.find(name).map(|(prop, _)| prop);
        let sent = |name: &str| key(name).is_some_and(|prop| draft.value(prop).is_some());
        let value = |name: &str| key(name).and_then(|prop| after(record, draft, prop));
        match ty.name.as_str() {
            "contact" if sent("email") => {
                let host =
                    value("email").and_then(|email| email.rsplit_once('@')).map_or("", |(_, host)| host);
                computed.push(("hs_email_domain", host.to_owned()));
            }
            "deal" if sent("dealstage") => {
                let pipeline = value("pipeline").and_then(|id| ty.pipelines.find(id));
                let stage = pipeline.and_then(|pipeline| pipeline.stage(value("dealstage")?));
                if let Some(stage) = stage {
                    let probability = stage.metadata.get("probability").cloned().unwrap_or_default();
                    let closed = stage.metadata.get("isClosed").is_some_and(|text| text == "true");
                    computed.push(("hs_is_closed", closed.to_string()));
                    computed.push(("hs_is_closed_won", (closed && probability == "1.0").to_string()));
                    computed.push(("hs_deal_stage_probability", probability));
                }
            }
            "line_item" if ["quantity", "price", "discount"].iter().any(|name| sent(name)) => {
                let number =
                    |name: &str| value(name).and_then(|text| text.parse::<rust_decimal::Decimal>().ok());
                if let (Some(quantity), Some(price)) = (number("quantity"), number("price")) {
                    let unit = price.checked_sub(number("discount").unwrap_or_default());
                    if let Some(amount) = unit.and_then(|unit| unit.checked_mul(quantity)) {
                        computed.push(("amount", amount.normalize().to_string()));
                    }
                }
            }
            _ => {}
        }
    }
    for (name, text) in computed {
        if let Some((prop, _)) = ty.props.find(name) {
            draft.computed.push((prop, text.into_boxed_str()));
        }
    }
}

/// Checks the `associations` of a create.
pub(crate) fn links(
    state: &State,
    from: TypeKey,
    inputs: &[AssociationInput],
) -> Result<Vec<NewLink>, ApiError> {
    let mut links = Vec::new();
    for input in inputs {
        for spec in &input.types {
            let key =
                LinkKey { from, category: spec.association_category, type_id: spec.association_type_id };
            let Some(link_type) = state.link_types.get(key) else {
                return Err(ApiError::validation(format!(
                    "Invalid association type {} {} from {}",
                    spec.association_category.name(),
                    spec.association_type_id,
                    state.ty(from).legacy
                )));
            };
            let target = state.ty(link_type.to);
            let to = input.to.id.0.parse::<u64>().ok().filter(|id| target.records.live(*id).is_some());
            let Some(to) = to else {
                return Err(ApiError::validation(format!(
                    "No {} with ID {} exists",
                    target.name, input.to.id.0
                ))
                .sub("crm.associations.TO_OBJECT_NOT_FOUND"));
            };
            links.push(NewLink { key, to });
        }
    }
    Ok(links)
}
