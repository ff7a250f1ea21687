//! What happens on the queues, as it happens.

use std::collections::BTreeSet;

use eventyard_core::{
    QueueEvent, QueueEventKind, QueueName,
    feed::{FeedPosition, Heard, Subscription},
};
use futures_util::{Stream, stream};

use super::Yard;

impl Yard {
    /// Hears what happens on the queues: from now on, or from after an event that was heard before.
    ///
    /// The store remembers the [last events](eventyard_core::feed::MEMORY). A subscriber that comes back too late,
    /// or to another process, hears that it [missed](Heard::Missed) some.
    #[must_use]
    pub fn queue_events(&self, after: Option<FeedPosition>) -> QueueEvents {
        let subscription = self.bus.store.feed().subscribe(after);
        QueueEvents { subscription, queues: BTreeSet::new(), kinds: BTreeSet::new() }
    }
}

/// Hears what happens on the queues, or a part of it. It has no end of its own: drop it.
#[derive(Debug)]
pub struct QueueEvents {
    subscription: Subscription,
    /// Empty for all.
    queues: BTreeSet<QueueName>,
    /// Empty for all.
    kinds: BTreeSet<&'static str>,
}

/// A name that no kind of queue event has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of queue event `{0}`; there are {kinds}", kinds = QueueEventKind::NAMES.join(", "))]
pub struct UnknownKind(pub String);

impl QueueEvents {
    /// Hears of this queue only, and of others that are named so.
    #[must_use]
    pub fn of_queue(mut self, queue: QueueName) -> Self {
        self.queues.insert(queue);
        self
    }

    /// Hears of this kind only, such as `completed`, and of others that are named so.
    ///
    /// # Errors
    /// When there is no such kind.
    pub fn of_kind(mut self, kind: &str) -> Result<Self, UnknownKind> {
        let known = QueueEventKind::NAMES.into_iter().find(|name| *name == kind);
        self.kinds.insert(known.ok_or_else(|| UnknownKind(kind.to_owned()))?);
        Ok(self)
    }

    /// Hears the next event; waits for it.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Heard {
        loop {
            match self.subscription.next().await {
                Heard::Event(_, event) if !self.wants(&event) => {}
                heard => return heard,
            }
        }
    }

    /// The events as a stream without an end.
    pub fn into_stream(self) -> impl Stream<Item = Heard> + Send {
        stream::unfold(self, async |mut events| Some((events.next().await, events)))
    }

    fn wants(&self, event: &QueueEvent) -> bool {
        (self.queues.is_empty() || self.queues.contains(&event.queue))
            && (self.kinds.is_empty() || self.kinds.contains(event.kind.name()))
    }
}
