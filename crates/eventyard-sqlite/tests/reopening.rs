//! What was acknowledged is there when the file is opened again.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod yard;

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use eventyard_conformance::{Fixture, random};
use eventyard_core::{
    Capabilities, Claim, Clock, Commit, CommitError, Document, Event, EventId, Failure,
    FailureKind, Feed, GroupKey, Inspect, JobId, JobKey, JobOptions, JobState, Keep, KeyLimits,
    Lease, LeaseToken, Leased, Maintenance, Page, PageAsk, QueueLimits, QueueName, Rate, Receipt,
    Renewal, Settlement, Store, StoreError, Timestamp, Upkeep, Write,
    inspect::{
        AttemptRecord, Child, DocumentFilter, EventFilter, JobStatus, KeyStatus, LogLine,
        QueueStatus, SavedStep,
    },
};
use eventyard_sqlite::SqliteStore;
use tempfile::TempDir;
use tokio::sync::{RwLock, broadcast};
use yard::{claim, clock, commit, complete, count, job, job_with, look, open, settle};

/// One job in each state, some with a history.
async fn furnish(store: &SqliteStore) -> Vec<Leased> {
    let delay = |ms| JobOptions { delay: Some(Duration::from_millis(ms)), ..JobOptions::default() };
    let jobs = (0..20).map(|n| job("q", &format!("j{n}")));
    commit(store, jobs).await.unwrap();
    commit(store, [job_with("q", "later", vec![], delay(5000)), job("p", "held")]).await.unwrap();
    commit(store, [Write::Pause(yard::queue("p"), true)]).await.unwrap();
    let leased = claim(store, "q", 10).await;
    let failure = Failure::new(FailureKind::Error, "no");
    let at = Timestamp::from_millis(1_800_000_060_000);
    for (n, settlement) in [
        complete(Keep::FOREVER),
        Settlement::Fail { failure: failure.clone(), keep: Keep::FOREVER },
        Settlement::Retry { at, failure },
        Settlement::Snooze { at: Timestamp::default() },
        Settlement::Release,
        complete(Keep::NOTHING),
    ]
    .into_iter()
    .enumerate()
    {
        let lease = leased[n].lease.clone();
        let writes =
            [Write::Progress("1".into()), Write::Log("line".into()), Write::Settle(settlement)];
        let answer = store.commit(vec![Commit::under(lease, writes)]).await.unwrap().remove(0);
        answer.unwrap();
    }
    leased[6..].to_vec()
}

#[tokio::test]
async fn everything_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, clock) = (folder.path().join("deep/er/store.db"), clock());
    let store = open(&path, clock.clone()).await;
    let leased = furnish(&store).await;
    let before = look(&store).await;
    store.close().await;

    let store = open(&path, clock.clone()).await;
    assert_eq!(look(&store).await, before);
    // A lease that was held before holds still.
    assert!(settle(&store, &leased[0], complete(Keep::FOREVER)).await);
    assert!(!settle(&store, &leased[0], complete(Keep::FOREVER)).await);
    // Dropping the store closes it as well.
    let before = look(&store).await;
    drop(store);
    let store = open(&path, clock).await;
    assert_eq!(look(&store).await, before);
    assert_eq!(count(&store, "q", JobState::Active).await, 3);
}

#[tokio::test]
async fn a_delayed_job_runs_after_its_time_came_while_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, clock) = (folder.path().join("store.db"), clock());
    let store = open(&path, clock.clone()).await;
    furnish(&store).await;
    store.close().await;
    clock.advance(Duration::from_secs(3600));
    let store = open(&path, clock).await;
    let ids: Vec<_> =
        claim(&store, "q", 100).await.iter().map(|leased| leased.job.id.to_string()).collect();
    assert!(ids.contains(&"later".to_owned()), "{ids:?}");
}

#[tokio::test]
async fn no_lease_is_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (path, clock) = (folder.path().join("store.db"), clock());
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let store = open(&path, clock.clone()).await;
        commit(&store, [job("q", "a")]).await.unwrap();
        for _ in 0..3 {
            let leased = claim(&store, "q", 1).await.remove(0);
            assert!(seen.insert(leased.lease.token), "{:?}", leased.lease);
            assert!(settle(&store, &leased, Settlement::Release).await);
        }
        store.close().await;
    }
}

#[tokio::test]
async fn keys_and_limits_are_there_again() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let path = folder.path().join("store.db");
    let store = open(&path, clock.clone()).await;
    let key = |text: &str| GroupKey::new(text).unwrap();
    let keyed = |id: &str, text: &str| {
        job_with("q", id, vec![], JobOptions { key: Some(key(text)), ..JobOptions::default() })
    };
    let keys = KeyLimits { ordered: true, ..KeyLimits::default() };
    let limits = QueueLimits { concurrency: Some(3), keys, ..QueueLimits::default() };
    let jobs = [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c")];
    commit(&store, [Write::Limit(yard::queue("q"), limits.clone())]).await.unwrap();
    commit(&store, jobs.map(|(id, text)| keyed(id, text))).await.unwrap();
    commit(&store, [Write::PauseKey(yard::queue("q"), key("c"), true)]).await.unwrap();
    let leased = claim(&store, "q", 9).await;
    let ids: Vec<_> = leased.iter().map(|leased| leased.job.id.as_str()).collect();
    assert_eq!(ids, ["a1", "b1"], "one of each key that is not paused");
    let at = clock.now() + Duration::from_secs(5);
    let failure = Failure::new(FailureKind::Error, "no");
    assert!(settle(&store, &leased[0], Settlement::Retry { at, failure }).await);
    store.close().await;

    let store = open(&path, clock.clone()).await;
    let status = store.queues().await.unwrap().remove("q").unwrap();
    assert_eq!(*status.limits, limits);
    let page = store.keys(&yard::queue("q"), PageAsk::first(9)).await.unwrap();
    let seen: Vec<_> =
        page.items.iter().map(|k| (k.key.as_str(), k.waiting, k.active, k.paused)).collect();
    assert_eq!(seen, [("a", 1, 0, false), ("b", 1, 1, false), ("c", 1, 0, true)]);
    assert!(
        claim(&store, "q", 9).await.is_empty(),
        "a waits for a retry, b is active, c is paused"
    );
    clock.advance(Duration::from_secs(5));
    let again = claim(&store, "q", 9).await;
    assert_eq!(again[0].job.id.as_str(), "a1", "it kept its place");
    assert_eq!(again.len(), 1);
    assert!(settle(&store, &leased[1], complete(Keep::NOTHING)).await, "its lease still holds");
    assert_eq!(claim(&store, "q", 9).await[0].job.id.as_str(), "b2");
    store.close().await;
}

#[tokio::test]
async fn a_rate_goes_on_where_it_was() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let path = folder.path().join("store.db");
    let store = open(&path, clock.clone()).await;
    let rate = Some(Rate::new(3, Duration::from_hours(1)));
    let whole = QueueLimits { rate, ..QueueLimits::default() };
    let each_key =
        QueueLimits { keys: KeyLimits { rate, ..KeyLimits::default() }, ..QueueLimits::default() };
    let key = Some(GroupKey::new("a").unwrap());
    for (name, limits, key) in [("whole", whole, None), ("keyed", each_key, key)] {
        let options = || JobOptions { key: key.clone(), ..JobOptions::default() };
        let jobs = (0..9).map(|n| job_with(name, &format!("j{n}"), vec![], options()));
        commit(&store, [Write::Limit(yard::queue(name), limits)]).await.unwrap();
        commit(&store, jobs).await.unwrap();
        assert_eq!(claim(&store, name, 2).await.len(), 2);
    }
    store.close().await;

    clock.advance(Duration::from_mins(30));
    let store = open(&path, clock.clone()).await;
    for name in ["whole", "keyed"] {
        assert_eq!(claim(&store, name, 9).await.len(), 1, "{name}: the third of this hour");
    }
    store.close().await;

    let store = open(&path, clock.clone()).await;
    for name in ["whole", "keyed"] {
        assert_eq!(claim(&store, name, 9).await.len(), 0, "{name}");
    }
    clock.advance(Duration::from_mins(31));
    for name in ["whole", "keyed"] {
        assert_eq!(claim(&store, name, 9).await.len(), 2, "{name}: the first two are an hour ago");
    }
    store.close().await;
}

/// A store that is opened again every few calls, after it was closed or after a power cut.
struct Restless {
    store: RwLock<Option<SqliteStore>>,
    clock: Arc<dyn Clock>,
    /// Each power cut leaves a folder of its own.
    folder: TempDir,
    cuts: AtomicU64,
    calls: AtomicU64,
    /// Nothing is told here: a feed ends with its store.
    feed: Feed,
}

impl Restless {
    async fn rest(&self) {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        if calls % 4 != 3 {
            return;
        }
        // A claim that waits keeps the store open.
        let Ok(mut store) = self.store.try_write() else { return };
        if calls % 8 == 3 {
            store.take().unwrap().close().await;
        } else {
            self.cut_power(store.as_ref().unwrap()).await;
        }
        *store = Some(self.open().await);
    }

    /// Leaves what is on the disk for sure: the database as it was at its last checkpoint, and the redo log.
    async fn cut_power(&self, store: &SqliteStore) {
        // Who reads waits for what SQLite has still to do, so that no file is copied while it changes.
        store.jobs(None, JobState::Waiting, PageAsk::first(1)).await.unwrap();
        let before = self.path();
        self.cuts.fetch_add(1, Ordering::Relaxed);
        std::fs::create_dir(self.path().parent().unwrap()).unwrap();
        for suffix in ["", "-redo0", "-redo1"] {
            let [from, to] = [&before, &self.path()]
                .map(|path| PathBuf::from(format!("{}{suffix}", path.display())));
            if from.exists() {
                std::fs::copy(from, to).unwrap();
            }
        }
    }

    fn path(&self) -> PathBuf {
        let cuts = self.cuts.load(Ordering::Relaxed).to_string();
        self.folder.path().join(cuts).join("store.db")
    }

    async fn open(&self) -> SqliteStore {
        open(&self.path(), self.clock.clone()).await
    }
}

macro_rules! through {
    ($self:ident, $store:ident => $call:expr) => {{
        let held = $self.store.read().await;
        let $store = held.as_ref().unwrap();
        $call.await
    }};
}

#[async_trait]
impl Store for Restless {
    fn capabilities(&self) -> Capabilities {
        self.store.try_read().unwrap().as_ref().unwrap().capabilities()
    }
    async fn commit(
        &self,
        commits: Vec<Commit>,
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError> {
        self.rest().await;
        through!(self, store => store.commit(commits))
    }
    async fn claim(&self, claim: Claim) -> Result<Vec<Leased>, StoreError> {
        through!(self, store => store.claim(claim))
    }
    async fn renew(&self, leases: Vec<Lease>, d: Duration) -> Result<Vec<Renewal>, StoreError> {
        self.rest().await;
        through!(self, store => store.renew(leases, d))
    }
    async fn maintain(&self, upkeep: Upkeep) -> Result<Maintenance, StoreError> {
        self.rest().await;
        through!(self, store => store.maintain(upkeep))
    }
    fn feed(&self) -> &Feed {
        &self.feed
    }
    fn cancellations(&self) -> broadcast::Receiver<LeaseToken> {
        broadcast::Sender::new(1).subscribe()
    }
    async fn close(&self) {
        through!(self, store => store.close());
    }
}

#[async_trait]
impl Inspect for Restless {
    async fn queues(&self) -> Result<BTreeMap<QueueName, QueueStatus>, StoreError> {
        through!(self, store => store.queues())
    }
    async fn jobs(
        &self,
        queue: Option<&QueueName>,
        state: JobState,
        page: PageAsk,
    ) -> Result<Page<JobStatus>, StoreError> {
        through!(self, store => store.jobs(queue, state, page))
    }
    async fn job(&self, key: &JobKey) -> Result<Option<JobStatus>, StoreError> {
        through!(self, store => store.job(key))
    }
    async fn children(&self, key: &JobKey, page: PageAsk) -> Result<Page<Child>, StoreError> {
        through!(self, store => store.children(key, page))
    }
    async fn keys(&self, queue: &QueueName, page: PageAsk) -> Result<Page<KeyStatus>, StoreError> {
        through!(self, store => store.keys(queue, page))
    }
    async fn queues_of(&self, id: &JobId) -> Result<Vec<QueueName>, StoreError> {
        through!(self, store => store.queues_of(id))
    }
    async fn attempts(&self, key: &JobKey) -> Result<Vec<AttemptRecord>, StoreError> {
        through!(self, store => store.attempts(key))
    }
    async fn logs(&self, key: &JobKey) -> Result<Vec<LogLine>, StoreError> {
        through!(self, store => store.logs(key))
    }
    async fn steps(&self, key: &JobKey) -> Result<Vec<SavedStep>, StoreError> {
        through!(self, store => store.steps(key))
    }
    async fn leased(&self, token: LeaseToken) -> Result<Option<Leased>, StoreError> {
        through!(self, store => store.leased(token))
    }
    async fn events(&self, filter: EventFilter, page: PageAsk) -> Result<Page<Event>, StoreError> {
        through!(self, store => store.events(filter, page))
    }
    async fn event(&self, id: &EventId) -> Result<Option<Event>, StoreError> {
        through!(self, store => store.event(id))
    }
    async fn document(&self, collection: &str, key: &str) -> Result<Option<Document>, StoreError> {
        through!(self, store => store.document(collection, key))
    }
    async fn documents(
        &self,
        filter: DocumentFilter,
        page: PageAsk,
    ) -> Result<Page<Document>, StoreError> {
        through!(self, store => store.documents(filter, page))
    }
}

/// Whatever happened before, the store goes on where it stopped.
#[test]
fn it_goes_on_where_it_stopped() {
    random::agrees_with_memory_when_reopened(async || {
        let clock = eventyard_conformance::clock();
        let restless = Restless {
            store: RwLock::default(),
            clock: clock.clone(),
            folder: tempfile::tempdir().unwrap(),
            cuts: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            feed: Feed::default(),
        };
        let store = restless.open().await;
        // All that it has is in its file, so that a power cut leaves a store.
        store.close().await;
        *restless.store.write().await = Some(restless.open().await);
        Fixture::new(restless, clock)
    });
}
