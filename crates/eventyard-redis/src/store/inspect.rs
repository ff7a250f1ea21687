//! The store's read side.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eventyard_core::{
    Document, Event, EventId, Inspect, JobId, JobKey, JobState, LeaseToken, Leased, Page, PageAsk,
    QueueName, StoreError,
    inspect::{
        AttemptRecord, Child, DocumentFilter, EventFilter, JobStatus, KeyStatus, LogLine,
        QueueStatus, SavedStep,
    },
};

use super::RedisStore;

#[async_trait]
impl Inspect for RedisStore {
    async fn queues(&self) -> Result<BTreeMap<QueueName, QueueStatus>, StoreError> {
        self.reader()?.queues().await
    }

    async fn jobs(
        &self,
        queue: Option<&QueueName>,
        state: JobState,
        page: PageAsk,
    ) -> Result<Page<JobStatus>, StoreError> {
        self.reader()?.jobs(queue, state, page).await
    }

    async fn job(&self, key: &JobKey) -> Result<Option<JobStatus>, StoreError> {
        self.reader()?.job(key).await
    }

    async fn children(&self, key: &JobKey, page: PageAsk) -> Result<Page<Child>, StoreError> {
        self.reader()?.children(key, page).await
    }

    async fn keys(&self, queue: &QueueName, page: PageAsk) -> Result<Page<KeyStatus>, StoreError> {
        self.reader()?.keys(queue, page).await
    }

    async fn queues_of(&self, id: &JobId) -> Result<Vec<QueueName>, StoreError> {
        self.reader()?.queues_of(id).await
    }

    async fn attempts(&self, key: &JobKey) -> Result<Vec<AttemptRecord>, StoreError> {
        self.reader()?.attempts(key).await
    }

    async fn logs(&self, key: &JobKey) -> Result<Vec<LogLine>, StoreError> {
        self.reader()?.logs(key).await
    }

    async fn steps(&self, key: &JobKey) -> Result<Vec<SavedStep>, StoreError> {
        self.reader()?.steps(key).await
    }

    async fn leased(&self, token: LeaseToken) -> Result<Option<Leased>, StoreError> {
        self.reader()?.leased(token).await
    }

    async fn events(&self, filter: EventFilter, page: PageAsk) -> Result<Page<Event>, StoreError> {
        self.reader()?.events(filter, page).await
    }

    async fn event(&self, id: &EventId) -> Result<Option<Event>, StoreError> {
        self.reader()?.event(id).await
    }

    async fn document(&self, collection: &str, key: &str) -> Result<Option<Document>, StoreError> {
        self.reader()?.document(collection, key).await
    }

    async fn documents(
        &self,
        filter: DocumentFilter,
        page: PageAsk,
    ) -> Result<Page<Document>, StoreError> {
        self.reader()?.documents(filter, page).await
    }
}
