//! `[server]`: where the program listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::TimeSpan;

/// The address that is listened on unless another is given.
pub(crate) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// Where the program listens, and how it stops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Server {
    /// The address and port to listen on. Port 0 takes a free one. An address that others can reach needs
    /// `auth.tokens`.
    #[schemars(with = "String")]
    #[serde(deserialize_with = "listen")]
    pub(crate) listen: SocketAddr,
    /// The hosts by which the server is addressed besides `localhost`. It matters without `auth.tokens` only:
    /// requests to other hosts, and changes by web pages of other hosts, are then refused.
    pub(crate) hosts: Vec<String>,
    /// How long a shutdown waits for active jobs before it gives them back.
    pub(crate) shutdown_grace: TimeSpan,
}

/// An address to listen on.
fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        let problem =
            "is no address with a port; use one such as 127.0.0.1:3000, or 0.0.0.0:3000 for all";
        D::Error::custom(format!("`{text}` {problem}"))
    })
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: LISTEN, hosts: Vec::new(), shutdown_grace: TimeSpan::secs(30) }
    }
}
