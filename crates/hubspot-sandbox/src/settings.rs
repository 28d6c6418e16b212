//! Starting an existing portal with other settings.

use crate::{Portal, PortalConfig};

impl Portal {
    /// Takes tier, limits, credentials, search lag, latency and the order of batch results from `config`. What the
    /// portal is stays: its records, seed, number, time zone, currency and owners.
    ///
    /// For a portal out of [`Portal::from_snapshot`], which otherwise goes on with the settings it was saved with.
    pub fn apply_settings(&mut self, config: PortalConfig) {
        let kept = &mut self.state.config;
        kept.tier = config.tier;
        kept.limits = config.limits;
        kept.credentials = config.credentials;
        kept.search_lag = config.search_lag;
        kept.latency = config.latency;
        kept.shuffle_batch_results = config.shuffle_batch_results;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Request, StatusCode};
    use serde_json::Value;

    use super::*;

    fn list(portal: &mut Portal, token: &str) -> (StatusCode, Value) {
        let request =
            Request::get("/crm/v3/objects/contacts").header("authorization", format!("Bearer {token}"));
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let response = portal.handle(now, &request.body(Bytes::new()).unwrap()).response;
        (response.status(), serde_json::from_slice(response.body()).unwrap())
    }

    #[test]
    fn a_saved_portal_takes_a_new_token_and_keeps_its_records() {
        let mut portal = Portal::new(PortalConfig::new("first"));
        let create = Request::post("/crm/v3/objects/contacts").header("authorization", "Bearer first");
        let body = Bytes::from_static(br#"{"properties":{"email":"ada@example.com"}}"#);
        let now = "2026-11-21T09:00:00Z".parse().unwrap();
        assert_eq!(portal.handle(now, &create.body(body).unwrap()).response.status(), StatusCode::CREATED);

        let mut again = Portal::from_snapshot(&portal.snapshot()).unwrap();
        again.apply_settings(PortalConfig::new("second"));
        assert_eq!(list(&mut again, "first").0, StatusCode::UNAUTHORIZED);
        let (status, page) = list(&mut again, "second");
        assert_eq!(status, StatusCode::OK);
        assert_eq!(page["results"][0]["properties"]["email"], "ada@example.com");
    }
}
