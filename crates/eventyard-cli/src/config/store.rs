//! `[store]`: where queues and events live.

use std::path::{Path, PathBuf};

use eventyard_redis::connect::{Address, AddressError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::ServerUrl;

/// The file of the embedded store in its folder.
const FILE: &str = "eventyard.db";

/// Where queues and events live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Store {
    /// The store: `sqlite://PATH` (a file), `redis://HOST:PORT` (also `rediss://`, `redis+sentinel://` and
    /// `redis+cluster://`; shared by several processes, on BullMQ's data layout) or `memory://` (forgotten when the
    /// process ends). When absent, the file `eventyard.db` in `store.data-dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<ServerUrl>,
    /// The folder of the embedded store.
    pub(crate) data_dir: PathBuf,
    /// When an acknowledged write is durable: `full` (it survives a power cut) or `normal` (faster, but a power
    /// cut may lose the last ones).
    pub(crate) synchronous: Synchronous,
}

/// When SQLite waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Synchronous {
    /// With every commit: what was acknowledged survives a power cut.
    #[default]
    Full,
    /// With checkpoints only: faster, but a power cut may lose the last commits.
    Normal,
}

impl Default for Store {
    fn default() -> Self {
        Self { url: None, data_dir: "eventyard-data".into(), synchronous: Synchronous::Full }
    }
}

/// A store that this build can open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// The memory of this process.
    Memory,
    /// A file.
    Sqlite(PathBuf),
    /// A Redis server, or several.
    Redis(Address),
}

/// A text that names no store of this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidStoreUrl {
    /// It begins with nothing that is known; the rest may hold a password.
    #[error("{0} names no store of this build; use sqlite://PATH, redis://HOST:PORT or memory://")]
    Scheme(String),
    /// It is no address of a Redis.
    #[error("{0}")]
    Redis(#[from] AddressError),
}

impl StoreUrl {
    /// Reads the address of a store.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidStoreUrl> {
        match text.split_once("://") {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("redis" | "rediss" | "redis+sentinel" | "redis+cluster", _)) => {
                Ok(Self::Redis(text.parse()?))
            }
            Some((scheme, _)) => Err(InvalidStoreUrl::Scheme(format!("`{scheme}://…`"))),
            None => Err(InvalidStoreUrl::Scheme(format!("`{text}`"))),
        }
    }

    /// The embedded store in the folder `dir`.
    pub(crate) fn in_folder(dir: &Path) -> Self {
        Self::Sqlite(dir.join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_addresses() {
        let check = |text: &str, expected: Option<StoreUrl>| {
            assert_eq!(StoreUrl::parse(text).ok(), expected, "{text}");
        };
        check("memory://", Some(StoreUrl::Memory));
        check("sqlite://a/b.db", Some(StoreUrl::Sqlite("a/b.db".into())));
        check("sqlite:///var/b.db", Some(StoreUrl::Sqlite("/var/b.db".into())));
        check("redis://localhost", Some(StoreUrl::Redis("redis://localhost".parse().unwrap())));
        for bad in ["", "sqlite://", "memory", "memory://x", "redis://", "postgres://localhost"] {
            check(bad, None);
        }
    }

    #[test]
    fn a_refused_address_keeps_its_password() {
        let error = StoreUrl::parse("postgres://ada:hunter2@db/jobs").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
