//! Which scopes an app asks for, and how what was granted compares with it.

use std::collections::BTreeSet;

/// The scopes an app needs and those it can make use of.
///
/// HubSpot docs: an install asks for every required scope and fails if the account cannot have one of them; an
/// optional one that the account cannot have is dropped in silence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedScopes {
    required: BTreeSet<String>,
    optional: BTreeSet<String>,
}

impl WantedScopes {
    /// Scopes without which the integration does not work.
    #[must_use]
    pub fn required<I: IntoIterator<Item = S>, S: Into<String>>(scopes: I) -> Self {
        Self { required: clean(scopes), optional: BTreeSet::new() }
    }

    /// Adds scopes that the integration uses where it has them. One that is required as well stays required.
    #[must_use]
    pub fn with_optional<I: IntoIterator<Item = S>, S: Into<String>>(mut self, scopes: I) -> Self {
        self.optional.extend(clean(scopes));
        let required = &self.required;
        self.optional.retain(|scope| !required.contains(scope));
        self
    }

    /// Required scopes, separated by spaces, as the consent page takes them.
    #[must_use]
    pub fn required_text(&self) -> String {
        text(&self.required)
    }

    /// Optional scopes, separated by spaces.
    #[must_use]
    pub fn optional_text(&self) -> String {
        text(&self.optional)
    }

    /// Compares with what was granted. `oauth`, which every token has, is never surplus.
    #[must_use]
    pub fn compare<'s>(&self, granted: impl IntoIterator<Item = &'s str>) -> ScopeReport {
        let granted: BTreeSet<String> = granted.into_iter().map(str::to_owned).collect();
        let lacking = |wanted: &BTreeSet<String>| wanted.difference(&granted).cloned().collect();
        ScopeReport {
            missing: lacking(&self.required),
            missing_optional: lacking(&self.optional),
            surplus: granted
                .iter()
                .filter(|scope| {
                    scope.as_str() != "oauth"
                        && !self.required.contains(*scope)
                        && !self.optional.contains(*scope)
                })
                .cloned()
                .collect(),
        }
    }
}

fn clean<I: IntoIterator<Item = S>, S: Into<String>>(scopes: I) -> BTreeSet<String> {
    // A list may come from a settings file as one line.
    let split = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    scopes.into_iter().flat_map(|scope| split(scope.into())).collect()
}

fn text(scopes: &BTreeSet<String>) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// How granted scopes differ from the wanted ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeReport {
    /// Required and not granted: calls will be refused with 403.
    pub missing: BTreeSet<String>,
    /// Optional and not granted: a part of the integration stays off.
    pub missing_optional: BTreeSet<String>,
    /// Granted and not wanted. HubSpot's listing rules ask for only what is used.
    pub surplus: BTreeSet<String>,
}

impl ScopeReport {
    /// Whether every required scope was granted.
    #[must_use]
    pub fn suffices(&self) -> bool {
        self.missing.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> BTreeSet<String> {
        clean([text])
    }

    #[test]
    fn missing_and_surplus_scopes_are_told_apart() {
        let wanted = WantedScopes::required(["a b"]).with_optional(["b", "c"]);
        assert_eq!((wanted.required_text().as_str(), wanted.optional_text().as_str()), ("a b", "c"));
        for (granted, missing, missing_optional, surplus) in [
            ("a b c oauth", "", "", ""),
            ("a b oauth", "", "c", ""),
            ("a c", "b", "", ""),
            ("", "a b", "c", ""),
            ("a b c d", "", "", "d"),
        ] {
            let report = wanted.compare(granted.split_whitespace());
            assert_eq!(
                report,
                ScopeReport {
                    missing: set(missing),
                    missing_optional: set(missing_optional),
                    surplus: set(surplus)
                },
                "{granted}"
            );
            assert_eq!(report.suffices(), missing.is_empty());
        }
    }
}
