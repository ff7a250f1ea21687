//! What a transport promises.

use serde::Serialize;

use crate::Durability;

/// What a transport can do. Asking it for more is an error, never a silent difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransportCapabilities {
    /// The transport's name: `memory`, `redis-pubsub`.
    pub name: &'static str,
    /// Whether a subscription without a group hears everything that is published while it listens.
    pub broadcast: bool,
    /// Whether there are groups: events are kept for them, acknowledged one by one, delivered again, and put among the
    /// dead letters in the end.
    pub groups: bool,
    /// Whether a new group gets events that were published before it was made.
    pub replay: bool,
    /// What an event that the broker has taken survives.
    pub durability: Durability,
}
