//! What a subscription hears, and how it is settled.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::TransportError;
use crate::{Event, Timestamp};

/// What comes of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was handled.
    Done,
    /// It was not; it comes again later, to any subscription of the group.
    Again,
    /// It never will be: it goes to the dead letters with this reason.
    Reject(String),
}

/// How a driver hears what came of its deliveries.
#[async_trait]
pub trait Settle: Send + Sync {
    /// Settles the delivery that has this receipt.
    ///
    /// # Errors
    /// When the broker cannot be reached; the event may then come again.
    async fn settle(&self, receipt: &str, verdict: Verdict) -> Result<(), TransportError>;
}

/// One event, in the hands of one subscription.
///
/// In a group it is kept until it is settled; dropped without that, it comes again. In a broadcast settling it does
/// nothing.
#[must_use = "a delivery that is not settled comes again"]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// The node that published it, if it says so.
    pub node: Option<Arc<str>>,
    /// How many times it was delivered, this time included.
    pub attempt: u32,
    receipt: String,
    settler: Option<Arc<dyn Settle>>,
}

impl Delivery {
    /// A delivery that nobody waits for.
    pub fn unkept(event: Event, node: Option<Arc<str>>) -> Self {
        Self { event, node, attempt: 1, receipt: String::new(), settler: None }
    }

    /// Says that `settler` wants to hear what comes of it, under this receipt.
    pub fn kept(
        mut self,
        attempt: u32,
        receipt: impl Into<String>,
        settler: Arc<dyn Settle>,
    ) -> Self {
        (self.attempt, self.receipt, self.settler) = (attempt, receipt.into(), Some(settler));
        self
    }

    /// Where the broker keeps it, for logs; empty when it does not.
    #[must_use]
    pub fn receipt(&self) -> &str {
        &self.receipt
    }

    /// It was handled: it does not come again.
    ///
    /// # Errors
    /// When the broker cannot be reached; the event may then come again.
    pub async fn ack(self) -> Result<(), TransportError> {
        self.settle(Verdict::Done).await
    }

    /// It was not handled: it comes again later.
    ///
    /// # Errors
    /// When the broker cannot be reached; the event comes again all the same.
    pub async fn nack(self) -> Result<(), TransportError> {
        self.settle(Verdict::Again).await
    }

    /// It can never be handled: it goes to the dead letters.
    ///
    /// # Errors
    /// When the broker cannot be reached; the event may then come again.
    pub async fn reject(self, reason: impl Into<String>) -> Result<(), TransportError> {
        self.settle(Verdict::Reject(reason.into())).await
    }

    async fn settle(self, verdict: Verdict) -> Result<(), TransportError> {
        match &self.settler {
            Some(settler) => settler.settle(&self.receipt, verdict).await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("event", &self.event.id)
            .field("attempt", &self.attempt)
            .field("receipt", &self.receipt)
            .finish_non_exhaustive()
    }
}

/// A time in which a subscription was deaf, or messages that it lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// When something was last heard, or known to be well; absent when that is not known.
    pub since: Option<Timestamp>,
    /// When it hears again.
    pub until: Timestamp,
    /// How many messages are known to be lost; absent when nobody can tell.
    pub lost: Option<u64>,
    /// Why.
    pub reason: String,
}

impl Gap {
    /// How long it was deaf.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.since.map(|since| self.until.since(since))
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lost {
            Some(lost) => write!(f, "{lost} messages were missed")?,
            None => f.write_str("messages may have been missed")?,
        }
        if let Some(since) = self.since {
            write!(f, " between {since} and {}", self.until)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// What a subscription hears.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are events, and a box for each costs more"
)]
pub enum Delivered {
    /// An event.
    Event(Delivery),
    /// Something may be missing before what follows.
    Gap(Gap),
}

/// Where a driver gets deliveries from.
#[async_trait]
pub trait Source: Send {
    /// The next; waits for it. `None` once the transport is closed.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    async fn next(&mut self) -> Option<Delivered>;

    /// The next, if it is there.
    fn ready(&mut self) -> Option<Delivered>;
}

/// What a subscription hears, as it comes. Dropping it ends the subscription.
pub struct Deliveries {
    source: Box<dyn Source>,
}

impl Deliveries {
    /// Deliveries out of `source`.
    #[must_use]
    pub fn new(source: impl Source + 'static) -> Self {
        Self { source: Box::new(source) }
    }

    /// The next; waits for it. `None` once the transport is closed.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Delivered> {
        self.source.next().await
    }

    /// The next and those that are there already, `max` at most; empty once the transport is closed.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next_batch(&mut self, max: usize) -> Vec<Delivered> {
        let Some(first) = self.next().await else { return Vec::new() };
        let mut batch = vec![first];
        while batch.len() < max
            && let Some(next) = self.source.ready()
        {
            batch.push(next);
        }
        batch
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries").finish_non_exhaustive()
    }
}
