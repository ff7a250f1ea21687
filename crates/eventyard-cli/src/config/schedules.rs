//! `[schedules.NAME]`: jobs that are added again and again.

use bytes::Bytes;
use eventyard::{JobOptions, JobRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Instant, TimeSpan, queues::BackoffConfig};

/// A schedule: when a job is added, and which. It has either `cron` or `every`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Schedule {
    /// A cron pattern: minute, hour, day of month, month, day of week; with seconds in front if wanted (`0 3 * * *`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cron: Option<String>,
    /// The time zone of `cron`, by its IANA name (`Europe/Berlin`). When absent, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_zone: Option<String>,
    /// Due each time that this has passed, at least `"1ms"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) every: Option<TimeSpan>,
    /// The queue that the job is added to.
    pub(crate) queue: String,
    /// The name of the job; it selects the handler.
    pub(crate) job: String,
    /// What the job carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<serde_json::Value>,
    /// Not due before this instant; an interval counts from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Instant>,
    /// Not due after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<Instant>,
    /// How many jobs it adds in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
    /// Whether each start pauses it or lets it go on. When absent, it stays as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paused: Option<bool>,
    /// What becomes of times that were missed: `skip` (they are dropped), `one` (one job for all of them) or `all`
    /// (one job for each).
    #[serde(default)]
    pub(crate) catch_up: CatchUp,
    /// How often the job is tried in all. When absent, as its queue says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<u32>,
    /// The waits between attempts. When absent, as its queue says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backoff: Option<BackoffConfig>,
    /// A lower number runs sooner. When absent, as its queue says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<u32>,
    /// How long the job waits once it is added. When absent, as its queue says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delay: Option<TimeSpan>,
    /// How long one attempt may take. When absent, as its queue says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<TimeSpan>,
}

/// What becomes of times that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CatchUp {
    /// They are dropped.
    #[default]
    Skip,
    /// One job is added for all of them.
    One,
    /// One job is added for each of them.
    All,
}

impl From<CatchUp> for eventyard::schedule::CatchUp {
    fn from(catch_up: CatchUp) -> Self {
        match catch_up {
            CatchUp::Skip => Self::Skip,
            CatchUp::One => Self::One,
            CatchUp::All => Self::All,
        }
    }
}

impl Schedule {
    /// The schedule as the engine declares it; none when it has not just one of `cron` and `every`.
    pub(crate) fn declare(&self, name: &str) -> Option<eventyard::Schedule> {
        let schedule = match (&self.cron, self.every) {
            (Some(pattern), None) => eventyard::Schedule::cron(name, pattern),
            (None, Some(every)) => eventyard::Schedule::every(name, every.get()),
            _ => return None,
        };
        Some(eventyard::Schedule {
            time_zone: self.time_zone.clone(),
            job: Some(self.request()),
            start: self.start.map(Instant::get),
            end: self.end.map(Instant::get),
            limit: self.limit,
            paused: self.paused,
            catch_up: self.catch_up.into(),
            ..schedule
        })
    }

    fn request(&self) -> JobRequest {
        let data = self.data.as_ref().map_or("null".to_owned(), ToString::to_string);
        let options = JobOptions {
            attempts: self.attempts,
            backoff: self.backoff.as_ref().map(Into::into),
            priority: self.priority,
            delay: self.delay.map(TimeSpan::get),
            timeout: self.timeout.map(TimeSpan::get),
            ..JobOptions::default()
        };
        JobRequest { data: Bytes::from(data), options, ..JobRequest::new(&self.queue, &self.job) }
    }
}
