//! How one queue stands.

use eventyard::{
    meter::{Reading, Tally},
    model::{QueueName, inspect::QueueStatus},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{queue::Stats, request::QueueText};

/// How a queue stands, and how fast it moves.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QueueStanding)]
pub(super) struct Standing {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// Whether it hands out no jobs.
    paused: bool,
    counts: Stats,
    per_second: Rates,
    total: Totals,
}

/// Jobs a second, over the last five seconds, as far as this process added and worked on them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, ToSchema)]
#[schema(as = QueueRates)]
pub(super) struct Rates {
    /// Were added.
    #[schema(example = 120.4)]
    added: f64,
    /// Were completed.
    #[schema(example = 118.2)]
    completed: f64,
    /// Failed for good.
    #[schema(example = 0.2)]
    failed: f64,
    /// Failed and run again.
    #[schema(example = 1.4)]
    retried: f64,
}

/// Jobs since this process began, as far as it added and worked on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[schema(as = QueueTotals)]
pub(super) struct Totals {
    /// Were added.
    #[schema(example = 12_000)]
    added: u64,
    /// Were completed.
    #[schema(example = 11_990)]
    completed: u64,
    /// Failed for good.
    #[schema(example = 2)]
    failed: u64,
    /// Failed and ran again.
    #[schema(example = 20)]
    retried: u64,
}

impl Standing {
    pub(super) fn of(status: &QueueStatus, lately: Option<&Reading>) -> Self {
        Self {
            queue: status.name.clone(),
            paused: status.paused,
            counts: Stats::from(&status.counts),
            per_second: lately.map(Rates::of).unwrap_or_default(),
            total: lately.map(Totals::of).unwrap_or_default(),
        }
    }
}

impl Rates {
    pub(super) fn of(reading: &Reading) -> Self {
        let (Tally { added, completed, failed, retried }, over) = reading.recent;
        let rate = |count: u64| count as f64 / over.as_secs_f64();
        Self {
            added: rate(added),
            completed: rate(completed),
            failed: rate(failed),
            retried: rate(retried),
        }
    }
}

impl Totals {
    pub(super) fn of(reading: &Reading) -> Self {
        let Tally { added, completed, failed, retried } = reading.total;
        Self { added, completed, failed, retried }
    }
}
