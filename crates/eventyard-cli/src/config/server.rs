//! `[server]`: where the program listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    pub(crate) listen: SocketAddr,
    /// The hosts by which the server is addressed besides `localhost`. It matters without `auth.tokens` only:
    /// requests to other hosts, and changes by web pages of other hosts, are then refused.
    pub(crate) hosts: Vec<String>,
    /// How long a shutdown waits for active jobs before it gives them back.
    pub(crate) shutdown_grace: TimeSpan,
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: LISTEN, hosts: Vec::new(), shutdown_grace: TimeSpan::secs(30) }
    }
}
