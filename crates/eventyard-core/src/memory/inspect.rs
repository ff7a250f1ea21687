//! The read side.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, state::Settings};
use crate::{
    Document, Event, EventId, Inspect, JobId, JobKey, JobState, LeaseToken, Leased, Page, PageAsk,
    QueueName, StoreError,
    inspect::{
        AttemptRecord, Child, Counts, DocumentFilter, EventFilter, JobStatus, KeyStatus, LogLine,
        QueueStatus, SavedStep,
    },
};

#[async_trait]
impl Inspect for MemoryStore {
    async fn queues(&self) -> Result<BTreeMap<QueueName, QueueStatus>, StoreError> {
        self.read(|state| {
            let statuses = state.queues.iter().map(|(name, queue)| {
                let mut counts = Counts::default();
                for state in JobState::ALL {
                    *counts.get_mut(state) = queue.shown(state).map_or(0, BTreeMap::len) as u64;
                }
                let Settings { paused, limits, .. } = queue.settings.clone();
                let status = QueueStatus { name: name.clone(), paused, counts, limits };
                (name.clone(), status)
            });
            statuses.collect()
        })
    }

    async fn jobs(
        &self,
        queue: Option<&QueueName>,
        state: JobState,
        page: PageAsk,
    ) -> Result<Page<JobStatus>, StoreError> {
        self.read(|all| all.jobs_page(queue, state, &page))?
    }

    async fn job(&self, key: &JobKey) -> Result<Option<JobStatus>, StoreError> {
        self.read(|state| {
            let queue = state.queues.get(&key.queue)?;
            Some(queue.jobs.get(&key.id)?.status(queue.settings.paused))
        })
    }

    async fn children(&self, key: &JobKey, page: PageAsk) -> Result<Page<Child>, StoreError> {
        self.read(|state| state.children_page(key, &page))?
    }

    async fn keys(&self, queue: &QueueName, page: PageAsk) -> Result<Page<KeyStatus>, StoreError> {
        self.read(|state| state.keys_page(queue, &page))?
    }

    async fn queues_of(&self, id: &JobId) -> Result<Vec<QueueName>, StoreError> {
        self.read(|state| {
            let having = state.queues.iter().filter(|(_, queue)| queue.jobs.contains_key(id));
            having.map(|(name, _)| name.clone()).collect()
        })
    }

    async fn attempts(&self, key: &JobKey) -> Result<Vec<AttemptRecord>, StoreError> {
        self.read(|state| {
            state.job(key).map(|entry| Vec::from(entry.attempts.clone())).unwrap_or_default()
        })
    }

    async fn logs(&self, key: &JobKey) -> Result<Vec<LogLine>, StoreError> {
        self.read(|state| {
            state.job(key).map(|entry| Vec::from(entry.log.clone())).unwrap_or_default()
        })
    }

    async fn steps(&self, key: &JobKey) -> Result<Vec<SavedStep>, StoreError> {
        self.read(|state| state.job(key).map(|entry| entry.steps.clone()).unwrap_or_default())
    }

    async fn leased(&self, token: LeaseToken) -> Result<Option<Leased>, StoreError> {
        self.read(|state| state.leased(token))
    }

    async fn events(&self, filter: EventFilter, page: PageAsk) -> Result<Page<Event>, StoreError> {
        self.read(|state| state.events_page(&filter, &page))?
    }

    async fn event(&self, id: &EventId) -> Result<Option<Event>, StoreError> {
        self.read(|state| state.events.get(id).map(|event| Event::clone(event)))
    }

    async fn document(&self, collection: &str, key: &str) -> Result<Option<Document>, StoreError> {
        self.read(|state| state.documents.get(collection)?.get(key).cloned())
    }

    async fn documents(
        &self,
        filter: DocumentFilter,
        page: PageAsk,
    ) -> Result<Page<Document>, StoreError> {
        self.read(|state| state.documents_page(&filter, &page))?
    }
}
