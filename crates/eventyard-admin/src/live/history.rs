//! The last hour of a queue, minute by minute.

use eventyard::{
    meter::{MINUTES, Minute, Reading, Spread},
    model::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The last hour, minute by minute, as far as this process added and worked on jobs. Every list has one item a minute.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QueueHistory)]
pub(super) struct History {
    /// When the first minute began.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// How long each is, in milliseconds.
    #[schema(example = 60_000)]
    step_ms: u64,
    /// How many jobs were added.
    added: Vec<u64>,
    /// How many were completed.
    completed: Vec<u64>,
    /// How many failed for good.
    failed: Vec<u64>,
    /// How many attempts failed whose jobs ran again.
    retried: Vec<u64>,
    /// How long first attempts were waited for, in milliseconds; only where one queue is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<Quantiles>,
    /// How long attempts ran, in milliseconds; only where one queue is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Quantiles>,
}

/// The median and the 95th percentile of each minute; null where there was nothing to measure.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = QueueQuantiles)]
pub(super) struct Quantiles {
    p50: Vec<Option<f64>>,
    p95: Vec<Option<f64>>,
}

/// Some times in milliseconds; null when there is nothing to measure.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = QueueLatency)]
pub(super) struct Latency {
    #[schema(required = true, example = 12.0)]
    p50: Option<f64>,
    #[schema(required = true, example = 48.0)]
    p95: Option<f64>,
    #[schema(required = true, example = 96.0)]
    p99: Option<f64>,
}

impl Quantiles {
    fn push(&mut self, spread: Option<&Spread>) {
        self.p50.push(spread.and_then(|spread| millis(spread, 0.5)));
        self.p95.push(spread.and_then(|spread| millis(spread, 0.95)));
    }
}

impl Latency {
    pub(super) fn of(spread: &Spread) -> Self {
        Self { p50: millis(spread, 0.5), p95: millis(spread, 0.95), p99: millis(spread, 0.99) }
    }
}

fn millis(spread: &Spread, share: f64) -> Option<f64> {
    Some((spread.at(share)?.as_secs_f64() * 1e6).round() / 1e3)
}

impl History {
    /// The hour that ends `now`, with times if `detailed`.
    pub(super) fn of(reading: &Reading, now: Timestamp, detailed: bool) -> Self {
        let minute = 60_000;
        let first = (now.as_millis().div_euclid(minute) - (MINUTES as i64 - 1)) * minute;
        let mut history = Self {
            from: Timestamp::from_millis(first),
            step_ms: 60_000,
            added: Vec::with_capacity(MINUTES),
            completed: Vec::with_capacity(MINUTES),
            failed: Vec::with_capacity(MINUTES),
            retried: Vec::with_capacity(MINUTES),
            wait: detailed.then(Quantiles::default),
            run: detailed.then(Quantiles::default),
        };
        let mut minutes = reading.minutes.iter().peekable();
        for place in 0..MINUTES as i64 {
            let begins = Timestamp::from_millis(first + place * minute);
            let found = minutes.next_if(|(at, _)| *at == begins);
            history.push(found.map(|(_, minute)| minute));
        }
        history
    }

    fn push(&mut self, minute: Option<&Minute>) {
        let tally = minute.map(|minute| minute.tally).unwrap_or_default();
        self.added.push(tally.added);
        self.completed.push(tally.completed);
        self.failed.push(tally.failed);
        self.retried.push(tally.retried);
        if let Some(wait) = &mut self.wait {
            wait.push(minute.map(|minute| &minute.wait));
        }
        if let Some(run) = &mut self.run {
            run.push(minute.map(|minute| &minute.run));
        }
    }
}
