//! What the tests of this store share: jobs, claims, and a look at everything.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{path::Path, sync::Arc, time::Duration};

use eventyard_core::{
    Claim, Clock, Commit, Effect, Inspect, JobId, JobOptions, JobState, Keep, Leased, ManualClock,
    NewJob, PageAsk, Payload, QueueName, Settlement, Store, StoreError, Timestamp, WorkerId, Write,
};
use eventyard_sqlite::{Options, SqliteStore};

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_millis(1_800_000_000_000)))
}

pub(crate) async fn open(path: &Path, clock: Arc<dyn Clock>) -> SqliteStore {
    SqliteStore::open(Options::new(path).clock(clock)).await.unwrap()
}

pub(crate) fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

pub(crate) fn job_with(queue_name: &str, id: &str, data: Vec<u8>, options: JobOptions) -> Write {
    Write::Enqueue(NewJob {
        queue: queue(queue_name),
        id: JobId::new(id).unwrap(),
        name: "test.job".into(),
        payload: Payload::Data(data.into()),
        options: Arc::new(options),
        awaits_children: false,
    })
}

pub(crate) fn job(queue_name: &str, id: &str) -> Write {
    job_with(queue_name, id, b"{}".to_vec(), JobOptions::default())
}

/// Applies writes, each as a commit of its own, in one call.
pub(crate) async fn commit(
    store: &SqliteStore,
    writes: impl IntoIterator<Item = Write>,
) -> Result<Vec<Effect>, StoreError> {
    let commits = writes.into_iter().map(|write| Commit::of([write])).collect();
    let answers = store.commit(commits).await?;
    Ok(answers.into_iter().flat_map(|answer| answer.unwrap()).collect())
}

pub(crate) fn ask(queue_name: &str, max: usize, wait: Duration) -> Claim {
    Claim {
        queue: queue(queue_name),
        max,
        lease_for: Duration::from_secs(30),
        worker: WorkerId::new("w").unwrap(),
        wait,
    }
}

pub(crate) async fn claim(store: &SqliteStore, queue_name: &str, max: usize) -> Vec<Leased> {
    store.claim(ask(queue_name, max, Duration::ZERO)).await.unwrap()
}

pub(crate) async fn settle(store: &SqliteStore, leased: &Leased, settlement: Settlement) -> bool {
    let commit = Commit::under(leased.lease.clone(), [Write::Settle(settlement)]);
    store.commit(vec![commit]).await.unwrap().remove(0).is_ok()
}

pub(crate) fn complete(keep: Keep) -> Settlement {
    Settlement::Complete { result: None, keep }
}

/// Everything that can be seen of jobs, as text.
pub(crate) async fn look(store: &SqliteStore) -> String {
    let queues = store.queues().await.unwrap();
    let mut seen = format!("{queues:#?}\n");
    for name in queues.keys() {
        for state in JobState::ALL {
            let page = store.jobs(Some(name), state, PageAsk::first(1000)).await.unwrap();
            for status in page.items {
                let key = status.job.key();
                assert_eq!(store.job(&key).await.unwrap().as_ref(), Some(&status), "{key}");
                let attempts = store.attempts(&key).await.unwrap();
                let logs = store.logs(&key).await.unwrap();
                seen += &format!("{state}: {status:#?}\n{attempts:#?}\n{logs:#?}\n");
            }
        }
    }
    seen
}

pub(crate) async fn count(store: &SqliteStore, queue_name: &str, state: JobState) -> u64 {
    let queues = store.queues().await.unwrap();
    queues.get(queue_name).map_or(0, |status| status.counts.get(state))
}
