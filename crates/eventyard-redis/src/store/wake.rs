//! Waiting for jobs: BullMQ's marker wakes one idle worker for each that may have work.
//!
//! A queue that somebody waits for has a task with a connection of its own, which blocks on the marker. Popping a
//! marker hands out nothing; it only says that a claim may find something. One that nobody here wants any more is put
//! back for others.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use eventyard_core::{QueueName, WorkerId};
use redis::{Value, aio::MultiplexedConnection};
use tokio::sync::{Notify, watch};

use crate::connect::{Connections, Pace};

/// How long one wait on the marker takes at most.
const BLOCK_SECONDS: f64 = 5.0;
/// How long the connection outlives the last who waited.
const LINGER: Duration = Duration::from_secs(60);

/// The bells of all queues that somebody waits for.
pub(crate) struct Bells {
    connections: Connections,
    prefix: Arc<str>,
    closed: watch::Receiver<bool>,
    bells: Mutex<HashMap<QueueName, Weak<Bell>>>,
}

/// The bell of one queue.
pub(crate) struct Bell {
    rung: Notify,
    waiting: AtomicUsize,
    /// Somebody began to wait.
    wanted: Notify,
}

/// Somebody who waits for a queue, as long as it lives.
pub(crate) struct Waiting(Arc<Bell>);

impl Waiting {
    /// Returns when there may be something to claim.
    pub(crate) async fn rung(&self) {
        self.0.rung.notified().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Bells {
    pub(crate) fn new(
        connections: Connections,
        prefix: Arc<str>,
        closed: watch::Receiver<bool>,
    ) -> Self {
        Self { connections, prefix, closed, bells: Mutex::default() }
    }

    /// The queues that somebody has waited on.
    pub(crate) fn queues(&self) -> Vec<QueueName> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Waits for the jobs of a queue, in the name of a worker.
    pub(crate) fn wait(&self, queue: &QueueName, worker: &WorkerId) -> Waiting {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        let known = bells.get(queue).and_then(Weak::upgrade);
        let bell = known.unwrap_or_else(|| {
            let bell = Arc::new(Bell {
                rung: Notify::new(),
                waiting: AtomicUsize::new(0),
                wanted: Notify::new(),
            });
            bells.insert(queue.clone(), Arc::downgrade(&bell));
            let watch = Watch {
                connections: self.connections.clone(),
                marker: format!("{}:{queue}:marker", self.prefix),
                name: client_name(&self.prefix, queue, worker),
                bell: Arc::clone(&bell),
            };
            tokio::spawn(watch.run(self.closed.clone()));
            bell
        });
        bell.waiting.fetch_add(1, Ordering::AcqRel);
        bell.wanted.notify_one();
        Waiting(bell)
    }
}

/// The name by which Node's `getWorkers` finds a worker.
fn client_name(prefix: &str, queue: &QueueName, worker: &WorkerId) -> String {
    let worker: String =
        worker.as_str().chars().map(|c| if c.is_ascii_graphic() { c } else { '-' }).collect();
    format!("{prefix}:{}:w:{worker}", BASE64_STANDARD.encode(queue.as_str()))
}

/// Watches the marker of one queue.
struct Watch {
    connections: Connections,
    marker: String,
    name: String,
    bell: Arc<Bell>,
}

impl Watch {
    async fn run(self, mut closed: watch::Receiver<bool>) {
        let mut pace = Pace::default();
        let mut connection = None;
        loop {
            while self.bell.waiting.load(Ordering::Acquire) == 0 {
                tokio::select! {
                    () = self.bell.wanted.notified() => {}
                    () = tokio::time::sleep(LINGER) => return,
                    _ = closed.wait_for(|closed| *closed) => return,
                }
            }
            if *closed.borrow() {
                return;
            }
            match self.watch(&mut connection).await {
                Ok(popped) => {
                    pace.reset();
                    if popped {
                        self.ring().await;
                    }
                }
                Err(error) => {
                    tracing::warn!(marker = self.marker, %error, "cannot wait for jobs");
                    connection = None;
                    // Whoever waits looks for itself: what was told in between is not known.
                    self.bell.rung.notify_waiters();
                    tokio::select! {
                        () = tokio::time::sleep(pace.next_wait()) => {}
                        _ = closed.wait_for(|closed| *closed) => return,
                    }
                }
            }
        }
    }

    /// Waits for the marker for a while; tells whether it was there. Nothing drops this wait: what was popped by
    /// then would be lost.
    async fn watch(
        &self,
        connection: &mut Option<MultiplexedConnection>,
    ) -> Result<bool, crate::connect::Error> {
        if connection.is_none() {
            *connection =
                Some(self.connections.dedicated_to(&self.marker, Some(&self.name)).await?);
        }
        let Some(connection) = connection else { return Ok(false) };
        let mut wait = redis::cmd("BZPOPMIN");
        wait.arg(&self.marker).arg(BLOCK_SECONDS);
        let popped: Value = wait.query_async(connection).await?;
        Ok(popped != Value::Nil)
    }

    async fn ring(&self) {
        if self.bell.waiting.load(Ordering::Acquire) > 0 {
            self.bell.rung.notify_one();
            return;
        }
        let mut put_back = redis::cmd("ZADD");
        put_back.arg(&self.marker).arg(0).arg("0");
        if let Err(error) = put_back.query_async::<()>(&mut self.connections.shared()).await {
            tracing::warn!(marker = self.marker, %error, "cannot put the marker back");
        }
    }
}
