//! How a transport is doing.

use serde::Serialize;

/// What went through a transport since its process started, and how its groups stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransportStatus {
    /// Whether the broker is reached.
    pub connected: bool,
    /// Why it is not.
    pub problem: Option<String>,
    /// Events that the broker took.
    pub published: u64,
    /// Events that were handed to subscriptions.
    pub received: u64,
    /// Events of this node that came back and were not handed out.
    pub own: u64,
    /// Messages that could not be read as events and were skipped.
    pub malformed: u64,
    /// Events that were rejected, or delivered too often, and put among the dead letters.
    pub dead_lettered: u64,
    /// How many events are among the dead letters now; absent when the broker cannot tell.
    pub dead_letters: Option<u64>,
    /// How often something may have been missed.
    pub gaps: u64,
    /// The groups, by name.
    pub groups: Vec<GroupStatus>,
}

/// How a group stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// How many events it has not been delivered yet; absent when the broker cannot tell.
    pub lag: Option<u64>,
    /// How many events are delivered and not settled.
    pub pending: u64,
    /// How many consumers it knows.
    pub consumers: u64,
    /// How many of its events are among the dead letters; absent when the broker cannot tell.
    pub dead_letters: Option<u64>,
}
