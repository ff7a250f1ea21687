//! `[queues.NAME]`: queues and what holds for their jobs.

mod limits;

use eventyard::{Backoff, JobOptions};
use eventyard_core::backoff::BackoffKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Retention, TimeSpan};
pub(crate) use limits::LimitsConfig;

/// A queue and what holds for its jobs unless a job says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Queue {
    /// How often a job is tried in all, the first time included.
    pub(crate) attempts: u32,
    /// The waits between attempts.
    pub(crate) backoff: BackoffConfig,
    /// How many jobs this process works on at once.
    pub(crate) concurrency: usize,
    /// How long one attempt may take. When absent, as long as its lease is renewed. A worker over HTTP is told it as `opts.timeout`, and sees to it itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<TimeSpan>,
    /// How long a lease holds before a worker that fell silent is given up.
    pub(crate) lease: TimeSpan,
    /// A lower number runs sooner; 0 before all others.
    pub(crate) priority: u32,
    /// How long a job waits before it may run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delay: Option<TimeSpan>,
    /// How long completed jobs stay.
    pub(crate) keep_completed: Retention,
    /// How long failed jobs stay.
    pub(crate) keep_failed: Retention,
    /// What the queue allows at once, over all processes. It replaces what the store has when this process starts. When
    /// absent, what the store has stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<LimitsConfig>,
}

/// The waits between attempts: N attempts have N−1 of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct BackoffConfig {
    /// The shape of the waits: `exponential` (the delay, then twice, four times, eight times it, and so on) or
    /// `fixed`.
    #[serde(rename = "type")]
    pub(crate) kind: BackoffShape,
    /// The first wait.
    pub(crate) delay: TimeSpan,
    /// The share of each wait that is random, from 0 (none) to 1 (all of it).
    pub(crate) jitter: f64,
    /// The longest wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<TimeSpan>,
}

/// The shape of the waits between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BackoffShape {
    /// The same wait every time.
    Fixed,
    /// The delay, then twice, four times, eight times it, and so on.
    Exponential,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff: BackoffConfig::default(),
            concurrency: eventyard::queue::CONCURRENCY,
            timeout: None,
            lease: TimeSpan::secs(eventyard::queue::LEASE.as_secs()),
            priority: 0,
            delay: None,
            keep_completed: Retention { age: Some(TimeSpan::secs(86_400)), count: Some(1000) },
            keep_failed: Retention { age: Some(TimeSpan::secs(7 * 86_400)), count: None },
            limits: None,
        }
    }
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self { kind: BackoffShape::Exponential, delay: TimeSpan::secs(2), jitter: 0.0, max: None }
    }
}

impl From<&BackoffConfig> for Backoff {
    fn from(config: &BackoffConfig) -> Self {
        let kind = match config.kind {
            BackoffShape::Fixed => BackoffKind::Fixed,
            BackoffShape::Exponential => BackoffKind::Exponential,
        };
        let max = config.max.map(TimeSpan::get);
        Self { kind, delay: config.delay.get(), jitter: config.jitter, max }
    }
}

impl Queue {
    /// The options that a job on the queue has by default.
    pub(crate) fn job_options(&self) -> JobOptions {
        JobOptions {
            attempts: Some(self.attempts),
            backoff: Some((&self.backoff).into()),
            priority: (self.priority != 0).then_some(self.priority),
            delay: self.delay.map(TimeSpan::get),
            timeout: self.timeout.map(TimeSpan::get),
            remove_on_complete: Some(self.keep_completed.into()),
            remove_on_fail: Some(self.keep_failed.into()),
            ..JobOptions::default()
        }
    }

    /// The queue as the engine declares it.
    pub(crate) fn declare(&self, name: &str) -> eventyard::Queue {
        let queue = eventyard::Queue::new(name)
            .defaults(self.job_options())
            .concurrency(self.concurrency)
            .lease(self.lease.get());
        match &self.limits {
            Some(limits) => queue.limits(limits.into()),
            None => queue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_without_settings_is_the_engines() {
        let ours = format!("{:?}", Queue::default().declare("q"));
        assert_eq!(ours, format!("{:?}", eventyard::Queue::new("q")));
    }
}
