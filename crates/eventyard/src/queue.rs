//! Queues: their names and what they say about their jobs.

mod limits;

use std::{sync::Arc, time::Duration};

use eventyard_core::{Backoff, Job, JobOptions, Keep, QueueLimits};

use crate::secs;

/// How long a lease holds unless it is renewed.
pub const LEASE: Duration = secs(30);
/// How many jobs of a queue one process works on at once.
pub const CONCURRENCY: usize = 5;
/// The most that may be asked for.
pub const MAX_CONCURRENCY: usize = 10_000;

/// Says how long to wait before a failed job runs again: given the job and the number of the attempt
/// that failed; `None` dead-letters it.
pub type BackoffFn = Arc<dyn Fn(&Job, u32) -> Option<Duration> + Send + Sync>;

/// What a queue says about its jobs.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// The options that a job has by default.
    pub defaults: &'a JobOptions,
    /// How many jobs one process works on at once.
    pub concurrency: usize,
    /// How long a lease holds before a worker that fell silent is given up.
    pub lease: Duration,
    /// What the queue allows at once, if it states that.
    pub limits: Option<&'a QueueLimits>,
}

/// A queue and its defaults, declared in one place.
///
/// A job is tried 3 times with exponential waits from 2 s, unless said otherwise. Completed jobs stay for
/// 24 hours or until 1000 newer ones exist, failed ones for 7 days.
#[derive(Clone)]
pub struct Queue {
    pub(crate) name: String,
    pub(crate) defaults: JobOptions,
    pub(crate) concurrency: usize,
    pub(crate) lease: Duration,
    pub(crate) backoff_fn: Option<BackoffFn>,
    pub(crate) limits: Option<QueueLimits>,
    /// The first thing that was said about the queue and makes no sense.
    mistake: Option<String>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("name", &self.name)
            .field("defaults", &self.defaults)
            .field("concurrency", &self.concurrency)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Queue {
    /// A queue with the usual defaults.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let day = secs(24 * 60 * 60);
        Self {
            name: name.into(),
            defaults: JobOptions {
                attempts: Some(3),
                backoff: Some(Backoff::exponential(secs(2))),
                remove_on_complete: Some(Keep::count(1000).or_age(day)),
                remove_on_fail: Some(Keep::age(7 * day)),
                ..JobOptions::default()
            },
            concurrency: CONCURRENCY,
            lease: LEASE,
            backoff_fn: None,
            limits: None,
            mistake: None,
        }
    }

    /// How often a job is tried in all.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.defaults.attempts = Some(attempts);
        self
    }

    /// The waits between attempts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.defaults.backoff = Some(backoff);
        self
    }

    /// Waits between attempts by a function of the job and the number of the attempt that failed.
    #[must_use]
    pub fn backoff_fn(
        mut self,
        wait: impl Fn(&Job, u32) -> Option<Duration> + Send + Sync + 'static,
    ) -> Self {
        self.backoff_fn = Some(Arc::new(wait));
        self
    }

    /// How long one attempt may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.defaults.timeout = Some(timeout);
        self
    }

    /// How long completed jobs stay.
    #[must_use]
    pub fn keep_completed(mut self, keep: Keep) -> Self {
        self.defaults.remove_on_complete = Some(keep);
        self
    }

    /// How long failed jobs stay.
    #[must_use]
    pub fn keep_failed(mut self, keep: Keep) -> Self {
        self.defaults.remove_on_fail = Some(keep);
        self
    }

    /// All options that a job has by default; what `options` leaves out stays as it is.
    #[must_use]
    pub fn defaults(mut self, options: JobOptions) -> Self {
        self.defaults = options.or(&self.defaults);
        self
    }

    /// How many jobs one process works on at once.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// How long a lease holds before a worker that fell silent is given up. It is renewed in time.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// What the queue says about its jobs, for those who show it.
    #[must_use]
    pub fn settings(&self) -> Settings<'_> {
        Settings {
            defaults: &self.defaults,
            concurrency: self.concurrency,
            lease: self.lease,
            limits: self.limits.as_ref(),
        }
    }

    /// What is wrong with the queue, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        let name = &self.name;
        if let Err(error) = self.defaults.validate() {
            return Some(format!("queue `{name}`: {error}"));
        }
        if self.defaults.job_id.is_some() {
            return Some(format!(
                "queue `{name}`: jobId cannot be a default; every job has its own"
            ));
        }
        if self.defaults.parent.is_some() {
            return Some(format!("queue `{name}`: parent cannot be a default; add a flow"));
        }
        if let Some(problem) = self.limits_problem() {
            return Some(format!("queue `{name}`: {problem}"));
        }
        if !(1..=MAX_CONCURRENCY).contains(&self.concurrency) {
            let n = self.concurrency;
            return Some(format!("queue `{name}`: concurrency is {n}; use 1 to {MAX_CONCURRENCY}"));
        }
        if self.lease < secs(1) {
            return Some(format!("queue `{name}`: the lease is {:?}; use 1 s or more", self.lease));
        }
        None
    }
}
