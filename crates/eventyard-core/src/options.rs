//! What can be said about one job when it is added.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Backoff, GroupKey, JobId, JobKey, Keep, QueueName, Timestamp, time::serde_millis};

/// The largest priority number, as in BullMQ.
pub const MAX_PRIORITY: u32 = (1 << 21) - 1;
/// The most attempts a job may have.
pub const MAX_ATTEMPTS: u32 = 10_000;

/// The options of a job. What is left out comes from its queue's defaults.
///
/// In JSON the names are BullMQ's where it has them, and times are milliseconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct JobOptions {
    /// The job's own id. Adding a job whose id exists on the queue changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// How often the job is tried in all, the first time included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The waits between attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// A lower number runs sooner; 0, the default, before all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Runs no earlier than this long after it is added.
    #[serde(skip_serializing_if = "Option::is_none", with = "serde_millis::option")]
    pub delay: Option<Duration>,
    /// Runs no earlier than this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Timestamp>,
    /// How long one attempt may take.
    #[serde(skip_serializing_if = "Option::is_none", with = "serde_millis::option")]
    pub timeout: Option<Duration>,
    /// Runs before the jobs that wait already, last in first out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifo: Option<bool>,
    /// How long the job stays once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_on_complete: Option<Keep>,
    /// How long the job stays once failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_on_fail: Option<Keep>,
    /// What the job has in common with others of its queue, such as a tenant. The queue is fair between keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<GroupKey>,
    /// Fails as expired unless its first attempt begins within this long after it could first have begun.
    #[serde(skip_serializing_if = "Option::is_none", with = "serde_millis::option")]
    pub ttl: Option<Duration>,
    /// Drops jobs that say the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deduplication: Option<Deduplication>,
    /// The job that waits for this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
}

/// How jobs that say the same are dropped: while one with the same id is there, others are not added.
///
/// Without a `ttl` it is there until it is finished or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deduplication {
    /// What the job says; unique on its queue.
    pub id: GroupKey,
    /// Others are dropped for this long, whatever becomes of the job.
    #[serde(skip_serializing_if = "Option::is_none", with = "serde_millis::option", default)]
    pub ttl: Option<Duration>,
    /// Each that is dropped begins the `ttl` anew.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub extend: bool,
    /// While the job is delayed, the next takes its place: the last one runs.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub replace: bool,
    /// While the job is active, the last one that came is added when it ends.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub keep_last_if_active: bool,
}

/// The job that waits for this one, and what becomes of it if this one fails for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parent {
    /// The parent's queue.
    pub queue: QueueName,
    /// The parent's id there.
    pub id: JobId,
    /// What becomes of the parent if this job fails for good.
    #[serde(default)]
    pub on_fail: OnChildFailure,
}

impl Parent {
    /// The parent's queue and id.
    #[must_use]
    pub fn key(&self) -> JobKey {
        JobKey { queue: self.queue.clone(), id: self.id.clone() }
    }
}

/// What becomes of a parent that waits for its children when one of them fails for good. A parent that is active at that
/// moment is left alone; it finds the failure among its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnChildFailure {
    /// It goes on waiting: for an operator to retry the child.
    #[default]
    Wait,
    /// It fails too.
    Fail,
    /// It runs at once, whatever its other children do.
    Continue,
    /// It waits for its other children only.
    Ignore,
}

/// An option that is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("opts.{field}: {problem}")]
pub struct InvalidOption {
    /// The option's name in JSON.
    pub field: &'static str,
    /// What is wrong, and the limit.
    pub problem: String,
}

impl JobOptions {
    /// These options, with what is left out taken from `defaults`.
    #[must_use]
    pub fn or(self, defaults: &Self) -> Self {
        Self {
            job_id: self.job_id,
            attempts: self.attempts.or(defaults.attempts),
            backoff: self.backoff.or(defaults.backoff),
            priority: self.priority.or(defaults.priority),
            // An own `runAt` replaces a default delay, and the other way round.
            delay: self.delay.or(defaults.delay.filter(|_| self.run_at.is_none())),
            run_at: self.run_at.or(defaults.run_at.filter(|_| self.delay.is_none())),
            timeout: self.timeout.or(defaults.timeout),
            lifo: self.lifo.or(defaults.lifo),
            remove_on_complete: self.remove_on_complete.or(defaults.remove_on_complete),
            remove_on_fail: self.remove_on_fail.or(defaults.remove_on_fail),
            key: self.key.or_else(|| defaults.key.clone()),
            ttl: self.ttl.or(defaults.ttl),
            deduplication: self.deduplication.or_else(|| defaults.deduplication.clone()),
            parent: self.parent,
        }
    }

    /// Checks every option against its range.
    ///
    /// # Errors
    /// Names the first option that is out of range, and the range.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let fail = |field, problem| Err(InvalidOption { field, problem });
        if let Some(attempts) = self.attempts
            && !(1..=MAX_ATTEMPTS).contains(&attempts)
        {
            return fail("attempts", format!("is {attempts}; use 1 to {MAX_ATTEMPTS}"));
        }
        if let Some(priority) = self.priority
            && priority > MAX_PRIORITY
        {
            return fail("priority", format!("is {priority}; use 0 to {MAX_PRIORITY}"));
        }
        if self.delay.is_some() && self.run_at.is_some() {
            return fail("runAt", "is given together with opts.delay; use one of them".to_owned());
        }
        let zero = || "is 0; use at least 1 ms, or leave it out".to_owned();
        if self.timeout == Some(Duration::ZERO) {
            return fail("timeout", zero());
        }
        if self.ttl == Some(Duration::ZERO) {
            return fail("ttl", zero());
        }
        if self.deduplication.is_some() && self.parent.is_some() {
            let problem = "goes not with parent: a parent would wait for a job that was dropped";
            return fail("deduplication", problem.to_owned());
        }
        match &self.deduplication {
            Some(Deduplication { ttl: Some(Duration::ZERO), .. }) => {
                fail("deduplication.ttl", zero())
            }
            Some(Deduplication { ttl: None, extend: true, .. }) => {
                fail("deduplication.extend", "has no ttl to begin anew; give one".to_owned())
            }
            Some(Deduplication { keep_last_if_active: true, ttl, replace, .. })
                if ttl.is_some() || *replace =>
            {
                let problem = "goes with neither ttl nor replace; leave them out".to_owned();
                fail("deduplication.keepLastIfActive", problem)
            }
            _ => Ok(()),
        }
    }

    /// When the job fails as expired unless it has begun, if it is added `now`.
    #[must_use]
    pub fn expires(&self, now: Timestamp) -> Option<Timestamp> {
        self.ttl.map(|ttl| self.due(now) + ttl)
    }

    /// When the job may first run, if it is added `now`.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Timestamp {
        self.run_at.or(self.delay.map(|delay| now + delay)).map_or(now, |due| due.max(now))
    }

    /// How often the job is tried in all: at least once.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.attempts.unwrap_or(1).max(1)
    }

    /// The job's priority; 0 when none is given.
    #[must_use]
    pub fn priority(&self) -> u32 {
        self.priority.unwrap_or(0)
    }

    /// Whether the job goes before those that wait already.
    #[must_use]
    pub fn lifo(&self) -> bool {
        self.lifo.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_options_win_over_defaults() {
        let secs = Duration::from_secs;
        let defaults = JobOptions {
            attempts: Some(5),
            delay: Some(secs(9)),
            timeout: Some(secs(30)),
            ..JobOptions::default()
        };
        let own = JobOptions { attempts: Some(2), ..JobOptions::default() }.or(&defaults);
        assert_eq!(
            (own.attempts, own.delay, own.timeout),
            (Some(2), Some(secs(9)), Some(secs(30)))
        );

        let at = Some(Timestamp::from_millis(1));
        let own = JobOptions { run_at: at, ..JobOptions::default() }.or(&defaults);
        assert_eq!((own.run_at, own.delay), (at, None), "an own runAt replaces a default delay");
    }

    #[test]
    fn out_of_range_names_the_field() {
        let check = |json: &str, field| {
            let options: JobOptions = serde_json::from_str(json).unwrap();
            assert_eq!(options.validate().err().map(|e| e.field), field, "{json}");
        };
        check("{}", None);
        check(r#"{"attempts":0}"#, Some("attempts"));
        check(r#"{"priority":2097152}"#, Some("priority"));
        check(r#"{"delay":5,"runAt":"2026-01-01T00:00:00Z"}"#, Some("runAt"));
        check(r#"{"timeout":0}"#, Some("timeout"));
        check(r#"{"ttl":0}"#, Some("ttl"));
        check(r#"{"deduplication":{"id":"d"}}"#, None);
        check(r#"{"deduplication":{"id":"d","ttl":0}}"#, Some("deduplication.ttl"));
        check(r#"{"deduplication":{"id":"d","extend":true}}"#, Some("deduplication.extend"));
        check(
            r#"{"deduplication":{"id":"d","ttl":5,"keepLastIfActive":true}}"#,
            Some("deduplication.keepLastIfActive"),
        );
    }

    #[test]
    fn due_is_never_before_now() {
        let now = Timestamp::from_millis(1000);
        let due = |options: JobOptions| options.due(now).as_millis();
        assert_eq!(due(JobOptions::default()), 1000);
        assert_eq!(
            due(JobOptions { delay: Some(Duration::from_millis(5)), ..Default::default() }),
            1005
        );
        assert_eq!(
            due(JobOptions { run_at: Some(Timestamp::from_millis(3)), ..Default::default() }),
            1000
        );
    }
}
