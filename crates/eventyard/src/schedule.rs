//! Schedules: jobs that are added again and again, by the calendar or at an interval.
//!
//! ```
//! use eventyard::{Eventyard, JobError, JobRequest, Json, Queue, Schedule, secs};
//!
//! async fn tidy(_: Json<serde_json::Value>) -> Result<(), JobError> { Ok(()) }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), eventyard::Error> {
//! let yard = Eventyard::in_memory()
//!     .queue(Queue::new("chores"))
//!     .handle("chores", tidy)
//!     .schedule(
//!         Schedule::cron("nightly", "0 3 * * *")
//!             .time_zone("Europe/Berlin")
//!             .job(JobRequest::new("chores", "tidy")),
//!     )
//!     .schedule(Schedule::every("pulse", secs(10)).job(JobRequest::new("chores", "pulse")))
//!     .start()
//!     .await?;
//! let nightly = yard.schedule("nightly").await?.expect("it is declared");
//! assert!(nightly.next_run.is_some());
//! # yard.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! A schedule is a document that all nodes on a store share. A tick is one commit: the schedule moves on to its next
//! time, and a job with the id `schedule:NAME:DUE`, the due time in milliseconds, is added. However many nodes run,
//! and whichever of them dies, each due time has one job.

pub(crate) mod bell;
mod check;
mod cron;
mod entry;
mod steer;
mod step;
pub(crate) mod task;
mod times;

use std::time::Duration;

use eventyard_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::JobRequest;

pub(crate) use check::problems;

pub use cron::{UTC, time_zones};

/// The collection of documents that schedules are stored in, by name.
pub const COLLECTION: &str = "schedules";
/// The longest name of a schedule, in bytes: it has to fit into the ids of the jobs.
pub const MAX_NAME_BYTES: usize = 200;
/// How late a job may be added before its time counts as missed.
pub const GRACE: Duration = crate::secs(60);
/// The longest interval.
pub const MAX_EVERY: Duration = Duration::from_millis((1 << 53) - 1);

/// When jobs are added, and which.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a schedule does nothing until it is declared or upserted"]
pub struct Schedule {
    /// Its name; a schedule that is upserted replaces the one of the same name.
    pub name: String,
    /// When it is due.
    pub when: When,
    /// The time zone of its cron pattern, by its IANA name; UTC when absent.
    pub time_zone: Option<String>,
    /// What is added when it is due; `opts.jobId` and `opts.runAt` have no place in it.
    pub job: Option<JobRequest>,
    /// Not due before this instant; an interval counts from it.
    pub start: Option<Timestamp>,
    /// Not due after this instant.
    pub end: Option<Timestamp>,
    /// How many jobs it adds in all.
    pub limit: Option<u64>,
    /// Whether it is paused; when absent, one that exists stays as it is.
    pub paused: Option<bool>,
    /// What becomes of times that were missed.
    pub catch_up: CatchUp,
}

/// When a schedule is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// By a cron pattern: `minute hour day-of-month month day-of-week`, with seconds in front if wanted.
    Cron(String),
    /// Each time this much has passed, at least 1 ms.
    Every(Duration),
}

/// What becomes of times that passed while no node was running, or that were overtaken by the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CatchUp {
    /// They are dropped, but for the last one while it is less than [`GRACE`] ago.
    #[default]
    Skip,
    /// One job is added for all of them, under the oldest of them.
    One,
    /// One job is added for each of them, in their order.
    All,
}

/// A schedule with where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The schedule.
    pub schedule: Schedule,
    /// Whether it is paused.
    pub paused: bool,
    /// How many jobs its times have added.
    pub runs: u64,
    /// The last time that added a job.
    pub last_run: Option<Timestamp>,
    /// The time that is next; none while it is paused, and when it has come to its end.
    pub next_run: Option<Timestamp>,
}

impl Schedule {
    /// A schedule by a cron pattern: `minute hour day-of-month month day-of-week`, with seconds in front if wanted.
    pub fn cron(name: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self::new(name.into(), When::Cron(pattern.into()))
    }

    /// A schedule that is due each time `every` has passed.
    pub fn every(name: impl Into<String>, every: Duration) -> Self {
        Self::new(name.into(), When::Every(every))
    }

    fn new(name: String, when: When) -> Self {
        Self {
            name,
            when,
            time_zone: None,
            job: None,
            start: None,
            end: None,
            limit: None,
            paused: None,
            catch_up: CatchUp::default(),
        }
    }

    /// The time zone of the cron pattern, by its IANA name; UTC unless said otherwise.
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = Some(name.into());
        self
    }

    /// What is added when it is due.
    pub fn job(mut self, job: JobRequest) -> Self {
        self.job = Some(job);
        self
    }

    /// Not due before `start`; an interval counts from it.
    pub fn start(mut self, start: Timestamp) -> Self {
        self.start = Some(start);
        self
    }

    /// Not due after `end`.
    pub fn end(mut self, end: Timestamp) -> Self {
        self.end = Some(end);
        self
    }

    /// How many jobs it adds in all.
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Pauses it, or lets it go on; without a word, one that exists stays as it is.
    pub fn paused(mut self, paused: bool) -> Self {
        self.paused = Some(paused);
        self
    }

    /// What becomes of times that were missed.
    pub fn catch_up(mut self, catch_up: CatchUp) -> Self {
        self.catch_up = catch_up;
        self
    }
}

/// Runs the examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/schedules.md")]
struct Guide;
