//! One node: its connections, what it hears from the others, and the application behind it.

mod listen;

use std::sync::{Arc, OnceLock};

use eventyard::{Eventyard, Yard, model::Clock};
use socketioxide::SocketIo;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    error::SetupError,
    frame::Frame,
    hub::{Hub, Key, Progress, Quota},
    job_news,
    message::Message,
    options::Options,
    outgoing::Outgoing,
    relay::{Relay, RelayError},
    server,
    token::Verifier,
};

/// How long a connection whose client takes nothing is left alone.
const STUCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// Socket.IO for the end users of an application.
///
/// [`start`](Realtime::start) it, add its [`handlers`](Realtime::handlers) to the application, start that, and serve
/// the [`router`](Realtime::router). Cheap to clone.
#[derive(Clone)]
pub struct Realtime {
    node: Arc<Node>,
}

/// What the parts of a node share.
pub(crate) struct Node {
    pub(crate) options: Options,
    pub(crate) verifier: Verifier,
    pub(crate) hub: Hub,
    pub(crate) outgoing: Arc<Outgoing>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Notified of each connection.
    pub(crate) arrived: Notify,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    io: OnceLock<SocketIo>,
}

impl Realtime {
    /// Starts a node that is joined to others by `relay`. It hears them from now on.
    ///
    /// # Errors
    /// When the options contradict themselves: a secret that is missing, an algorithm that does not fit the keys.
    pub async fn start(
        options: Options,
        relay: Arc<dyn Relay>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        options.check()?;
        let verifier = Verifier::new(options.policy.clone(), Arc::clone(&clock))?;
        let limits = options.limits;
        let quota = Quota {
            connections: limits.connections,
            connections_per_user: limits.connections_per_user,
            rooms_per_user: limits.rooms_per_user,
        };
        let node = Arc::new(Node {
            hub: Hub::new(options.window, quota),
            outgoing: Arc::new(Outgoing::new(Arc::clone(&relay), options.routes.clone())),
            verifier,
            options,
            clock,
            arrived: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            io: OnceLock::new(),
        });
        listen::start(&node, relay).await;
        Ok(Self { node })
    }

    /// Adds what the application needs: the handler of the queue of messages, the routes to it, and the events that
    /// clients may cause. The application declares the [queue](crate::default_queue) itself.
    pub fn handlers(&self, app: Eventyard) -> Eventyard {
        Arc::clone(&self.node.outgoing).install(app)
    }

    /// The endpoint `/socket.io/`, in front of a running application.
    pub fn router(&self, yard: &Yard) -> axum::Router {
        let (router, io) = server::router(&self.node, yard);
        // A second router has connections of its own; both are closed with the node.
        if self.node.io.set(io).is_err() {
            tracing::warn!("realtime has two routers; use one");
        } else if self.node.options.jobs.is_some() {
            let news = job_news::run(Arc::clone(&self.node), yard.clone());
            self.node.tasks.spawn(news);
        }
        router
    }

    /// Sends at once, without the store: what is sent while the relay is down is lost. What must not be lost is
    /// [added as a job](Message::into_job).
    ///
    /// # Errors
    /// When the relay cannot be reached.
    pub async fn send(
        &self,
        messages: impl IntoIterator<Item = Message>,
    ) -> Result<(), RelayError> {
        let id = || uuid::Uuid::now_v7().to_string();
        let frames = messages.into_iter().map(|message| Frame::message(id(), message)).collect();
        self.node.outgoing.send(frames).await
    }

    /// How many connections this node has.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.node.hub.connections()
    }

    /// Closes every connection, in a way that lets clients come back by themselves, and stops. A second call does
    /// nothing.
    pub async fn close(&self) {
        self.node.stop.cancel();
        if let Some(io) = self.node.io.get() {
            io.close().await;
        }
        self.node.tasks.close();
        self.node.tasks.wait().await;
    }
}

impl std::fmt::Debug for Realtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realtime").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

impl Node {
    /// Lets connections catch up, each in a task of its own.
    pub(crate) fn follow(self: &Arc<Self>, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            let node = Arc::clone(self);
            self.tasks.spawn(async move {
                tokio::select! {
                    () = node.stop.cancelled() => {}
                    () = node.catch_up(key) => {}
                }
            });
        }
    }

    async fn catch_up(&self, key: Key) {
        loop {
            match self.hub.catch_up(key) {
                Progress::Live | Progress::Gone => return,
                Progress::Behind => tokio::task::yield_now().await,
                Progress::Stuck => self.clock.sleep(STUCK_PAUSE).await,
            }
        }
    }
}
