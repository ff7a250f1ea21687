//! `[transports.NAME]`: brokers that events go out to and come in from.

use eventyard_core::transport::wire;
use eventyard_redis::{
    pubsub::DEFAULT_CHANNEL,
    streams::{self, DEFAULT_STREAM},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TimeSpan, secret::ServerUrl};

/// A broker, and which events go over it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Transport {
    /// How events travel: `pubsub` (a channel of Redis: everybody hears what is published while they listen) or
    /// `streams` (a stream of Redis: kept until a consumer group has handled it).
    pub(crate) kind: Kind,
    /// The Redis: `redis://HOST:PORT/DB`, also `rediss://`, `redis+sentinel://` and `redis+cluster://`. When absent, the
    /// one of `store.url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<ServerUrl>,
    /// The types of the events that go out, by patterns (`order.*`, `#`).
    #[serde(default)]
    pub(crate) send: Vec<String>,
    /// The types of the events that come in, by patterns.
    #[serde(default)]
    pub(crate) receive: Vec<String>,
    /// How events are written: `cloudevents`, or `plain` for services that read `{"name", "data", …}`. Both are read.
    #[serde(default)]
    pub(crate) format: Format,
    /// The channel of `pubsub`. When absent, `events`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<String>,
    /// The stream of `streams`. When absent, `events`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream: Option<String>,
    /// The consumer group in `stream`: an event goes to one process of each group. When absent, `events.source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    /// The name of this process in its group, unique among those that run. When absent, one is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consumer: Option<String>,
    /// Where a new group begins in `stream`: at the `beginning` of what it has, the default, or `now`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Start>,
    /// How long an entry is left alone before another process takes it over. When absent, `"30s"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) claim_after: Option<TimeSpan>,
    /// How many times an entry is delivered before it goes to the stream of dead letters. When absent, 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_deliveries: Option<u32>,
    /// About how many entries `stream` keeps; the oldest go, whether they were handled or not. When absent, 1000000; 0 is
    /// without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_length: Option<u64>,
    /// About how long `stream` keeps entries, whether they were handled or not. When absent, without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<TimeSpan>,
}

/// How events travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Over a channel of Redis.
    Pubsub,
    /// Through a stream of Redis.
    Streams,
}

/// How events are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// As CloudEvents.
    #[default]
    CloudEvents,
    /// As `{"name", "data", …}`.
    Plain,
}

/// Where a new group begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Start {
    /// With everything that the stream still has.
    Beginning,
    /// With what is published from now on.
    Now,
}

impl Transport {
    /// The channel of `pubsub`.
    pub(crate) fn channel(&self) -> &str {
        self.channel.as_deref().unwrap_or(DEFAULT_CHANNEL)
    }

    /// The stream of `streams`.
    pub(crate) fn stream(&self) -> &str {
        self.stream.as_deref().unwrap_or(DEFAULT_STREAM)
    }

    /// The keys that are given and belong to the other kind.
    pub(crate) fn misplaced(&self) -> Vec<&'static str> {
        let of_streams = [
            ("stream", self.stream.is_some()),
            ("group", self.group.is_some()),
            ("consumer", self.consumer.is_some()),
            ("start", self.start.is_some()),
            ("claim-after", self.claim_after.is_some()),
            ("max-deliveries", self.max_deliveries.is_some()),
            ("max-length", self.max_length.is_some()),
            ("max-age", self.max_age.is_some()),
        ];
        let of_pubsub = [("channel", self.channel.is_some())];
        let others: &[_] = match self.kind {
            Kind::Pubsub => &of_streams,
            Kind::Streams => &of_pubsub,
        };
        others.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect()
    }
}

impl From<Format> for wire::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::CloudEvents => Self::CloudEvents,
            Format::Plain => Self::Plain,
        }
    }
}

impl From<Start> for streams::Start {
    fn from(start: Start) -> Self {
        match start {
            Start::Beginning => Self::Beginning,
            Start::Now => Self::Now,
        }
    }
}
