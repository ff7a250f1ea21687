//! The store: whether it opens, and what an acknowledged write survives.

use std::path::{Path, PathBuf};

use eventyard_core::{Durability, StoreErrorKind};
use eventyard_redis::{
    connect::{Address, Connections, Options},
    durability,
};

use super::{disk, finding::Finding};
use crate::{
    config::{Config, StoreUrl},
    store::{self, OpenError},
};

/// Opens the store as `serve` would, and closes it; looks at the disk that it is on.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let mut findings = vec![open(config).await];
    let folder = match config.store_url() {
        Ok(StoreUrl::Sqlite(path)) => Some(folder(&path)),
        Ok(StoreUrl::Redis(address)) => {
            findings.extend(redis(address).await);
            None
        }
        Ok(StoreUrl::Memory) | Err(_) => None,
    };
    if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
        findings.extend(disk::check(&folder));
    }
    findings
}

async fn open(config: &Config) -> Finding {
    const CHECK: &str = "store";
    let error = match store::open_configured(config).await {
        Ok(open) => {
            let capabilities = open.store.capabilities();
            open.store.close().await;
            let detail = format!("{}: {}", capabilities.name, capabilities.durability.describe());
            return match capabilities.durability {
                Durability::Process => Finding::warn(
                    CHECK,
                    detail,
                    "set store.url or store.data-dir to keep jobs and events",
                ),
                _ => Finding::ok(CHECK, detail),
            };
        }
        Err(error) => error,
    };
    match &error {
        OpenError::Store(store) if store.kind() == StoreErrorKind::Locked => Finding::warn(
            CHECK,
            error.to_string(),
            "nothing to do, if that is the one that is meant to run",
        ),
        OpenError::Store(store) if store.kind() == StoreErrorKind::Corrupt => Finding::fail(
            CHECK,
            error.to_string(),
            "put a backup in its place, or start with a new folder",
        ),
        _ => Finding::fail(
            CHECK,
            error.to_string(),
            "check the folder, its permissions and the disk, or the server and its address",
        ),
    }
}

/// What the settings of a Redis mean for what it keeps.
async fn redis(address: Address) -> Vec<Finding> {
    let connections = Connections::new(address.clone(), Options::default());
    let Ok(prefix) = eventyard_redis::Options::new(address).find_prefix() else {
        return Vec::new();
    };
    match durability::read(&connections, &prefix).await {
        Ok(promise) => {
            let finding = |warning| Finding::warn("redis", warning, "change the server's settings");
            promise.warnings.into_iter().map(finding).collect()
        }
        // That it is not reached, as a prefix that does not fit, was found when it was opened.
        Err(_) => Vec::new(),
    }
}

/// The folder that a file is in.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
