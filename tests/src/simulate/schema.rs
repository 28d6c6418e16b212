//! An administrator changes the portal's schema while the engine runs, and changes it back.

use bytes::Bytes;

use super::machine::Machine;
use crate::TOKEN;

const PROPERTIES: &str = "/crm/properties/2026-03/contacts";

fn ask(machine: &Machine, method: &str, path: &str, body: &'static str) -> bool {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json")
        .body(Bytes::from_static(body.as_bytes()));
    let Ok(request) = request else { return false };
    let now = machine.portal_clock.now();
    machine.world.portal().handle(now, &request).response.status().is_success()
}

/// The property with the points goes into the bin.
pub(super) fn archive_points(machine: &Machine) -> bool {
    ask(machine, "DELETE", &format!("{PROPERTIES}/points"), "")
}

/// The property comes back, and its values with it. People try again when something else is broken as well.
pub(super) fn bring_points_back(machine: &Machine) {
    let definition = r#"{"name":"points","label":"Points","type":"number","fieldType":"number","groupName":"contactinformation"}"#;
    for _ in 0..50 {
        if ask(machine, "POST", PROPERTIES, definition) {
            return;
        }
    }
}
