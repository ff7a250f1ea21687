//! What waits for a subscription: so many messages, and word of those that found no room.

use eventyard_core::{
    Timestamp,
    transport::{Delivered, Gap},
};
use tokio::sync::mpsc;

/// The end of the mailbox where messages are put in.
pub(super) struct Mailbox {
    sender: mpsc::Sender<Delivered>,
    /// What found no room since it was last told.
    missed: Option<Gap>,
}

impl Mailbox {
    pub(super) fn new(capacity: usize) -> (Self, mpsc::Receiver<Delivered>) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        (Self { sender, missed: None }, receiver)
    }

    /// Puts a message in; one that finds no room is counted as missed. Returns whether the message is in.
    pub(super) fn put(&mut self, delivered: Delivered, now: Timestamp) -> bool {
        if let Some(gap) = &mut self.missed {
            (gap.lost, gap.until) = (gap.lost.map(|lost| lost + 1), now);
            return false;
        }
        // A subscription that has gone is noticed elsewhere.
        let Err(mpsc::error::TrySendError::Full(delivered)) = self.sender.try_send(delivered)
        else {
            return true;
        };
        self.missed = Some(match delivered {
            Delivered::Gap(gap) => gap,
            Delivered::Event(_) => Gap {
                since: Some(now),
                until: now,
                lost: Some(1),
                reason: "the subscriber is too slow".to_owned(),
            },
        });
        false
    }

    /// Tells what was missed, once there is room; waits forever while nothing was.
    ///
    /// # Cancel safety
    /// What was missed is told by the next call.
    pub(super) async fn tell_missed(&mut self) {
        if self.missed.is_none() {
            return std::future::pending().await;
        }
        if let Ok(room) = self.sender.reserve().await
            && let Some(gap) = self.missed.take()
        {
            tracing::warn!(%gap, "a subscription on redis pub/sub has missed messages");
            room.send(Delivered::Gap(gap));
        }
    }

    /// Tells whether anybody reads.
    pub(super) fn reader(&self) -> mpsc::Sender<Delivered> {
        self.sender.clone()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use eventyard_core::{Event, transport::Delivery};

    use super::*;

    #[tokio::test]
    async fn what_finds_no_room_is_told_as_one_gap() {
        let at = Timestamp::from_millis;
        let event = |n| {
            let event = Event::new(format!("n{n}"), "t", at(n), Bytes::new());
            Delivered::Event(Delivery::unkept(event, None))
        };
        let (mut mailbox, mut receiver) = Mailbox::new(2);
        let put: Vec<bool> = (0..5).map(|n| mailbox.put(event(n), at(n))).collect();
        assert_eq!(put, [true, true, false, false, false]);
        assert!(matches!(receiver.recv().await, Some(Delivered::Event(_))));
        mailbox.tell_missed().await;
        assert!(!mailbox.put(event(5), at(5)), "it is full again");
        assert!(matches!(receiver.recv().await, Some(Delivered::Event(_))));
        let Some(Delivered::Gap(gap)) = receiver.recv().await else { panic!("the gap is next") };
        assert_eq!((gap.since, gap.until, gap.lost), (Some(at(2)), at(4), Some(3)));
    }
}
