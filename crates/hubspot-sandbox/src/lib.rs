//! A local HubSpot portal: a deterministic state machine, an HTTP face and a record browser.
