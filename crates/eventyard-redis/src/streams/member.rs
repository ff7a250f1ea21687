//! One member of a group: reads, takes over what others left, and keeps what it has.

mod read;
mod sort;
mod upkeep;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use eventyard_core::transport::{Delivered, Deliveries, Gap, Source, Subscription};
use redis::aio::MultiplexedConnection;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

use self::read::Reading;
use super::{
    Inner,
    hand::{Acker, Hand},
    script,
};
use crate::connect::{Error, Pace};

/// The longest that a member blocks, so that it notices a silent connection.
const BLOCK: Duration = Duration::from_secs(5);
/// How often entries that were left alone are looked for, at most and at least.
const CLAIM_EVERY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(5));

/// Joins the group and hands out what it gets.
pub(super) fn spawn(inner: &Arc<Inner>, group: &str, subscription: Subscription) -> Deliveries {
    let (outbox, receiver) = mpsc::channel(subscription.prefetch.max(1));
    let hand = Arc::new(Hand::default());
    let closed = inner.closed.subscribe();
    let (claim_after, now) = (inner.options.claim_after, Instant::now());
    let member = Member {
        acker: Acker::start(Arc::clone(inner), group.to_owned()),
        over: Over { closed, outbox: outbox.clone() },
        group: group.into(),
        claim_every: (claim_after / 2).clamp(CLAIM_EVERY.0, CLAIM_EVERY.1),
        next_claim: now,
        next_upkeep: now,
        hand: Arc::clone(&hand),
        inner: Arc::clone(inner),
        subscription,
        outbox,
    };
    let keeper = Keeper(tokio::spawn(member.keep_hand()));
    tokio::spawn(member.run());
    Deliveries::new(Mail { receiver, _keeper: keeper })
}

struct Member {
    inner: Arc<Inner>,
    group: Arc<str>,
    subscription: Subscription,
    outbox: mpsc::Sender<Delivered>,
    hand: Arc<Hand>,
    acker: Acker,
    over: Over,
    claim_every: Duration,
    next_claim: Instant,
    next_upkeep: Instant,
}

/// Tells when nobody wants deliveries any more.
#[derive(Clone)]
struct Over {
    closed: watch::Receiver<bool>,
    outbox: mpsc::Sender<Delivered>,
}

impl Over {
    async fn comes(&mut self) {
        tokio::select! {
            _ = self.closed.wait_for(|closed| *closed) => {}
            () = self.outbox.closed() => {}
        }
    }

    fn is_here(&self) -> bool {
        *self.closed.borrow() || self.outbox.is_closed()
    }
}

impl Member {
    async fn run(mut self) {
        let mut pace = Pace::default();
        while !self.over.is_here() {
            let error = match self.serve(&mut pace).await {
                Ok(()) => break,
                Err(error) => error,
            };
            let stream = &self.inner.options.stream;
            tracing::warn!(%stream, group = %self.group, %error, "a member of a group goes on soon");
            self.inner.away.send_modify(|away| *away += 1);
            let mut over = self.over.clone();
            tokio::select! {
                () = over.comes() => {}
                () = tokio::time::sleep(pace.next_wait()) => {}
            }
            if is_group_missing(&error) {
                self.create_again().await;
            }
            self.inner.away.send_modify(|away| *away -= 1);
        }
        self.leave().await;
    }

    /// Reads over one connection until nobody wants deliveries any more.
    async fn serve(&mut self, pace: &mut Pace) -> Result<(), Error> {
        let options = &self.inner.options;
        let name = format!("{}:{}", self.group, self.subscription.consumer).replace(' ', "_");
        let connected = self.inner.connections.dedicated_to(&options.stream, Some(&name));
        let mut over = self.over.clone();
        let connection: MultiplexedConnection = tokio::select! {
            connected = connected => connected?,
            () = over.comes() => return Ok(()),
        };
        let mut reading = Reading::begin(connection).await?;
        self.recover(&mut reading).await?;
        pace.reset();
        while let Some(room) = self.room().await {
            self.upkeep().await?;
            let room = room - self.take_over(room).await?;
            if room == 0 {
                continue;
            }
            let block = self.next_claim.saturating_duration_since(Instant::now()).min(BLOCK);
            let entries = self.read(&mut reading, ">", room, Some(block)).await?;
            self.hand_out(entries, Some(1)).await?;
        }
        Ok(())
    }

    /// How many more deliveries find room; waits until there is room for one. None when nobody wants any.
    async fn room(&mut self) -> Option<usize> {
        let mut over = self.over.clone();
        tokio::select! {
            room = self.outbox.reserve() => drop(room.ok()?),
            () = over.comes() => return None,
        }
        // Nobody else puts anything in.
        (!self.over.is_here()).then(|| self.outbox.capacity())
    }

    /// What was handed to this member over a connection that is lost.
    async fn recover(&mut self, reading: &mut Reading) -> Result<(), Error> {
        let mut after = "0".to_owned();
        while let Some(room) = self.room().await {
            let entries = self.read(reading, &after, room, None).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            after.clone_from(&last.id);
            let new = entries.into_iter().filter(|entry| !self.hand.holds(&entry.id)).collect();
            self.hand_out(new, None).await?;
        }
        Ok(())
    }

    /// The group is gone with the data of its Redis: it is made again, and this is told.
    async fn create_again(&mut self) {
        let now = self.inner.options.clock.now();
        // Otherwise another member was faster, or Redis is away.
        if let Ok(true) = self.inner.create(&self.group, super::Start::Beginning).await {
            let reason = "redis had lost the group and what it kept; it was made again".to_owned();
            self.tell(Gap { since: None, until: now, lost: None, reason }).await;
        }
    }

    async fn tell(&self, gap: Gap) {
        tracing::error!(stream = %self.inner.options.stream, group = %self.group, %gap, "events are lost");
        self.inner.tally.gaps.add(1);
        // Nobody who has gone needs to know.
        let _ = self.outbox.send(Delivered::Gap(gap)).await;
    }

    /// The group need not remember a member that is gone and holds nothing.
    async fn leave(self) {
        let stream = &self.inner.options.stream;
        let mut shared = self.inner.connections.shared();
        let left = script::forget(&mut shared, stream, &self.group, &self.subscription.consumer);
        if let Err(error) = left.await {
            tracing::debug!(%stream, group = %self.group, %error, "a member left without a word");
        }
    }
}

fn is_group_missing(error: &Error) -> bool {
    error.answer().is_some_and(|answer| answer.code() == Some("NOGROUP"))
}

/// Stops when it is dropped.
struct Keeper(JoinHandle<()>);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Mail {
    receiver: mpsc::Receiver<Delivered>,
    _keeper: Keeper,
}

#[async_trait]
impl Source for Mail {
    async fn next(&mut self) -> Option<Delivered> {
        self.receiver.recv().await
    }

    fn ready(&mut self) -> Option<Delivered> {
        self.receiver.try_recv().ok()
    }
}
