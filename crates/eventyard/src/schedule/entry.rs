//! A schedule as it is stored: a JSON document.

use std::time::Duration;

use bytes::Bytes;
use eventyard_core::{
    Document, JobId, JobOptions, StoreError, StoreErrorKind, Timestamp, Write, time::serde_millis,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{COLLECTION, CatchUp, Schedule, Status, When, check, times::Times};
use crate::{Error, FieldError, JobRequest};

/// A schedule with where it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) plan: Plan,
    pub(crate) paused: bool,
    /// What an interval counts from.
    pub(crate) anchor: Timestamp,
    /// The time that is next.
    pub(crate) next: Option<Timestamp>,
    /// The last time that added a job.
    pub(crate) last: Option<Timestamp>,
    /// How many jobs its times have added.
    pub(crate) runs: u64,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "serde_millis::option")]
    every: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
    pub(crate) catch_up: CatchUp,
    job: Job,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Job {
    queue: String,
    name: String,
    data: Box<RawValue>,
    opts: JobOptions,
}

impl Plan {
    /// The plan of a schedule.
    ///
    /// # Errors
    /// When its job is missing or carries no JSON.
    pub(crate) fn of(schedule: Schedule) -> Result<Self, FieldError> {
        let Schedule { when, time_zone, job, start, end, limit, catch_up, .. } = schedule;
        let JobRequest { queue, name, data, options } =
            job.ok_or_else(|| check::fault("job", "is missing; say what is to be added"))?;
        let data = serde_json::from_slice(&data)
            .map_err(|error| check::fault("job.data", format!("is not JSON: {error}")))?;
        let (cron, every) = match when {
            When::Cron(pattern) => (Some(pattern), None),
            When::Every(every) => (None, Some(every)),
        };
        let job = Job { queue, name, data, opts: options };
        Ok(Self { cron, time_zone, every, start, end, limit, catch_up, job })
    }

    /// When it is due.
    ///
    /// # Errors
    /// When the pattern or the time zone cannot be used.
    pub(crate) fn times(&self, anchor: Timestamp) -> Result<Times, FieldError> {
        check::times(self.cron.as_deref(), self.time_zone.as_deref(), self.every, anchor)
    }

    /// The job that is added at one of its times, or at once.
    pub(crate) fn job(&self, id: JobId) -> JobRequest {
        let Job { queue, name, data, opts } = &self.job;
        let data = Bytes::copy_from_slice(data.get().as_bytes());
        let options = JobOptions { job_id: Some(id), ..opts.clone() };
        JobRequest { data, options, ..JobRequest::new(queue, name) }
    }

    /// The size of what each job carries.
    pub(crate) fn data_bytes(&self) -> usize {
        self.job.data.get().len()
    }

    /// Whether nothing is different.
    fn is(&self, other: &Self) -> bool {
        serde_json::to_vec(self).ok() == serde_json::to_vec(other).ok()
    }

    /// Whether it is due at the same times.
    fn is_due_as(&self, other: &Self) -> bool {
        (&self.cron, &self.time_zone, self.every, self.start)
            == (&other.cron, &other.time_zone, other.every, other.start)
    }

    fn into_schedule(self, name: String) -> Schedule {
        let Self { cron, time_zone, every, start, end, limit, catch_up, job } = self;
        let when = match cron {
            Some(pattern) => When::Cron(pattern),
            None => When::Every(every.unwrap_or_default()),
        };
        let data = Bytes::from(Box::<str>::from(job.data).into_string());
        let job = JobRequest { data, options: job.opts, ..JobRequest::new(job.queue, job.name) };
        Schedule {
            name,
            when,
            time_zone,
            job: Some(job),
            start,
            end,
            limit,
            paused: None,
            catch_up,
        }
    }
}

impl Entry {
    /// A new schedule.
    ///
    /// # Errors
    /// When the pattern or the time zone cannot be used.
    pub(crate) fn new(plan: Plan, paused: bool, now: Timestamp) -> Result<Self, FieldError> {
        let anchor = plan.start.unwrap_or(now);
        let mut entry = Self { plan, paused, anchor, next: None, last: None, runs: 0 };
        entry.next = entry.next_after(now)?;
        Ok(entry)
    }

    /// This schedule with another plan, and whether that changes anything.
    ///
    /// # Errors
    /// As for [`new`](Entry::new).
    pub(crate) fn amended(
        mut self,
        plan: Plan,
        paused: Option<bool>,
        now: Timestamp,
    ) -> Result<(Self, bool), FieldError> {
        let paused = paused.unwrap_or(self.paused);
        if self.plan.is(&plan) && self.paused == paused {
            return Ok((self, false));
        }
        let keeps_time = self.plan.is_due_as(&plan) && self.paused == paused;
        let kept = self.next.filter(|_| keeps_time);
        if !self.plan.is_due_as(&plan) {
            self.anchor = plan.start.unwrap_or(now);
        }
        self.plan = plan;
        self.paused = paused;
        self.next = match kept {
            Some(next) => self.within_bounds(next),
            None => self.next_after(now)?,
        };
        Ok((self, true))
    }

    /// The first time after `at`, within the plan's bounds, that has added no job yet.
    pub(crate) fn next_after(&self, at: Timestamp) -> Result<Option<Timestamp>, FieldError> {
        if self.paused {
            return Ok(None);
        }
        let before_start = self.plan.start.map(|start| start - Duration::from_millis(1));
        let at = [before_start, self.last].into_iter().flatten().fold(at, Timestamp::max);
        let next = self.plan.times(self.anchor)?.after(at);
        Ok(next.and_then(|next| self.within_bounds(next)))
    }

    fn within_bounds(&self, next: Timestamp) -> Option<Timestamp> {
        let ended = self.plan.end.is_some_and(|end| next > end);
        let exhausted = self.plan.limit.is_some_and(|limit| self.runs >= limit);
        Some(next).filter(|_| !self.paused && !ended && !exhausted)
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When it is none of a schedule.
    pub(crate) fn read(document: &Document) -> Result<Self, Error> {
        serde_json::from_slice(&document.value).map_err(|error| {
            let message = format!(
                "document {COLLECTION}/{} is no schedule; set the schedule anew",
                document.key
            );
            StoreError::new(StoreErrorKind::Corrupt, message).because(error).into()
        })
    }

    /// The write that stores it in place of version `expected`.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn write(&self, name: &str, expected: u64) -> Result<Write, Error> {
        let value = serde_json::to_vec(self)
            .map_err(|source| Error::Encode { what: format!("schedule `{name}`"), source })?;
        Ok(Write::Put {
            collection: COLLECTION.to_owned(),
            key: name.to_owned(),
            value: value.into(),
            expected: Some(expected),
        })
    }

    /// The schedule with where it stands, for those who show it.
    pub(crate) fn into_status(self, name: &str) -> Status {
        Status {
            paused: self.paused,
            runs: self.runs,
            last_run: self.last,
            next_run: self.next,
            schedule: self.plan.into_schedule(name.to_owned()),
        }
    }
}
