//! How the queues stand and what they did lately, for those who watch: read once for all of them.

mod heads;
mod history;
mod metrics;
mod standing;
mod watch;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use axum::{extract::FromRequestParts, http::request::Parts};
use eventyard::{Yard, model::QueueName};
use tokio::sync::Mutex;
use utoipa_axum::router::OpenApiRouter;

use crate::{Code, Problem, queue};
use heads::Head;
use standing::Standing;

/// How often those who watch hear of a change.
const PERIOD: Duration = Duration::from_secs(1);
/// For how long what was read of the counts is good enough.
const FRESH: Duration = Duration::from_millis(800);
/// The same of the heads of the queues, which cost the store more.
const FRESH_HEADS: Duration = Duration::from_secs(3);

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    watch::routes().merge(metrics::routes())
}

/// What was read last, shared by all who watch.
#[derive(Clone, Default)]
pub(crate) struct Live(Arc<Shared>);

#[derive(Default)]
struct Shared {
    standing: Mutex<Read<Standing>>,
    heads: std::sync::Mutex<Read<Head>>,
    /// Whose turn it is to read the heads.
    reading: Arc<Mutex<()>>,
}

/// Something of every queue, and when it was read.
type Read<T> = Option<(Instant, All<T>)>;
type All<T> = Arc<BTreeMap<QueueName, T>>;

impl Live {
    /// How the queues stand.
    async fn standing(&self, yard: &Yard) -> Result<All<Standing>, Problem> {
        let mut read = self.0.standing.lock().await;
        if let Some((_, all)) = read.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(Arc::clone(all));
        }
        let queues = queue::all(yard).await?;
        let standing = queues.iter().map(|(name, known)| {
            (name.clone(), Standing::of(&known.status, yard.lately(name).as_ref()))
        });
        let all = Arc::new(standing.collect());
        *read = Some((Instant::now(), Arc::clone(&all)));
        Ok(all)
    }

    /// What is at the head of the queues. Only the first who ask wait for it: later ones get what was read before, while
    /// it is read anew.
    async fn heads(&self, yard: &Yard) -> Result<All<Head>, Problem> {
        if let Some((at, all)) = self.known_heads() {
            let turn = Arc::clone(&self.0.reading).try_lock_owned();
            if let (true, Ok(turn)) = (at.elapsed() >= FRESH_HEADS, turn) {
                let (live, yard) = (self.clone(), yard.clone());
                tokio::spawn(async move {
                    let _turn = turn;
                    if let Err(problem) = live.read_heads(&yard).await {
                        let problem = problem.detail();
                        tracing::warn!(problem, "the heads of the queues cannot be read");
                    }
                });
            }
            return Ok(all);
        }
        let _turn = self.0.reading.lock().await;
        match self.known_heads() {
            Some((_, all)) => Ok(all),
            None => self.read_heads(yard).await,
        }
    }

    async fn read_heads(&self, yard: &Yard) -> Result<All<Head>, Problem> {
        let mut all = BTreeMap::new();
        for (name, known) in queue::all(yard).await? {
            all.insert(name.clone(), heads::read(yard, &name, &known.status.counts).await?);
        }
        let all = Arc::new(all);
        let mut heads = self.0.heads.lock().unwrap_or_else(PoisonError::into_inner);
        *heads = Some((Instant::now(), Arc::clone(&all)));
        Ok(all)
    }

    fn known_heads(&self) -> Read<Head> {
        self.0.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Live {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let live = parts.extensions.get().cloned();
        live.ok_or_else(|| {
            Problem::of(Code::INTERNAL, "this address is mounted outside of the API")
        })
    }
}
