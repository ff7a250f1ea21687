//! Connections to Redis: one server, a master that Sentinel names, or a cluster.
//!
//! ```no_run
//! use eventyard_redis::connect::{Address, Connections, Options};
//!
//! # async fn usage() -> Result<(), Box<dyn std::error::Error>> {
//! let address: Address = "redis://user:password@127.0.0.1:6379/0?prefix=bull".parse()?;
//! assert_eq!(address.parameters()["prefix"], "bull");
//! let connections = Connections::new(address, Options::default());
//!
//! // All ordinary commands go pipelined over one connection, which is made again when it is lost.
//! let mut shared = connections.shared();
//! let _: Option<String> = redis::cmd("GET").arg("key").query_async(&mut shared).await?;
//!
//! // A command that blocks has a connection of its own, and a name that CLIENT LIST shows.
//! let mut blocking = connections.dedicated(Some("worker:emails")).await?;
//! let _: redis::Value = redis::cmd("BZPOPMIN").arg("marker").arg(5).query_async(&mut blocking).await?;
//! # Ok(())
//! # }
//! ```
//!
//! A command that was sent when its connection was lost is not sent again: only its caller knows whether that
//! is safe. It fails with an [`Error`] that [is retryable](Error::is_retryable), and the next command waits for
//! the new connection, up to [`Options::patience`]. While Redis loads its data it counts as not reachable.
//!
//! Commands that block must not go over the shared connection: they would hold up all others.

mod address;
mod cluster;
mod dial;
mod error;
mod pace;
mod sentinel;
mod shared;

use std::{sync::Arc, time::Duration};

use redis::aio::{MultiplexedConnection, PubSub};

pub use self::{
    address::{Address, AddressError, Mode},
    error::Error,
    pace::Pace,
    shared::Shared,
};

/// How connections behave.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long an answer may take on the shared connection.
    pub response_timeout: Duration,
    /// How long it may take to reach one server.
    pub connect_timeout: Duration,
    /// How long a caller waits for a connection while there is none.
    pub patience: Duration,
    /// The name of the shared connection in `CLIENT LIST`.
    pub name: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            response_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(2),
            patience: Duration::from_secs(5),
            name: None,
        }
    }
}

/// Makes connections to one Redis. Clones are cheap and share one connection.
#[derive(Debug, Clone)]
pub struct Connections {
    shared: Shared,
}

impl Connections {
    /// Connections to `address`. Nothing is connected yet.
    #[must_use]
    pub fn new(address: Address, options: Options) -> Self {
        Self { shared: Shared::new(Arc::new(dial::Dial { address, options })) }
    }

    /// Where they lead to.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.shared.dial().address
    }

    /// The connection for all commands that do not block; it is made when it is first used.
    #[must_use]
    pub fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// A new connection for commands that block: it waits for answers without a limit, it has this name in
    /// `CLIENT LIST`, and it is closed when the last clone is dropped. In a cluster it leads to any one master; see
    /// [`dedicated_to`](Self::dedicated_to).
    ///
    /// # Errors
    /// When Redis is not reached in one try, or refuses.
    pub async fn dedicated(&self, name: Option<&str>) -> Result<MultiplexedConnection, Error> {
        self.shared.dial().dedicated(name).await
    }

    /// A new connection for commands that block on `key`: in a cluster it leads to the master that has the key.
    ///
    /// # Errors
    /// As [`dedicated`](Self::dedicated).
    pub async fn dedicated_to(
        &self,
        key: &str,
        name: Option<&str>,
    ) -> Result<MultiplexedConnection, Error> {
        self.shared.dial().dedicated_to(key, name).await
    }

    /// A new connection for subscribing to channels. Its stream of messages ends when the connection is lost.
    ///
    /// # Errors
    /// When Redis is not reached in one try, or refuses.
    pub async fn pubsub(&self) -> Result<PubSub, Error> {
        self.shared.dial().pubsub().await
    }
}
