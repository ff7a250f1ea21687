//! The shared connection, and making it again.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike,
};
use tokio::time::Instant;

use super::{
    Error, Pace,
    dial::{Dial, Link},
};

/// The connection that all commands of a process share. Clones are cheap.
///
/// It is a [`ConnectionLike`], so every command of the `redis` crate goes over it.
///
/// # Cancel safety
/// Dropping the future of a command does not take the command back.
#[derive(Clone)]
pub struct Shared {
    inner: Arc<Inner>,
}

struct Inner {
    dial: Arc<Dial>,
    live: RwLock<Option<Live>>,
    /// How many times it was connected.
    generation: AtomicU64,
    /// Whoever holds it connects; the others wait for what comes of it.
    connecting: tokio::sync::Mutex<Attempts>,
    /// Why the last try failed, for those whose patience ends.
    why: Mutex<Option<Error>>,
}

#[derive(Default)]
struct Attempts {
    pace: Pace,
    /// Not before this is another try made.
    next: Option<Instant>,
}

#[derive(Clone)]
struct Live {
    generation: u64,
    link: Link,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("address", &self.inner.dial.address).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(dial: Arc<Dial>) -> Self {
        let inner = Inner {
            dial,
            live: RwLock::default(),
            generation: AtomicU64::new(0),
            connecting: tokio::sync::Mutex::default(),
            why: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn dial(&self) -> &Dial {
        &self.inner.dial
    }

    /// Connects unless it is connected, and waits for that up to the patience of the options.
    ///
    /// # Errors
    /// When Redis is not reached in that time, or refuses.
    pub async fn connect(&self) -> Result<(), Error> {
        self.live().await.map(drop)
    }

    /// The number of times that it was connected. What belongs to a connection, such as that a script is loaded,
    /// is to be looked at again when this has changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.inner.generation.load(Ordering::Acquire)
    }

    fn current(&self) -> Option<Live> {
        self.inner.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn live(&self) -> Result<Live, Error> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let patience = self.inner.dial.options.patience;
        match tokio::time::timeout(patience, self.reconnect()).await {
            Ok(connected) => connected,
            Err(_) => Err(self.impatient(patience)),
        }
    }

    fn impatient(&self, patience: Duration) -> Error {
        let why = self.inner.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let address = &self.inner.dial.address;
        match why {
            Some(why) => why,
            None => Error::new(
                eventyard_core::StoreErrorKind::Unavailable,
                format!("{address} was not reached within {patience:?}"),
            ),
        }
    }

    async fn reconnect(&self) -> Result<Live, Error> {
        let mut attempts = self.inner.connecting.lock().await;
        loop {
            if let Some(live) = self.current() {
                return Ok(live);
            }
            if let Some(next) = attempts.next {
                tokio::time::sleep_until(next).await;
            }
            let failure = match self.inner.dial.link().await {
                Ok(link) => return Ok(self.keep(&mut attempts, link)),
                Err(error) => error,
            };
            attempts.next = Some(Instant::now() + attempts.pace.next_wait());
            tracing::debug!(error = %failure, "redis is not reached");
            let hopeless = !is_worth_waiting(&failure);
            *self.inner.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure.clone());
            if hopeless {
                return Err(failure);
            }
        }
    }

    fn keep(&self, attempts: &mut Attempts, link: Link) -> Live {
        let generation = self.inner.generation.fetch_add(1, Ordering::AcqRel) + 1;
        attempts.pace.reset();
        // A server that takes connections and drops them at once is not asked in a tight loop.
        attempts.next = Some(Instant::now() + attempts.pace.next_wait());
        attempts.pace.reset();
        if generation > 1 {
            tracing::info!(address = %self.inner.dial.address, "connected to redis again");
        }
        let live = Live { generation, link };
        *self.inner.live.write().unwrap_or_else(PoisonError::into_inner) = Some(live.clone());
        live
    }

    /// Gives the connection up, unless there is a newer one.
    fn lose(&self, generation: u64, error: &RedisError) {
        let mut live = self.inner.live.write().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| live.generation == generation) {
            *live = None;
            let address = &self.inner.dial.address;
            tracing::warn!(%address, %error, "the connection to redis was lost; it is made again");
        }
    }

    fn judge<T>(
        &self,
        generation: u64,
        answer: RedisResult<T>,
        values: fn(&T) -> &[Value],
    ) -> RedisResult<T> {
        match &answer {
            Err(error) if ends_connection(error) => self.lose(generation, error),
            Err(_) => {}
            Ok(answer) => {
                for value in values(answer) {
                    if let Value::ServerError(error) = value {
                        let error = RedisError::from(error.clone());
                        if ends_connection(&error) {
                            self.lose(generation, &error);
                        }
                    }
                }
            }
        }
        answer
    }
}

/// Whether a wrong password is not it: waiting helps only where something comes back by itself.
fn is_worth_waiting(error: &Error) -> bool {
    let refused = error.answer().is_some_and(|answer| {
        answer.kind() == ErrorKind::AuthenticationFailed
            || matches!(answer.code(), Some("NOAUTH" | "WRONGPASS" | "DENIED"))
    });
    error.is_retryable() && !refused
}

/// Whether the server must be looked for again: the connection is gone, hangs, or leads to a former master.
fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_timeout()
        || matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::ReadOnly
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::BusyLoading
            )
        )
        || error.code() == Some("NOAUTH")
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Node(node) => node.req_packed_command(cmd),
            Self::Cluster(cluster) => cluster.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Node(node) => node.req_packed_commands(pipeline, offset, count),
            Self::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Node(node) => node.get_db(),
            Self::Cluster(cluster) => cluster.get_db(),
        }
    }
}

impl ConnectionLike for Shared {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let Live { generation, mut link } = self.live().await.map_err(as_answer)?;
            let answer = link.req_packed_command(cmd).await;
            self.judge(generation, answer, std::slice::from_ref)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let Live { generation, mut link } = self.live().await.map_err(as_answer)?;
            let answers = link.req_packed_commands(pipeline, offset, count).await;
            self.judge(generation, answers, Vec::as_slice)
        })
    }

    fn get_db(&self) -> i64 {
        self.inner.dial.address.db().into()
    }
}

/// The interface of the client library has errors of its own only.
fn as_answer(error: Error) -> RedisError {
    let message = error.to_string();
    let unsaid = || std::io::Error::new(std::io::ErrorKind::NotConnected, message).into();
    error.into_answer().unwrap_or_else(unsaid)
}
