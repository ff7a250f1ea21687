//! The pub/sub transport: every node hears what the others publish on a channel, while it listens.
//!
//! Redis keeps nothing: what is published while a node is away is gone for it. The node learns of that by a
//! [`Gap`](eventyard_core::transport::Gap) when it is back. What must not be missed goes over
//! [Streams](crate::streams).
//!
//! Messages are our envelope or what other services write; see [`eventyard_core::transport::wire`]. One that
//! cannot be read is counted, logged and skipped.

mod ear;
mod mailbox;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use eventyard_core::{
    Clock, Durability, Event, Limits, SystemClock, Transport, TransportError, TransportErrorKind,
    transport::{
        Deliveries, Subscription, Topology, TransportCapabilities, TransportStatus,
        wire::{self, Format},
    },
};
use redis::{Cmd, aio::ConnectionLike};
use tokio::sync::watch;

use crate::{
    connect::{Connections, Error},
    tally::Tally,
};

/// The channel that services share when they name no other.
pub const DEFAULT_CHANNEL: &str = "events";
/// How long a question about the status may take.
const STATUS_PATIENCE: Duration = Duration::from_secs(1);

/// How a [`RedisPubSub`] behaves.
#[derive(Debug, Clone)]
pub struct PubSubOptions {
    /// The channel.
    pub channel: String,
    /// The id of this node: what carries it is not heard again.
    pub node: Arc<str>,
    /// How events are written.
    pub format: Format,
    /// What is accepted.
    pub limits: Limits,
    /// How many messages may wait for a subscription; it misses those that come on top, and is told so.
    pub buffer: usize,
    /// The time of events that name none.
    pub clock: Arc<dyn Clock>,
}

impl PubSubOptions {
    /// The usual options, for a node of this id.
    #[must_use]
    pub fn new(node: impl Into<Arc<str>>) -> Self {
        Self {
            channel: DEFAULT_CHANNEL.to_owned(),
            node: node.into(),
            format: Format::default(),
            limits: Limits::default(),
            buffer: 4096,
            clock: Arc::new(SystemClock::default()),
        }
    }
}

/// Events over a channel of Redis.
#[derive(Clone)]
pub struct RedisPubSub {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    connections: Connections,
    options: PubSubOptions,
    tally: Tally,
    /// How many subscriptions have lost their connection.
    deaf: watch::Sender<usize>,
    closed: watch::Sender<bool>,
}

impl fmt::Debug for RedisPubSub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisPubSub")
            .field("connections", &self.inner.connections)
            .field("channel", &self.inner.options.channel)
            .finish_non_exhaustive()
    }
}

impl RedisPubSub {
    /// A transport over these connections. Nothing is connected yet.
    #[must_use]
    pub fn new(connections: Connections, options: PubSubOptions) -> Self {
        let inner = Inner {
            connections,
            options,
            tally: Tally::default(),
            deaf: watch::Sender::new(0),
            closed: watch::Sender::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    fn open(&self) -> Result<&Inner, TransportError> {
        match *self.inner.closed.borrow() {
            true => Err(TransportError::closed()),
            false => Ok(&self.inner),
        }
    }
}

fn no_groups() -> TransportError {
    TransportError::new(
        TransportErrorKind::Unsupported,
        "redis pub/sub has no groups: it keeps nothing; use redis streams",
    )
}

#[async_trait]
impl Transport for RedisPubSub {
    fn capabilities(&self) -> TransportCapabilities {
        TransportCapabilities {
            name: "redis-pubsub",
            broadcast: true,
            groups: false,
            replay: false,
            durability: Durability::Process,
        }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), TransportError> {
        self.open()?;
        if topology.groups.is_empty() { Ok(()) } else { Err(no_groups()) }
    }

    async fn publish(
        &self,
        events: &[Arc<Event>],
    ) -> Result<Vec<Result<(), TransportError>>, TransportError> {
        let inner = self.open()?;
        let PubSubOptions { channel, node, format, .. } = &inner.options;
        let written: Vec<_> =
            events.iter().map(|event| wire::write(event, node, *format)).collect();
        let mut pipeline = redis::Pipeline::new();
        for message in written.iter().flatten() {
            pipeline.add_command(Cmd::publish(channel, message));
        }
        let answers = crate::answers::of(&mut inner.connections.shared(), &pipeline).await?;
        let mut answers = answers.into_iter();
        let mut outcomes = Vec::with_capacity(events.len());
        for (event, written) in events.iter().zip(&written) {
            outcomes.push(match written {
                Err(error) => Err(crate::answers::unwritable(event, error)),
                Ok(_) => answers.next().unwrap_or_else(|| Err(crate::answers::missing())),
            });
        }
        inner.tally.published.add(outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64);
        Ok(outcomes)
    }

    async fn consume(&self, subscription: Subscription) -> Result<Deliveries, TransportError> {
        let inner = self.open()?;
        if subscription.group.is_some() {
            return Err(no_groups());
        }
        let listening = ear::Listening::begin(&inner.connections, &inner.options.channel).await?;
        Ok(ear::spawn(Arc::clone(&self.inner), subscription, listening))
    }

    async fn status(&self) -> Result<TransportStatus, TransportError> {
        let inner = self.open()?;
        let deaf = *inner.deaf.borrow();
        let problem = match reach(&inner.connections).await {
            Err(error) => Some(error.to_string()),
            Ok(()) if deaf > 0 => Some(format!("{deaf} subscriptions are being made again")),
            Ok(()) => None,
        };
        Ok(TransportStatus { connected: problem.is_none(), problem, ..inner.tally.status() })
    }

    async fn close(&self) {
        self.inner.closed.send_replace(true);
    }
}

/// Asks whether Redis answers, and does not wait long for it.
pub(crate) async fn reach(connections: &Connections) -> Result<(), Error> {
    let mut shared = connections.shared();
    let ping = redis::cmd("PING");
    match tokio::time::timeout(STATUS_PATIENCE, shared.req_packed_command(&ping)).await {
        Ok(answer) => Ok(answer.and_then(redis::Value::extract_error).map(drop)?),
        Err(_) => Err(Error::new(
            eventyard_core::StoreErrorKind::Unavailable,
            format!("{} does not answer", connections.address()),
        )),
    }
}
