//! `[source]` of a JSON API: where its description is, and what it leaves open.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::layers::Layers;
use super::oauth::maybe_secret;
use super::{refuse, text};
use crate::Failure;

/// A JSON API by its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestSettings {
    /// The description, where it is not the built-in one.
    pub file: Option<PathBuf>,
    /// Which of its environments.
    pub environment: Option<String>,
    /// Its variables, in place of what it says itself.
    pub variables: BTreeMap<String, String>,
    /// Where a refresh token is kept, if its key is set.
    pub grant: Option<GrantSettings>,
}

/// Where a refresh token is kept that the API replaces with every use.
#[derive(Clone, Debug)]
pub struct GrantSettings {
    /// The file.
    pub file: PathBuf,
    /// The key that seals it, base64 of 32 bytes.
    pub key: SecretString,
}

impl PartialEq for GrantSettings {
    fn eq(&self, other: &GrantSettings) -> bool {
        self.file == other.file && self.key.expose_secret() == other.key.expose_secret()
    }
}

impl Eq for GrantSettings {}

pub(super) fn read(layers: &Layers) -> Result<RestSettings, Failure> {
    let names = layers.names_below("source.variables").into_iter();
    let variables = names.filter_map(|name| {
        Some((name.clone(), text(layers, &format!("source.variables.{name}"))?.to_owned()))
    });
    let grant = maybe_secret(layers, "source.grant_key")?.map(|key| GrantSettings {
        file: text(layers, "source.grant_file").unwrap_or("source-grant").into(),
        key,
    });
    if let Some(name) = layers.names_below("source.collections").first() {
        let parts = ["key", "file", "query", "table", "deleted"]
            .map(|part| format!("source.collections.{name}.{part}"));
        let place = parts.iter().find(|place| layers.get(place).is_some()).unwrap_or(&parts[0]);
        return Err(refuse(layers, place, "does not go with this `source.kind`: the description says it"));
    }
    Ok(RestSettings {
        file: text(layers, "source.file").map(PathBuf::from),
        environment: text(layers, "source.environment").map(str::to_owned),
        variables: variables.collect(),
        grant,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, SourceKind, Sources};

    fn load(built_in: &str) -> Result<Settings, String> {
        Settings::load(&Sources { built_in, ..Sources::default() }).map_err(|failure| failure.to_string())
    }

    #[test]
    fn an_api_needs_a_description_alone_and_keys_of_other_kinds_are_refused() {
        let source =
            load("[source]\nkind = 'rest'\nfile = 'shop.toml'\nvariables.tenant = 'acme'").unwrap().source;
        let SourceKind::Rest(said) = &source.kind else { unreachable!("{source:?}") };
        assert_eq!(said.file.as_deref(), Some(std::path::Path::new("shop.toml")));
        assert_eq!(said.variables, [("tenant".to_owned(), "acme".to_owned())].into());
        assert!(said.grant.is_none() && !source.write);

        let kept = load("[source]\nkind = 'rest'\nwrite = true\ngrant_key = 'c2VjcmV0'").unwrap().source;
        let SourceKind::Rest(said) = &kept.kind else { unreachable!("{kept:?}") };
        assert_eq!(said.grant.as_ref().unwrap().file, PathBuf::from("source-grant"));
        assert!(kept.write && !format!("{kept:?}").contains("c2VjcmV0"));

        let refused = load("[source]\nkind = 'rest'\n[source.collections.people]\nkey = 'id'").unwrap_err();
        assert!(
            refused.contains("source.collections.people.key") && refused.contains("description"),
            "{refused}"
        );
    }
}
