//! The store: whether it opens, and what an acknowledged write survives.

use std::path::{Path, PathBuf};

use eventyard_core::{Durability, StoreErrorKind};

use super::{disk, finding::Finding};
use crate::{
    config::{Config, StoreUrl},
    store::{self, OpenError},
};

/// Opens the store as `serve` would, and closes it; looks at the disk that it is on.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let folder = match config.store_url() {
        Ok(StoreUrl::Sqlite(path)) => Some(folder(&path)),
        Ok(StoreUrl::Memory | StoreUrl::Redis(_)) | Err(_) => None,
    };
    let mut findings = vec![open(config).await];
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
            "check the folder, its permissions and the disk",
        ),
    }
}

/// The folder that a file is in.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
