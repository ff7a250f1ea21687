//! Values that are never shown.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// What is shown in the place of a secret.
pub(crate) const MASK: &str = "********";

/// A text that is shown nowhere: not in logs, not by `config check`.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(MASK)
    }
}

/// The address of a server, whose password is shown nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct ServerUrl(String);

impl ServerUrl {
    /// The address with its password.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The address with a mask in the place of the password.
    fn masked(&self) -> String {
        let account = self.0.split_once("://").and_then(|(scheme, rest)| {
            let (account, host) = rest.rsplit_once('@')?;
            let (user, _) = account.split_once(':')?;
            Some(format!("{scheme}://{user}:{MASK}@{host}"))
        });
        let masked = account.unwrap_or_else(|| self.0.clone());
        // The one parameter of a server's address that is a secret.
        match masked.split_once("sentinel-password=") {
            Some((before, rest)) => {
                let after = rest.find('&').map_or("", |end| &rest[end..]);
                format!("{before}sentinel-password={MASK}{after}")
            }
            None => masked,
        }
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for ServerUrl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_servers_are_masked() {
        for (url, shown) in [
            ("sqlite://a/b.db", "sqlite://a/b.db"),
            ("redis://h:1/0", "redis://h:1/0"),
            ("redis://:word@h", "redis://:********@h"),
            (
                "redis+sentinel://h/m?sentinel-password=word&prefix=x",
                "redis+sentinel://h/m?sentinel-password=********&prefix=x",
            ),
            ("redis://ada:w@rd@h:1/2?prefix=x", "redis://ada:********@h:1/2?prefix=x"),
        ] {
            assert_eq!(format!("{:?}", ServerUrl(url.to_owned())), shown);
        }
    }
}
