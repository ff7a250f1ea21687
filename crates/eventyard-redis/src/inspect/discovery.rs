//! Finding the queues that only Node has made: BullMQ has no list of them, only a key for each.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eventyard_core::{QueueName, StoreError};
use redis::{RedisResult, aio::ConnectionLike};
use tokio::{sync::watch, time::Instant};

use crate::connect::{Connections, Error};

/// How long what was found counts as fresh.
const FRESH: Duration = Duration::from_secs(30);
/// How long the first to ask waits for the search; who asks later gets what was found before.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many keys are looked at in one step, between which others have their turn.
const STEP: usize = 1000;

/// The queues that were found.
#[derive(Debug, Clone)]
pub(super) struct Discovery {
    connections: Connections,
    prefix: Arc<str>,
    known: Arc<Mutex<Known>>,
    /// How often all keys were looked at.
    searches: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Known {
    queues: BTreeSet<QueueName>,
    stale_at: Option<Instant>,
}

impl Discovery {
    pub(super) fn new(connections: Connections, prefix: Arc<str>) -> Self {
        let (known, searches) = (Arc::default(), watch::Sender::new(0));
        Self { connections, prefix, known, searches }
    }

    /// The queues that were found lately; begins another search if it is time for one.
    pub(super) async fn queues(&self) -> BTreeSet<QueueName> {
        if self.is_due() {
            let search = self.clone();
            tokio::spawn(async move { search.search().await });
        }
        let mut searches = self.searches.subscribe();
        let first = searches.wait_for(|searches| *searches > 0);
        // A database of many keys takes its time; the next to ask will know.
        let _ = tokio::time::timeout(PATIENCE, first).await;
        self.known().queues.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_due(&self) -> bool {
        let (mut known, now) = (self.known(), Instant::now());
        let is_due = known.stale_at.is_none_or(|stale_at| stale_at <= now);
        if is_due {
            known.stale_at = Some(now + FRESH);
        }
        is_due
    }

    async fn search(&self) {
        match self.find().await {
            Ok(found) => self.known().queues = found,
            Err(error) => {
                tracing::warn!(%error, "cannot look for queues of others; it is tried again");
            }
        }
        self.searches.send_modify(|searches| *searches += 1);
    }

    async fn find(&self) -> Result<BTreeSet<QueueName>, StoreError> {
        let found = if self.connections.address().is_cluster() {
            // All keys of a prefix are on one node, because of its hash tag.
            let mut node = self.connections.dedicated_to(&self.prefix, None).await?;
            scan(&mut node, &self.prefix).await
        } else {
            scan(&mut self.connections.shared(), &self.prefix).await
        };
        Ok(found.map_err(Error::from)?)
    }
}

/// Looks at all keys, step by step.
async fn scan(on: &mut impl ConnectionLike, prefix: &str) -> RedisResult<BTreeSet<QueueName>> {
    let pattern = format!("{}:*:meta", escaped(prefix));
    let (mut cursor, mut found) = (0_u64, BTreeSet::new());
    loop {
        let mut ask = redis::cmd("SCAN");
        ask.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(STEP);
        let (next, keys): (u64, Vec<Vec<u8>>) = ask.query_async(on).await?;
        found.extend(keys.iter().filter_map(|key| queue_of(key, prefix)));
        if next == 0 {
            return Ok(found);
        }
        cursor = next;
    }
}

/// A text as a pattern that matches nothing else.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// The queue whose `meta` a key is; none of the keys that belong to something else.
fn queue_of(key: &[u8], prefix: &str) -> Option<QueueName> {
    let rest = str::from_utf8(key).ok()?.strip_prefix(prefix)?.strip_prefix(':')?;
    QueueName::new(rest.strip_suffix(":meta")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_keys_of_queues_are_queues() {
        let check = |key: &str, expected: Option<&str>| {
            let queue = queue_of(key.as_bytes(), "{b}");
            assert_eq!(queue.as_ref().map(QueueName::as_str), expected, "{key}");
        };
        check("{b}:emails:meta", Some("emails"));
        check("{b}:a.b-c:meta", Some("a.b-c"));
        check("{b}::eventyard:documents:meta", None);
        check("{b}:emails:x:meta", None);
        check("{b}::meta", None);
        check("b:emails:meta", None);
        assert_eq!(queue_of(b"{b}:\xff:meta", "{b}"), None);
    }

    #[test]
    fn a_prefix_is_no_pattern() {
        assert_eq!(escaped("{bull}:a*b?[c]\\"), "{bull}:a\\*b\\?\\[c\\]\\\\");
    }
}
