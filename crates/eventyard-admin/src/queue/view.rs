//! A queue as it is shown.

use std::sync::Arc;

use eventyard::model::{JobOptions, JobState, QueueLimits, QueueName, inspect::Counts};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Known, limits::Limits};
use crate::{job::Options, request::QueueText};

/// A queue with its settings and counts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Queue)]
pub(crate) struct QueueView {
    /// Its name.
    #[schema(value_type = QueueText)]
    name: QueueName,
    /// Whether this process declares it; jobs can be added to it here only then.
    declared: bool,
    /// Whether it hands out no jobs.
    paused: bool,
    counts: Stats,
    /// What it allows at once; an empty object when nothing is limited.
    #[schema(value_type = Limits)]
    limits: Arc<QueueLimits>,
    /// What it says about its jobs; only if it is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Settings>,
}

/// What a queue says about its jobs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QueueSettings)]
struct Settings {
    /// How many jobs one process works on at once.
    #[schema(example = 5)]
    concurrency: usize,
    /// How long a lease holds unless it is renewed, in milliseconds.
    #[schema(example = 30000)]
    lease_ms: u64,
    /// The options that a job has by default.
    #[schema(value_type = Options)]
    defaults: JobOptions,
}

/// How many jobs are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Counts)]
pub(crate) struct Stats {
    #[schema(example = 5)]
    waiting: u64,
    #[schema(example = 0)]
    prioritized: u64,
    #[schema(example = 0)]
    delayed: u64,
    #[schema(example = 2)]
    active: u64,
    #[schema(example = 150)]
    completed: u64,
    #[schema(example = 3)]
    failed: u64,
    #[schema(example = 0)]
    paused: u64,
    #[schema(example = 0)]
    waiting_children: u64,
}

impl From<&Counts> for Stats {
    fn from(counts: &Counts) -> Self {
        Self {
            waiting: counts.get(JobState::Waiting),
            prioritized: counts.get(JobState::Prioritized),
            delayed: counts.get(JobState::Delayed),
            active: counts.get(JobState::Active),
            completed: counts.get(JobState::Completed),
            failed: counts.get(JobState::Failed),
            paused: counts.get(JobState::Paused),
            waiting_children: counts.get(JobState::WaitingChildren),
        }
    }
}

impl QueueView {
    pub(super) fn of(Known { declared, status }: Known<'_>) -> Self {
        let settings = declared.map(|queue| {
            let settings = queue.settings();
            Settings {
                concurrency: settings.concurrency,
                lease_ms: u64::try_from(settings.lease.as_millis()).unwrap_or(u64::MAX),
                defaults: settings.defaults.clone(),
            }
        });
        Self {
            declared: declared.is_some(),
            paused: status.paused,
            counts: Stats::from(&status.counts),
            limits: status.limits,
            name: status.name,
            settings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_a_key() {
        let mut counts = Counts::default();
        for (n, state) in JobState::ALL.into_iter().enumerate() {
            *counts.get_mut(state) = n as u64 + 1;
        }
        let json = serde_json::to_value(Stats::from(&counts)).unwrap();
        assert_eq!(json.as_object().unwrap().len(), JobState::ALL.len());
        for (state, count) in counts.iter() {
            assert_eq!(json[state.as_str()], count, "{state}");
        }
    }
}
