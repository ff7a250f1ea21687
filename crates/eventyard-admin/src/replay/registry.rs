//! The replays of this process.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{extract::FromRequestParts, http::request::Parts};
use eventyard::model::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Ask,
    view::{ReplayState, ReplayView},
};
use crate::{Code, Problem};

/// How many replays are remembered.
const MEMORY: usize = 20;
/// How many may be under way.
const MAX_RUNNING: usize = 5;

/// The replays under way and those that ended last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replays(Arc<Mutex<VecDeque<Arc<Run>>>>);

/// One replay.
#[derive(Debug)]
pub(super) struct Run {
    replayed: AtomicU64,
    stop: CancellationToken,
    view: Mutex<ReplayView>,
}

impl Replays {
    /// Adds a replay.
    pub(super) fn add(&self, ask: &Ask, by: &str, now: Timestamp) -> Result<Arc<Run>, Problem> {
        let mut runs = self.lock();
        let running = runs.iter().filter(|run| run.view().state == ReplayState::Running).count();
        if running >= MAX_RUNNING {
            let detail = format!(
                "{running} replays are under way, which is the most; wait until one ends, or stop one"
            );
            return Err(Problem::of(Code::TOO_MANY_REQUESTS, detail));
        }
        let run = Arc::new(Run {
            replayed: AtomicU64::new(0),
            stop: CancellationToken::new(),
            view: Mutex::new(ReplayView::new(Uuid::now_v7().to_string(), ask, by, now)),
        });
        runs.push_front(Arc::clone(&run));
        if runs.len() > MEMORY {
            let old = runs.iter().rposition(|run| run.view().state != ReplayState::Running);
            old.and_then(|old| runs.remove(old));
        }
        Ok(run)
    }

    /// Every replay, the newest first.
    pub(super) fn all(&self) -> Vec<ReplayView> {
        self.lock().iter().map(|run| run.view()).collect()
    }

    /// The replay with this id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Run>> {
        self.lock().iter().find(|run| run.view().id == id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Run>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    pub(super) fn view(&self) -> ReplayView {
        let mut view = self.lock().clone();
        view.replayed = self.replayed();
        view
    }

    pub(super) fn count(&self, retried: u64) {
        self.replayed.fetch_add(retried, Ordering::Relaxed);
    }

    pub(super) fn replayed(&self) -> u64 {
        self.replayed.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.stop.cancel();
        let mut view = self.lock();
        if view.state == ReplayState::Running {
            view.state = ReplayState::Stopped;
        }
    }

    pub(super) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    pub(super) fn end(&self, now: Timestamp, problem: Option<String>) {
        let mut view = self.lock();
        view.ended_at = Some(now);
        if view.state == ReplayState::Running {
            view.state =
                if problem.is_some() { ReplayState::Failed } else { ReplayState::Completed };
        }
        view.problem = problem;
    }

    fn lock(&self) -> MutexGuard<'_, ReplayView> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Replays {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let replays = parts.extensions.get().cloned();
        replays.ok_or_else(|| {
            Problem::of(Code::INTERNAL, "this address is mounted outside of the API")
        })
    }
}
