//! Tests of applications on virtual time, with no server.
//!
//! ```
//! # use eventyard::{Event, Eventyard, JobError, Queue, secs, testing::TestYard};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Event, Serialize, Deserialize)]
//! # #[event("order.placed")]
//! # struct OrderPlaced {}
//! async fn ship(_: OrderPlaced) -> Result<(), JobError> {
//!     Err(JobError::retry("no carrier"))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let app = Eventyard::in_memory()
//!     .queue(Queue::new("shipping").attempts(3))
//!     .route("order.placed", "shipping")
//!     .handle("shipping", ship);
//! let t = app.test();
//! t.publish(OrderPlaced {}).await;
//! t.advance(secs(6)).await; // 2 s and 4 s between the attempts
//! t.assert_dead_lettered::<OrderPlaced>();
//! # }
//! ```

use std::{fmt, ops::Deref, sync::Arc, time::Duration};

use async_trait::async_trait;
use eventyard_core::{
    Clock, JobState, MemoryStore, Timestamp,
    inspect::{JobStatus, MAX_PAGE, PageAsk},
};
use futures_util::FutureExt;
use tokio::time::Instant;

use crate::{Event, Eventyard, Published, Yard, event::IntoEvent};

/// How often the other tasks get a turn before the application counts as idle.
const TURNS: usize = 1000;

/// Virtual time: tokio's paused clock, which jumps to the next timer when every task is idle.
#[derive(Debug)]
pub struct VirtualClock {
    start: Instant,
}

impl VirtualClock {
    /// Pauses time, if it is not paused already.
    ///
    /// # Panics
    /// Outside of a current-thread tokio runtime, the default of `#[tokio::test]`.
    #[must_use]
    pub fn pause() -> Self {
        if !is_paused() {
            tokio::time::pause();
        }
        Self { start: Instant::now() }
    }
}

/// Whether tokio's clock stands still while real time goes on.
fn is_paused() -> bool {
    let (real, tokio) = (std::time::Instant::now(), Instant::now());
    while real.elapsed() < Duration::from_micros(1) {}
    tokio.elapsed().is_zero()
}

/// When virtual time begins.
const EPOCH: Timestamp = Timestamp::from_millis(1_767_225_600_000);

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        EPOCH + self.start.elapsed()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        // Tokio's timers fire at the next whole millisecond of its own count, which has another phase.
        const PHASE: Duration = Duration::from_nanos(999_999);
        loop {
            let left = deadline.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.saturating_sub(PHASE)).await;
        }
    }
}

/// An application under test: a running [`Yard`] on virtual time and an in-memory store.
pub struct TestYard {
    yard: Yard,
}

impl Eventyard {
    /// Starts the application for a test, on virtual time and in memory.
    ///
    /// # Panics
    /// When the application does not make sense, or outside of a current-thread tokio runtime.
    #[must_use]
    pub fn test(mut self) -> TestYard {
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::pause());
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
        self.store = Some((Arc::clone(&store) as _, store));
        self.clock = clock;
        match self.start().now_or_never() {
            Some(Ok(yard)) => TestYard { yard },
            Some(Err(error)) => panic!("{error}"),
            None => unreachable!("the in-memory store answers at once"),
        }
    }
}

impl Deref for TestYard {
    type Target = Yard;
    fn deref(&self) -> &Yard {
        &self.yard
    }
}

impl TestYard {
    /// Publishes an event and lets the application work until it is idle.
    ///
    /// # Panics
    /// When the event is refused.
    pub async fn publish(&self, event: impl IntoEvent) -> Published {
        match self.yard.publish(event).await {
            Ok(published) => {
                self.run_until_idle().await;
                published
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Lets every task work that can without the time moving.
    pub async fn run_until_idle(&self) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }

    /// Moves time on; everything that falls due on the way happens at its very time.
    pub async fn advance(&self, d: Duration) {
        self.run_until_idle().await;
        self.clock().sleep(d).await;
        self.run_until_idle().await;
    }

    /// The jobs made from events of type `E` that are in `state`.
    #[must_use]
    pub fn jobs<E: Event>(&self, state: JobState) -> Vec<JobStatus> {
        self.jobs_named(E::TYPE, state)
    }

    /// The jobs named `name` that are in `state`.
    ///
    /// # Panics
    /// When the store cannot answer.
    #[must_use]
    pub fn jobs_named(&self, name: &str, state: JobState) -> Vec<JobStatus> {
        let queues = self.yard.declared_queues().map(|(name, _)| name);
        let page = || PageAsk::first(MAX_PAGE);
        let jobs = queues.flat_map(|queue| {
            let listing = self.yard.inspect().jobs(Some(queue), state, page());
            match listing.now_or_never() {
                Some(Ok(page)) => page.items,
                other => panic!("the in-memory store answers at once, not {other:?}"),
            }
        });
        jobs.filter(|status| &*status.job.name == name).collect()
    }

    /// Asserts that a job made from an event of type `E` was completed.
    ///
    /// # Panics
    /// When there is none.
    pub fn assert_completed<E: Event>(&self) {
        self.assert_some::<E>(JobState::Completed);
    }

    /// Asserts that a job made from an event of type `E` became a dead letter.
    ///
    /// # Panics
    /// When there is none.
    pub fn assert_dead_lettered<E: Event>(&self) {
        self.assert_some::<E>(JobState::Failed);
    }

    fn assert_some<E: Event>(&self, state: JobState) {
        let found = |state| (state, self.jobs::<E>(state).len());
        let counts: Vec<_> = JobState::ALL.into_iter().map(found).filter(|(_, n)| *n > 0).collect();
        assert!(
            counts.iter().any(|(s, _)| *s == state),
            "no job of `{}` is {state}; there are {counts:?}",
            E::TYPE
        );
    }
}

impl fmt::Debug for TestYard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestYard").finish_non_exhaustive()
    }
}
