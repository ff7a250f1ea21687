//! Opening the store that a configuration names.

use std::{path::Path, sync::Arc};

use eventyard_core::{Clock, Inspect, MemoryStore, Store, StoreError, SystemClock};
use eventyard_redis::RedisStore;
use eventyard_sqlite::{Options, SqliteStore};

pub(crate) use eventyard_sqlite::Synchronous;

use crate::config::{self, Config, InvalidStoreUrl, StoreUrl};

/// An open store: its two sides, and the clock that both live by.
pub(crate) struct OpenStore {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) inspect: Arc<dyn Inspect>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A store cannot be opened.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum OpenError {
    /// Its address names no store of this build.
    #[error(transparent)]
    Url(#[from] InvalidStoreUrl),
    /// It is there, but does not open.
    #[error(transparent)]
    #[diagnostic(help("`eventyard doctor` looks at the store and at what it stands on"))]
    Store(#[from] StoreError),
}

/// Opens the store at `url`: `sqlite://PATH`, `redis://HOST:PORT` or `memory://`.
///
/// # Errors
/// When the address is not understood, or the store does not open.
pub(crate) async fn open(url: &str, synchronous: Synchronous) -> Result<OpenStore, OpenError> {
    open_url(StoreUrl::parse(url)?, synchronous).await
}

/// Opens the store that a configuration names.
///
/// # Errors
/// When it does not open.
pub(crate) async fn open_configured(config: &Config) -> Result<OpenStore, OpenError> {
    let synchronous = match config.store.synchronous {
        config::Synchronous::Full => Synchronous::Full,
        config::Synchronous::Normal => Synchronous::Normal,
    };
    open_url(config.store_url()?, synchronous).await
}

async fn open_url(url: StoreUrl, synchronous: Synchronous) -> Result<OpenStore, OpenError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    Ok(match url {
        StoreUrl::Memory => {
            let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
            OpenStore { store: Arc::clone(&store) as _, inspect: store, clock }
        }
        StoreUrl::Sqlite(path) => {
            let store = Arc::new(open_sqlite(&path, synchronous, &clock).await?);
            OpenStore { store: Arc::clone(&store) as _, inspect: store, clock }
        }
        StoreUrl::Redis(address) => {
            let options = eventyard_redis::Options::new(address).clock(Arc::clone(&clock));
            let store = Arc::new(RedisStore::open(options).await?);
            OpenStore { store: Arc::clone(&store) as _, inspect: store, clock }
        }
    })
}

async fn open_sqlite(
    path: &Path,
    synchronous: Synchronous,
    clock: &Arc<dyn Clock>,
) -> Result<SqliteStore, StoreError> {
    let options = Options::new(path).clock(Arc::clone(clock)).synchronous(synchronous);
    SqliteStore::open(options).await
}
