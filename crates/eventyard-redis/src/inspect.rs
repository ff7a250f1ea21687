//! The read side: short reads that change nothing.
//!
//! What belongs together is read by one script or in one transaction, so that it is of one moment; a page is not, and what
//! vanished while it was read is left out of it.

mod ask;
mod children;
mod cursor;
mod discovery;
mod document;
mod event;
mod job;
mod key;
mod listing;
mod queue;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use eventyard_core::{
    Document, Event, EventId, Inspect, JobId, JobKey, JobState, LeaseToken, Leased, Page, PageAsk,
    QueueName, StoreError,
    inspect::{
        AttemptRecord, Child, DocumentFilter, EventFilter, JobStatus, KeyStatus, LogLine,
        QueueStatus, SavedStep,
    },
};

use self::discovery::Discovery;
use crate::connect::{Connections, Shared};

/// Reads what is in the store. Clones are cheap and share what they know of Node's queues.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    connection: Shared,
    prefix: Arc<str>,
    others: Discovery,
}

impl Reader {
    /// Reads over the shared connection.
    pub(crate) fn new(connections: &Connections, prefix: Arc<str>) -> Self {
        let others = Discovery::new(connections.clone(), Arc::clone(&prefix));
        Self { connection: connections.shared(), prefix, others }
    }

    /// What BullMQ's keys of a queue begin with.
    fn queue_key(&self, queue: &QueueName) -> String {
        format!("{}:{queue}:", self.prefix)
    }

    /// What our own keys of a queue begin with.
    fn own_queue_key(&self, queue: &QueueName) -> String {
        format!("{}::eventyard:q:{queue}:", self.prefix)
    }

    /// One of our own keys that belongs to no queue.
    fn own_key(&self, name: &str) -> String {
        format!("{}::eventyard:{name}", self.prefix)
    }

    fn job_key(&self, key: &JobKey) -> String {
        format!("{}:{}:{}", self.prefix, key.queue, key.id)
    }
}

#[async_trait]
impl Inspect for Reader {
    async fn queues(&self) -> Result<BTreeMap<QueueName, QueueStatus>, StoreError> {
        self.all_queues().await
    }

    async fn jobs(
        &self,
        queue: Option<&QueueName>,
        state: JobState,
        page: PageAsk,
    ) -> Result<Page<JobStatus>, StoreError> {
        self.jobs_page(queue, state, &page).await
    }

    async fn job(&self, key: &JobKey) -> Result<Option<JobStatus>, StoreError> {
        self.status_of(key).await
    }

    async fn children(&self, key: &JobKey, page: PageAsk) -> Result<Page<Child>, StoreError> {
        self.children_page(key, &page).await
    }

    async fn keys(&self, queue: &QueueName, page: PageAsk) -> Result<Page<KeyStatus>, StoreError> {
        self.keys_page(queue, &page).await
    }

    async fn queues_of(&self, id: &JobId) -> Result<Vec<QueueName>, StoreError> {
        self.queues_with(id).await
    }

    async fn attempts(&self, key: &JobKey) -> Result<Vec<AttemptRecord>, StoreError> {
        self.attempts_of(key).await
    }

    async fn logs(&self, key: &JobKey) -> Result<Vec<LogLine>, StoreError> {
        self.log_of(key).await
    }

    async fn steps(&self, key: &JobKey) -> Result<Vec<SavedStep>, StoreError> {
        self.steps_of(key).await
    }

    async fn leased(&self, token: LeaseToken) -> Result<Option<Leased>, StoreError> {
        self.leased_under(token).await
    }

    async fn events(&self, filter: EventFilter, page: PageAsk) -> Result<Page<Event>, StoreError> {
        self.events_page(&filter, &page).await
    }

    async fn event(&self, id: &EventId) -> Result<Option<Event>, StoreError> {
        self.event_with(id).await
    }

    async fn document(&self, collection: &str, key: &str) -> Result<Option<Document>, StoreError> {
        self.document_at(collection, key).await
    }

    async fn documents(
        &self,
        filter: DocumentFilter,
        page: PageAsk,
    ) -> Result<Page<Document>, StoreError> {
        self.documents_page(&filter, &page).await
    }
}

#[cfg(test)]
mod tests;
