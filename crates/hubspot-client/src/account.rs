//! The account behind the credential: which portal it is, and how much of its day is used.

use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::wire::{Collection, null_as_default, optional_text};

/// Account details and daily usage.
#[derive(Clone, Debug)]
pub struct Account {
    client: Client,
}

/// The portal a credential belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccountDetails {
    /// The portal's id.
    pub portal_id: u64,
    /// `STANDARD`, `DEVELOPER_TEST`, `SANDBOX` or `APP_DEVELOPER`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub account_type: String,
    /// Its time zone, such as `Europe/Berlin`; its day of calls ends at midnight there.
    #[serde(default, deserialize_with = "null_as_default")]
    pub time_zone: String,
    /// Its currency.
    #[serde(default, deserialize_with = "optional_text")]
    pub company_currency: Option<Box<str>>,
    /// Its name, from 2026-09 on.
    #[serde(default, deserialize_with = "optional_text")]
    pub portal_name: Option<Box<str>>,
    /// Where its user interface is.
    #[serde(default, deserialize_with = "optional_text")]
    pub ui_domain: Option<Box<str>>,
    /// The region of its data.
    #[serde(default, deserialize_with = "optional_text")]
    pub data_hosting_location: Option<Box<str>>,
}

/// Calls of private apps within the day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DailyUsage {
    /// Name of the limit.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Calls allowed.
    #[serde(default, deserialize_with = "null_as_default")]
    pub usage_limit: u64,
    /// Calls used.
    #[serde(default, deserialize_with = "null_as_default")]
    pub current_usage: u64,
    /// When the day ends, ISO 8601.
    #[serde(default, deserialize_with = "optional_text")]
    pub resets_at: Option<Box<str>>,
}

impl Account {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The portal.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn details(&self) -> Result<AccountDetails, Error> {
        let path = format!("{}/details", self.client.version().account);
        self.client.fetch(Call::get(path)).await
    }

    /// Proves that the credential belongs to `portal_id`, and tells the limiter when the portal's day ends.
    ///
    /// # Errors
    /// [`WrongPortal`](crate::ErrorKind::WrongPortal) when it does not.
    pub async fn expect_portal(&self, portal_id: u64) -> Result<AccountDetails, Error> {
        let details = self.details().await?;
        if details.portal_id != portal_id {
            return Err(Error::wrong_portal(portal_id, details.portal_id));
        }
        let midnight = next_midnight(self.client.clock().now(), &details.time_zone);
        self.client.shared().budgets.set_daily(None, None, midnight);
        Ok(details)
    }

    /// Usage of the day's calls by private apps; service keys are not counted. The limiter learns from it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn daily_usage(&self) -> Result<Vec<DailyUsage>, Error> {
        let path = format!("{}/api-usage/daily/private-apps", self.client.version().account);
        let all: Collection<DailyUsage> = self.client.fetch(Call::get(path)).await?;
        if let Some(usage) = all.results.first().filter(|usage| usage.usage_limit > 0) {
            let remaining = usage.usage_limit.saturating_sub(usage.current_usage);
            let resets_at = usage.resets_at.as_deref().and_then(|text| text.parse().ok());
            self.client.shared().budgets.set_daily(Some(usage.usage_limit), Some(remaining), resets_at);
        }
        Ok(all.results)
    }
}

/// The next midnight in the portal's time zone: daylight saving makes some days longer. `None` for an unknown zone.
fn next_midnight(now: Timestamp, time_zone: &str) -> Option<Timestamp> {
    let local = now.in_tz(time_zone).ok()?;
    Some(local.start_of_day().ok()?.checked_add(1.day()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_ends_at_the_portals_midnight() {
        for (now, zone, expected) in [
            ("2026-11-21T12:00:00Z", "UTC", Some("2026-11-22T00:00:00Z")),
            ("2026-11-21T23:30:00Z", "Europe/Berlin", Some("2026-11-22T23:00:00Z")),
            // The clocks go back on this day, which has 25 hours.
            ("2026-10-24T22:30:00Z", "Europe/Berlin", Some("2026-10-25T23:00:00Z")),
            ("2026-11-21T12:00:00Z", "Nowhere/Land", None),
        ] {
            let midnight = next_midnight(now.parse().unwrap(), zone);
            assert_eq!(midnight, expected.map(|text| text.parse().unwrap()), "{now} {zone}");
        }
    }
}
