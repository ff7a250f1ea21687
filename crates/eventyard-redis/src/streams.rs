//! The Streams transport: events are kept in a stream of Redis, and shared by the members of consumer groups.
//!
//! ```text
//!  publish ─▶ XADD ─▶ stream ─▶ group ─▶ member: XREADGROUP ─▶ delivery ─▶ XACK, many at once
//!                        │        │  ▲                            │ dropped, or its member died
//!                    trimmed      │  └──── XAUTOCLAIM ◀───────────┘ and left alone for `claim_after`
//!                                 └─ delivered too often, rejected, unreadable ─▶ STREAM.dlq
//! ```
//!
//! Every member has a connection of its own, on which it blocks. An entry that Redis handed out stays with its member, on
//! record, until it is acknowledged: a lost connection or a dropped future loses none. While a member works on an
//! entry it keeps others from taking it over.
//!
//! Entries are our envelope or what other services write; see [`eventyard_core::transport::wire`]. One that
//! cannot be read goes to the dead letters at once.
//!
//! It needs Redis 6.2 or newer; the lag of a group is told from Redis 7 on.

mod entry;
mod groups;
mod hand;
mod member;
mod options;
mod script;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use eventyard_core::{
    Durability, Event, Transport, TransportError, TransportErrorKind,
    transport::{Deliveries, Subscription, Topology, TransportCapabilities, TransportStatus, wire},
};
use tokio::sync::watch;

pub use self::options::{DEFAULT_STREAM, Start, StreamsOptions};
use crate::{connect::Connections, tally::Tally};

/// Events over a stream of Redis.
#[derive(Clone)]
pub struct RedisStreams {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    connections: Connections,
    options: StreamsOptions,
    dead_letters: String,
    tally: Tally,
    /// How many members have lost their connection.
    away: watch::Sender<usize>,
    closed: watch::Sender<bool>,
}

impl fmt::Debug for RedisStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStreams")
            .field("connections", &self.inner.connections)
            .field("stream", &self.inner.options.stream)
            .finish_non_exhaustive()
    }
}

impl RedisStreams {
    /// A transport over these connections. Nothing is connected yet.
    #[must_use]
    pub fn new(connections: Connections, options: StreamsOptions) -> Self {
        let inner = Inner {
            dead_letters: options.dead_letters(connections.address().is_cluster()),
            connections,
            options,
            tally: Tally::default(),
            away: watch::Sender::new(0),
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

#[async_trait]
impl Transport for RedisStreams {
    fn capabilities(&self) -> TransportCapabilities {
        TransportCapabilities {
            name: "redis-streams",
            broadcast: false,
            groups: true,
            replay: self.inner.options.start == Start::Beginning,
            durability: Durability::ProcessCrash,
        }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), TransportError> {
        let inner = self.open()?;
        for group in &topology.groups {
            inner.create(&group.name, inner.options.start).await?;
        }
        Ok(())
    }

    async fn publish(
        &self,
        events: &[Arc<Event>],
    ) -> Result<Vec<Result<(), TransportError>>, TransportError> {
        let inner = self.open()?;
        let options = &inner.options;
        let written: Vec<_> = events
            .iter()
            .map(|event| wire::write_fields(event, &options.node, options.format))
            .collect();
        let mut pipeline = redis::Pipeline::new();
        for fields in written.iter().flatten() {
            let add = pipeline.cmd("XADD").arg(&options.stream);
            if let Some(most) = options.max_len {
                add.arg("MAXLEN").arg("~").arg(most);
            }
            add.arg("*").arg(fields);
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
        if options.max_age.is_some()
            && let Err(error) = inner.trim().await
        {
            tracing::warn!(stream = %options.stream, %error, "cannot trim a stream");
        }
        Ok(outcomes)
    }

    async fn consume(&self, subscription: Subscription) -> Result<Deliveries, TransportError> {
        let inner = self.open()?;
        let Some(group) = subscription.group.clone() else {
            return Err(TransportError::new(
                TransportErrorKind::Unsupported,
                "redis streams deliver to groups; name one, or use redis pub/sub",
            ));
        };
        if subscription.consumer.is_empty() {
            let problem = "a member of a group needs a name of its own; give the consumer one";
            return Err(TransportError::new(TransportErrorKind::Unsupported, problem));
        }
        inner.create(&group, inner.options.start).await?;
        Ok(member::spawn(&self.inner, &group, subscription))
    }

    async fn status(&self) -> Result<TransportStatus, TransportError> {
        let inner = self.open()?;
        let away = *inner.away.borrow();
        let mut status = inner.tally.status();
        let asked = async {
            crate::pubsub::reach(&inner.connections).await?;
            Ok((inner.groups().await?, inner.count_dead_letters().await?))
        };
        match asked.await {
            Ok((groups, dead)) => (status.groups, status.dead_letters) = (groups, Some(dead)),
            Err::<_, crate::connect::Error>(error) => status.problem = Some(error.to_string()),
        }
        if away > 0 && status.problem.is_none() {
            status.problem = Some(format!("{away} members of groups are connecting"));
        }
        status.connected = status.problem.is_none();
        Ok(status)
    }

    async fn close(&self) {
        self.inner.closed.send_replace(true);
    }
}
