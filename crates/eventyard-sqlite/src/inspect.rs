//! The read side: short reads on connections of their own, which never hold up the writer.

mod cursor;
mod document;
mod event;
mod job;
mod listing;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use eventyard_core::{
    Document, Event, EventId, Inspect, JobId, JobKey, JobState, LeaseToken, Leased, Page, PageAsk,
    QueueName, StoreError, StoreErrorKind,
    inspect::{
        AttemptRecord, Child, DocumentFilter, EventFilter, JobStatus, KeyStatus, LogLine,
        QueueStatus, SavedStep,
    },
};
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::{SqliteStore, connect, error::store_error, shared::Shared};

/// The most reads at one time, and the most connections for them.
const READERS: usize = 4;

/// Connections that only read.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
    idle: Arc<Mutex<Vec<Connection>>>,
    room: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: shared.clone(),
            idle: Arc::default(),
            room: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Runs `read` on one state of the file, on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let room = self.room.clone().acquire_owned().await;
        let room = room.map_err(|_| self.shared.closed())?;
        self.shared.show().await?;
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let _room = room;
            let idle = readers.lock().pop();
            let mut conn = idle.map_or_else(|| connect::reader(readers.shared.path()), Ok)?;
            let snapshot = conn.transaction()?;
            let outcome = read(&snapshot)?;
            snapshot.finish()?;
            if !readers.room.is_closed() {
                readers.lock().push(conn);
            }
            Ok(outcome)
        });
        match reading.await {
            Ok(outcome) => outcome.map_err(|error| store_error(self.shared.path(), error)),
            Err(error) => {
                let path = self.shared.path().display();
                let message = format!("reading from {path} was broken off");
                Err(StoreError::new(StoreErrorKind::Unavailable, message).because(error))
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses further reads.
    pub(crate) fn close(&self) {
        self.room.close();
        self.lock().clear();
    }
}

#[async_trait]
impl Inspect for SqliteStore {
    async fn queues(&self) -> Result<BTreeMap<QueueName, QueueStatus>, StoreError> {
        if self.readers.room.is_closed() {
            return Err(self.shared.closed());
        }
        Ok(self.shared.queues.read().expect("no holder panics").clone())
    }

    async fn jobs(
        &self,
        queue: Option<&QueueName>,
        state: JobState,
        page: PageAsk,
    ) -> Result<Page<JobStatus>, StoreError> {
        let after = cursor::of_jobs(&page, state)?;
        let (queue, limit) = (queue.cloned(), page.limit());
        self.readers
            .read(move |conn| listing::page(conn, queue.as_ref(), state, after.as_ref(), limit))
            .await
    }

    async fn job(&self, key: &JobKey) -> Result<Option<JobStatus>, StoreError> {
        let key = key.clone();
        self.readers.read(move |conn| job::status(conn, &key)).await
    }

    async fn children(&self, key: &JobKey, page: PageAsk) -> Result<Page<Child>, StoreError> {
        let after = cursor::of_children(&page)?;
        let (key, limit) = (key.clone(), page.limit());
        self.readers.read(move |conn| job::children(conn, &key, after, limit)).await
    }

    async fn keys(&self, queue: &QueueName, page: PageAsk) -> Result<Page<KeyStatus>, StoreError> {
        let after = cursor::of_keys(&page)?;
        if self.readers.room.is_closed() {
            return Err(self.shared.closed());
        }
        let keys = self.shared.keys.read().expect("no holder panics");
        let rows = keys
            .iter()
            .skip_while(|((name, _), _)| name < queue)
            .take_while(|((name, _), _)| name == queue)
            .filter(|((_, key), _)| after.as_deref().is_none_or(|after| key.as_str() > after))
            .take(page.limit() + 1)
            .map(|((_, key), status)| (key.clone(), status.clone()))
            .collect();
        Ok(Page::cut(rows, page.limit(), cursor::to_key))
    }

    async fn queues_of(&self, id: &JobId) -> Result<Vec<QueueName>, StoreError> {
        let id = id.clone();
        self.readers.read(move |conn| job::queues_of(conn, &id)).await
    }

    async fn attempts(&self, key: &JobKey) -> Result<Vec<AttemptRecord>, StoreError> {
        let key = key.clone();
        self.readers.read(move |conn| job::attempts(conn, &key)).await
    }

    async fn logs(&self, key: &JobKey) -> Result<Vec<LogLine>, StoreError> {
        let key = key.clone();
        self.readers.read(move |conn| job::logs(conn, &key)).await
    }

    async fn steps(&self, key: &JobKey) -> Result<Vec<SavedStep>, StoreError> {
        let key = key.clone();
        self.readers.read(move |conn| job::steps(conn, &key)).await
    }

    async fn leased(&self, token: LeaseToken) -> Result<Option<Leased>, StoreError> {
        self.readers.read(move |conn| job::leased(conn, token)).await
    }

    async fn events(&self, filter: EventFilter, page: PageAsk) -> Result<Page<Event>, StoreError> {
        let before = cursor::of_events(&page)?;
        let limit = page.limit();
        self.readers.read(move |conn| event::page(conn, &filter, before, limit)).await
    }

    async fn event(&self, id: &EventId) -> Result<Option<Event>, StoreError> {
        let id = id.clone();
        self.readers.read(move |conn| event::one(conn, &id)).await
    }

    async fn document(&self, collection: &str, key: &str) -> Result<Option<Document>, StoreError> {
        let (collection, key) = (collection.to_owned(), key.to_owned());
        self.readers.read(move |conn| document::one(conn, collection, key)).await
    }

    async fn documents(
        &self,
        filter: DocumentFilter,
        page: PageAsk,
    ) -> Result<Page<Document>, StoreError> {
        let after = cursor::of_documents(&page)?;
        let limit = page.limit();
        self.readers.read(move |conn| document::page(conn, filter, after, limit)).await
    }
}
