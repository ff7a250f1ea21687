//! How the Streams transport behaves.

use std::{sync::Arc, time::Duration};

use eventyard_core::{Clock, Limits, SystemClock, transport::wire::Format};

/// The stream that services share when they name no other.
pub const DEFAULT_STREAM: &str = "events";

/// Where a new group begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// With everything that the stream still has.
    #[default]
    Beginning,
    /// With what is published from now on.
    Now,
}

/// How a [`RedisStreams`](super::RedisStreams) behaves.
#[derive(Debug, Clone)]
pub struct StreamsOptions {
    /// The stream.
    pub stream: String,
    /// The id of this node: what carries it counts as handled.
    pub node: Arc<str>,
    /// How events are written.
    pub format: Format,
    /// What is accepted.
    pub limits: Limits,
    /// Where a new group begins.
    pub start: Start,
    /// About how many entries the stream keeps; the oldest go, whether they were handled or not.
    pub max_len: Option<u64>,
    /// About how long the stream keeps entries, whether they were handled or not.
    pub max_age: Option<Duration>,
    /// How long an entry is left alone before another member takes it over, or it comes again.
    pub claim_after: Duration,
    /// How many times an entry is delivered before it goes to the dead letters.
    pub max_deliveries: u32,
    /// About how many dead letters are kept.
    pub keep_dead_letters: u64,
    /// How long a consumer that holds nothing is silent before its group forgets it.
    pub forget_after: Duration,
    /// The present, for the age of entries and the time of events that name none.
    pub clock: Arc<dyn Clock>,
}

impl StreamsOptions {
    /// The usual options, for a node of this id.
    #[must_use]
    pub fn new(node: impl Into<Arc<str>>) -> Self {
        Self {
            stream: DEFAULT_STREAM.to_owned(),
            node: node.into(),
            format: Format::default(),
            limits: Limits::default(),
            start: Start::default(),
            max_len: Some(1_000_000),
            max_age: None,
            claim_after: Duration::from_secs(30),
            max_deliveries: 5,
            keep_dead_letters: 100_000,
            forget_after: Duration::from_secs(24 * 60 * 60),
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// The stream of the dead letters, `STREAM.dlq`. In a cluster it has a hash tag, `{STREAM}.dlq`, which keeps both
    /// together, unless the stream has one itself.
    #[must_use]
    pub fn dead_letters(&self, is_cluster: bool) -> String {
        let stream = &self.stream;
        let tagged = stream.split_once('{').is_some_and(|(_, rest)| rest.find('}') > Some(0));
        if tagged || !is_cluster { format!("{stream}.dlq") } else { format!("{{{stream}}}.dlq") }
    }

    /// The arguments that keep the stream short.
    pub(super) fn limits_of_length(&self) -> Vec<Vec<String>> {
        let of = |what: &str, limit: String| vec![what.to_owned(), "~".to_owned(), limit];
        let length = self.max_len.map(|most| of("MAXLEN", most.to_string()));
        let age = self.max_age.map(|age| {
            let now = u64::try_from(self.clock.now().as_millis()).unwrap_or_default();
            let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
            of("MINID", now.saturating_sub(age).to_string())
        });
        length.into_iter().chain(age).collect()
    }
}

#[cfg(test)]
mod tests {
    use eventyard_core::{ManualClock, Timestamp};

    use super::*;

    #[test]
    fn dead_letters_share_the_slot_of_their_stream() {
        let check = |stream: &str, is_cluster, dead: &str| {
            let options = StreamsOptions { stream: stream.to_owned(), ..StreamsOptions::new("n") };
            assert_eq!(options.dead_letters(is_cluster), dead);
        };
        check("events", false, "events.dlq");
        check("events", true, "{events}.dlq");
        check("{shop}:events", true, "{shop}:events.dlq");
    }

    #[test]
    fn streams_are_trimmed_by_length_and_age() {
        let mut options = StreamsOptions::new("n");
        options.clock = Arc::new(ManualClock::new(Timestamp::from_millis(100_000)));
        assert_eq!(options.limits_of_length(), [["MAXLEN", "~", "1000000"]]);
        options.max_len = None;
        options.max_age = Some(Duration::from_secs(60));
        assert_eq!(options.limits_of_length(), [["MINID", "~", "40000"]]);
    }
}
