//! A schedule as it is asked for, and as it is shown.

use std::time::Duration;

use bytes::Bytes;
use eventyard::{
    Error, FieldError, JobRequest, Schedule,
    model::{JobOptions, Timestamp},
    schedule::{CatchUp, Status, When},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    Masks, Problem,
    job::{self, Options},
    request::{QueueText, ScheduleText, object},
};

/// When jobs are added, and which. Either `cron` or `every` is needed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(example = json!({
    "cron": "0 3 * * *", "timeZone": "Europe/Berlin", "job": {"queue": "emails", "name": "digest"}
}))]
pub(crate) struct NewSchedule {
    /// A cron pattern: minute, hour, day of month, month, day of week; with seconds in front if wanted.
    #[schema(example = "0 3 * * *")]
    cron: Option<String>,
    /// The time zone of `cron`, by its IANA name; UTC unless said otherwise.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// Due each time that this has passed, in milliseconds.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    every: Option<u64>,
    /// Not due before this instant; an interval counts from it.
    #[schema(value_type = Option<String>, format = DateTime)]
    start: Option<Timestamp>,
    /// Not due after this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    end: Option<Timestamp>,
    /// How many jobs it adds in all.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    limit: Option<u64>,
    /// Whether it is paused; without it, one that exists stays as it is.
    paused: Option<bool>,
    /// What becomes of times that were missed: they are dropped, make one job together, or one each.
    #[serde(default)]
    #[schema(value_type = CatchUpText, required = false, default = "skip")]
    catch_up: CatchUp,
    #[serde(deserialize_with = "object")]
    job: NewJob,
}

/// What becomes of times that were missed.
#[derive(ToSchema)]
#[schema(as = CatchUp, rename_all = "kebab-case")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) enum CatchUpText {
    Skip,
    One,
    All,
}

/// The job that a schedule adds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewScheduledJob)]
struct NewJob {
    /// The queue; it must be declared.
    #[schema(value_type = QueueText)]
    queue: String,
    /// What it is; it selects the handler.
    #[schema(min_length = 1, max_length = 1024, pattern = r"\S", example = "digest")]
    name: String,
    /// What it carries.
    #[serde(default)]
    #[schema(value_type = Value, required = false)]
    data: Option<Box<RawValue>>,
    /// Its options, without `jobId` and `runAt`.
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Options)]
    opts: JobOptions,
}

impl NewSchedule {
    /// The schedule that is asked for.
    ///
    /// # Errors
    /// When it is not said when it is due, or twice, or an option is out of range.
    pub(super) fn into_schedule(self, name: String) -> Result<Schedule, Problem> {
        let Self { cron, time_zone, every, start, end, limit, paused, catch_up, job } = self;
        let schedule = match (cron, every) {
            (Some(pattern), None) => Schedule::cron(name, pattern),
            (None, Some(ms)) => Schedule::every(name, Duration::from_millis(ms)),
            (None, None) => return Err(refuse("cron", "or `every` is needed; give one of them")),
            _ => return Err(refuse("every", "is given together with `cron`; use one of them")),
        };
        let NewJob { queue, name, data, opts } = job;
        job::check_options(&opts, &JobOptions::default()).map_err(|fault| {
            let field = format!("job.{}", fault.field);
            Problem::from(Error::InvalidSchedule(FieldError { field, ..fault }))
        })?;
        let data = data.map_or(Bytes::from_static(b"null"), job::bytes);
        let job = JobRequest { data, options: opts, ..JobRequest::new(queue, name) };
        Ok(Schedule { time_zone, start, end, limit, paused, catch_up, ..schedule }.job(job))
    }
}

fn refuse(field: &str, problem: &str) -> Problem {
    let fault = FieldError { field: field.to_owned(), problem: problem.to_owned() };
    Error::InvalidSchedule(fault).into()
}

/// A schedule with its last and its next run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Schedule)]
pub(crate) struct ScheduleView {
    /// Its name.
    #[schema(value_type = ScheduleText)]
    name: String,
    /// Its cron pattern, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0 3 * * *")]
    cron: Option<String>,
    /// The time zone of `cron`; UTC when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// Its interval in milliseconds, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<u64>,
    /// Not due before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    start: Option<Timestamp>,
    /// Not due after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    end: Option<Timestamp>,
    /// How many jobs it adds in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// What becomes of times that were missed.
    #[schema(value_type = CatchUpText)]
    catch_up: CatchUp,
    job: ScheduledJob,
    /// Whether it is paused.
    paused: bool,
    /// How many jobs its times have added.
    #[schema(example = 12)]
    runs: u64,
    /// The last time that added a job; null when none has.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_run: Option<Timestamp>,
    /// The time that is next; null while it is paused, and when it has come to its end.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    next_run: Option<Timestamp>,
}

/// The job that a schedule adds.
#[derive(Debug, Serialize, ToSchema)]
struct ScheduledJob {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: String,
    /// What it is; it selects the handler.
    #[schema(example = "digest")]
    name: String,
    /// What it carries.
    #[schema(value_type = Value)]
    data: Option<Box<RawValue>>,
    /// Its options, without its queue's defaults.
    #[schema(value_type = Options)]
    opts: JobOptions,
}

impl ScheduleView {
    /// The same without what is not to be shown.
    pub(super) fn masked(mut self, masks: &Masks) -> Self {
        masks.json(&mut self.job.data);
        self
    }

    pub(super) fn of(status: Status) -> Self {
        let Status { schedule, paused, runs, last_run, next_run } = status;
        let Schedule { name, when, time_zone, job, start, end, limit, catch_up, .. } = schedule;
        let (cron, every) = match when {
            When::Cron(pattern) => (Some(pattern), None),
            When::Every(every) => {
                (None, Some(u64::try_from(every.as_millis()).unwrap_or(u64::MAX)))
            }
        };
        let job = ScheduledJob::of(job.unwrap_or_else(|| JobRequest::new("", "")));
        Self {
            name,
            cron,
            time_zone,
            every,
            start,
            end,
            limit,
            catch_up,
            job,
            paused,
            runs,
            last_run,
            next_run,
        }
    }
}

impl ScheduledJob {
    fn of(job: JobRequest) -> Self {
        let data = serde_json::from_slice(&job.data).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self { queue: job.queue, name: job.name, data: Some(data), opts: job.options }
    }
}

/// A schedule that is meant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleRef {
    /// Its name.
    #[schema(value_type = ScheduleText)]
    pub(super) name: String,
}
