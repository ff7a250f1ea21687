//! Bells: what a waiting claim listens to.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use tokio::sync::Notify;

use crate::QueueName;

/// More than the queues that most systems have; a bell that two queues share rings once too often at worst.
const BELLS: usize = 64;

/// A fixed number of bells that the queues share, so that they do not grow with the names asked for.
pub(super) struct Bells([Notify; BELLS]);

impl Default for Bells {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Notify::new()))
    }
}

impl Bells {
    /// The bell of a queue.
    pub(super) fn of(&self, queue: &QueueName) -> &Notify {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(queue);
        &self.0[(hash % BELLS as u64) as usize]
    }

    /// Wakes every waiting claim.
    pub(super) fn ring_all(&self) {
        self.0.iter().for_each(Notify::notify_waiters);
    }
}
