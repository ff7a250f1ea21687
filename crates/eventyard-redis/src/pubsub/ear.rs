//! One subscription: listens, loses its connection, says so, and listens again.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use eventyard_core::{
    Timestamp,
    event::Defaults,
    transport::{
        Delivered, Deliveries, Delivery, Gap, Source, Subscription,
        wire::{Incoming, Reader, content_id},
    },
};
use futures_util::StreamExt;
use redis::{
    Msg,
    aio::{PubSubSink, PubSubStream},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

use super::{Inner, mailbox::Mailbox};
use crate::connect::{Connections, Error, Pace};

/// How often a quiet connection is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long the answer may take.
const PING_PATIENCE: Duration = Duration::from_secs(5);

/// A connection that listens.
pub(super) struct Listening {
    sink: PubSubSink,
    stream: PubSubStream,
}

impl Listening {
    pub(super) async fn begin(connections: &Connections, channel: &str) -> Result<Self, Error> {
        let (mut sink, stream) = connections.pubsub().await?.split();
        match timeout(PING_PATIENCE, sink.subscribe(channel)).await {
            Ok(subscribed) => subscribed.map_err(Error::from)?,
            Err(_) => {
                let problem =
                    format!("{} does not answer to a subscription", connections.address());
                return Err(Error::new(eventyard_core::StoreErrorKind::Unavailable, problem));
            }
        }
        Ok(Self { sink, stream })
    }
}

/// Hands out what the connection hears.
pub(super) fn spawn(
    inner: Arc<Inner>,
    subscription: Subscription,
    listening: Listening,
) -> Deliveries {
    let capacity = inner.options.buffer.max(subscription.prefetch);
    let (mailbox, receiver) = Mailbox::new(capacity);
    let well = inner.options.clock.now();
    let over = Over { closed: inner.closed.subscribe(), reader: mailbox.reader() };
    let ear = Ear { inner, subscription, mailbox, over, well };
    tokio::spawn(ear.run(listening));
    Deliveries::new(Mail(receiver))
}

struct Ear {
    inner: Arc<Inner>,
    subscription: Subscription,
    mailbox: Mailbox,
    over: Over,
    /// When the connection was last known to be well.
    well: Timestamp,
}

/// Tells when nobody listens any more.
struct Over {
    closed: watch::Receiver<bool>,
    reader: mpsc::Sender<Delivered>,
}

impl Over {
    async fn comes(&mut self) {
        tokio::select! {
            _ = self.closed.wait_for(|closed| *closed) => {}
            () = self.reader.closed() => {}
        }
    }
}

/// Why listening ended.
enum End {
    /// Nobody listens any more.
    Over,
    Lost(&'static str),
}

impl Ear {
    async fn run(mut self, mut listening: Listening) {
        loop {
            let reason = match self.listen(listening).await {
                End::Over => return,
                End::Lost(reason) => reason,
            };
            let channel = &self.inner.options.channel;
            tracing::warn!(%channel, reason, "a subscription on redis pub/sub is lost; it is made again");
            self.inner.deaf.send_modify(|deaf| *deaf += 1);
            let again = self.listen_again().await;
            self.inner.deaf.send_modify(|deaf| *deaf -= 1);
            listening = match again {
                Some(again) => again,
                None => return,
            };
            let now = self.inner.options.clock.now();
            let reason = format!("the connection was interrupted: {reason}");
            let gap = Gap { since: Some(self.well), until: now, lost: None, reason };
            tracing::warn!(channel = %self.inner.options.channel, %gap, "listening to redis pub/sub again");
            self.inner.tally.gaps.add(1);
            self.mailbox.put(Delivered::Gap(gap), now);
            self.well = now;
        }
    }

    async fn listen(&mut self, Listening { sink, mut stream }: Listening) -> End {
        let (told, mut pings) = mpsc::channel(1);
        let pinger = Pinger(tokio::spawn(ping(sink, told)));
        let end = loop {
            tokio::select! {
                () = self.over.comes() => break End::Over,
                message = stream.next() => match message {
                    Some(message) => self.hear(&message),
                    None => break End::Lost("redis closed it"),
                },
                pong = pings.recv() => match pong {
                    Some(()) => self.well = self.inner.options.clock.now(),
                    None => break End::Lost("redis does not answer"),
                },
                () = self.mailbox.tell_missed() => self.inner.tally.gaps.add(1),
            }
        };
        drop(pinger);
        end
    }

    async fn listen_again(&mut self) -> Option<Listening> {
        let mut pace = Pace::default();
        let inner = Arc::clone(&self.inner);
        loop {
            let attempt = async {
                tokio::time::sleep(pace.next_wait()).await;
                Listening::begin(&inner.connections, &inner.options.channel).await
            };
            tokio::select! {
                () = self.over.comes() => return None,
                begun = attempt => match begun {
                    Ok(listening) => return Some(listening),
                    Err(error) => tracing::debug!(%error, "cannot subscribe yet"),
                },
            }
        }
    }

    fn hear(&mut self, message: &Msg) {
        let options = &self.inner.options;
        let now = options.clock.now();
        self.well = now;
        let (channel, bytes) = (&options.channel, message.get_payload_bytes());
        let reader = Reader { defaults: Defaults { source: channel, now }, limits: options.limits };
        // Nodes that share a store must give a message the same id; without a time in it two that are equal may well
        // be two events.
        let id = |has_time| match has_time {
            true => content_id(channel, bytes),
            false => eventyard_core::EventId::generate(),
        };
        let Incoming { event, node } = match reader.read(bytes, id) {
            Ok(incoming) => incoming,
            Err(error) => {
                self.inner.tally.malformed.add(1);
                tracing::warn!(%channel, %error, "skipped a message that is no event");
                return;
            }
        };
        if node.as_ref() == Some(&options.node) && !self.subscription.hears_own {
            self.inner.tally.own.add(1);
            return;
        }
        if !self.subscription.takes(&event.kind) {
            return;
        }
        // Before somebody has it and asks for the count.
        self.inner.tally.received.add(1);
        if !self.mailbox.put(Delivered::Event(Delivery::unkept(event, node)), now) {
            self.inner.tally.received.take_back();
        }
    }
}

/// Stops when it is dropped.
struct Pinger(JoinHandle<()>);

impl Drop for Pinger {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks from time to time whether the connection is still there; ends when it is not.
async fn ping(mut sink: PubSubSink, told: mpsc::Sender<()>) {
    loop {
        tokio::time::sleep(PING_EVERY).await;
        let pong = timeout(PING_PATIENCE, sink.ping::<redis::Value>()).await;
        if !matches!(pong, Ok(Ok(_))) || told.send(()).await.is_err() {
            return;
        }
    }
}

struct Mail(mpsc::Receiver<Delivered>);

#[async_trait]
impl Source for Mail {
    async fn next(&mut self) -> Option<Delivered> {
        self.0.recv().await
    }

    fn ready(&mut self) -> Option<Delivered> {
        self.0.try_recv().ok()
    }
}
