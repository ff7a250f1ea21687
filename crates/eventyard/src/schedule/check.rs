//! What can be wrong with a schedule, field by field.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use eventyard_core::{JobOptions, QueueName, Timestamp, document::MAX_DOCUMENT_BYTES};

use super::{MAX_EVERY, MAX_NAME_BYTES, Schedule, When, cron::Cron, times::Times};
use crate::{FieldError, JobRequest, bus::Declared};

/// The most ticks that a schedule may be limited to: what every client can count.
const MAX_LIMIT: u64 = (1 << 53) - 1;
/// How much of a document is left to what is not the job's data.
const ROOM_BYTES: usize = 64 * 1024;

/// What is wrong with the schedules that an application declares.
pub(crate) fn problems(
    schedules: &[Schedule],
    queues: &BTreeMap<QueueName, Arc<Declared>>,
) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut problems = Vec::new();
    for schedule in schedules {
        let name = &schedule.name;
        if !names.insert(name) {
            problems.push(format!("schedule `{name}` is declared twice"));
        }
        let defaults = |queue: &str| queues.get(queue).map(|declared| &*declared.defaults);
        if let Err(FieldError { field, problem }) = check(schedule, defaults) {
            problems.push(format!("schedule `{name}`: `{field}` {problem}"));
        }
    }
    problems
}

/// Says the first thing that is wrong with a schedule. `defaults` are those of a declared queue.
pub(super) fn check<'a>(
    schedule: &Schedule,
    defaults: impl FnOnce(&str) -> Option<&'a JobOptions>,
) -> Result<(), FieldError> {
    let queue = schedule.job.as_ref().map(|job| job.queue.as_str());
    match queue.map(|queue| (queue, defaults(queue))) {
        Some((_, Some(defaults))) => schedule.validate(defaults),
        None => schedule.validate(&JobOptions::default()),
        Some((queue, None)) => {
            schedule.validate(&JobOptions::default())?;
            let problem =
                format!("is `{queue}`, which is not declared; declare it, or use one that is");
            Err(fault("job.queue", problem))
        }
    }
}

impl Schedule {
    /// Checks all but that its queue is declared. `defaults` are the options that jobs have on the queue.
    ///
    /// # Errors
    /// Names the first field that is wrong, the limit, and what to do.
    pub fn validate(&self, defaults: &JobOptions) -> Result<(), FieldError> {
        check_name(&self.name)?;
        let (cron, every) = match &self.when {
            When::Cron(pattern) => (Some(pattern.as_str()), None),
            When::Every(every) => (None, Some(*every)),
        };
        let times = times(cron, self.time_zone.as_deref(), every, Timestamp::default())?;
        if times.after(Timestamp::default()).is_none() {
            return Err(fault("cron", "never comes, such as 30 February; use dates that exist"));
        }
        if let (Some(start), Some(end)) = (self.start, self.end)
            && end < start
        {
            let problem = format!("is {end}, before start, {start}; use a later instant");
            return Err(fault("end", problem));
        }
        if self.limit == Some(0) {
            return Err(fault("limit", "is 0; use 1 or more, or leave it out"));
        }
        if self.limit.is_some_and(|limit| limit > MAX_LIMIT) {
            return Err(fault("limit", format!("is more than {MAX_LIMIT}; leave it out")));
        }
        match &self.job {
            Some(job) => check_job(job, defaults),
            None => Err(fault("job", "is missing; say what is to be added")),
        }
    }
}

/// When a schedule is due.
pub(super) fn times(
    cron: Option<&str>,
    time_zone: Option<&str>,
    every: Option<Duration>,
    anchor: Timestamp,
) -> Result<Times, FieldError> {
    match (cron, every) {
        (Some(pattern), None) => Ok(Times::Cron(Box::new(Cron::new(pattern, time_zone)?))),
        (None, Some(every)) => {
            if !(Duration::from_millis(1)..=MAX_EVERY).contains(&every) {
                let (ms, most) = (every.as_millis(), MAX_EVERY.as_millis());
                return Err(fault("every", format!("is {ms} ms; use 1 to {most}")));
            }
            if time_zone.is_some() {
                return Err(fault("timeZone", "belongs to `cron`; leave it out with `every`"));
            }
            Ok(Times::Every { every, anchor })
        }
        _ => Err(fault("cron", "or `every` is needed, and only one of them")),
    }
}

/// Checks the name: it becomes a part of ids and of paths.
fn check_name(name: &str) -> Result<(), FieldError> {
    if name.len() > MAX_NAME_BYTES {
        let problem = format!("has {} bytes; at most {MAX_NAME_BYTES} are allowed", name.len());
        return Err(fault("name", problem));
    }
    // What holds for the names of queues holds here.
    QueueName::new(name).map(drop).map_err(|error| fault("name", error.problem))
}

fn check_job(job: &JobRequest, defaults: &JobOptions) -> Result<(), FieldError> {
    crate::bus::check_name(&job.name).map_err(|error| fault("job.name", error.problem))?;
    let most = MAX_DOCUMENT_BYTES - ROOM_BYTES;
    if job.data.len() > most {
        let problem = format!("has {} bytes; at most {most} are allowed", job.data.len());
        return Err(fault("job.data", problem));
    }
    if job.options.job_id.is_some() {
        let problem = "is set by the schedule, for each of its times; leave it out";
        return Err(fault("job.opts.jobId", problem));
    }
    if job.options.run_at.is_some() {
        let problem = "is one instant, and a schedule has many; use opts.delay, or leave it out";
        return Err(fault("job.opts.runAt", problem));
    }
    job.options
        .clone()
        .or(defaults)
        .validate()
        .map_err(|error| fault(&format!("job.opts.{}", error.field), error.problem))
}

/// One thing that is wrong.
pub(super) fn fault(field: &str, problem: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secs;

    fn job() -> JobRequest {
        JobRequest::new("chores", "tidy")
    }

    #[track_caller]
    fn told(schedule: &Schedule, expected: Option<(&str, &str)>) {
        let defaults = JobOptions::default();
        let found = check(schedule, |queue| (queue == "chores").then_some(&defaults)).err();
        let found = found.map(|fault| (fault.field, fault.problem));
        match (&found, expected) {
            (None, None) => {}
            (Some((field, problem)), Some((expected, part)))
                if field == expected && problem.contains(part) => {}
            _ => panic!("{found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn what_is_wrong_names_its_field_the_limit_and_the_remedy() {
        let ts = Timestamp::from_millis;
        let every = |ms| Schedule::every("s", Duration::from_millis(ms)).job(job());
        let cron = |pattern: &str| Schedule::cron("s", pattern).job(job());
        told(&every(1), None);
        told(&every(0), Some(("every", "is 0 ms; use 1 to 9007199254740991")));
        told(&every(1 << 53), Some(("every", "use 1 to")));
        told(&every(5).time_zone("UTC"), Some(("timeZone", "belongs to `cron`")));
        for good in ["0 3 * * *", "*/10 0 3 * * MON-FRI", "@daily", "0 0 L * *", "0 0 * * 5#2"] {
            told(&cron(good), None);
        }
        for bad in ["", "* * * *", "0 0 3 * * * 2027", "61 * * * *", "0 24 * * *", "so * * * *"] {
            told(&cron(bad), Some(("cron", "0 3 * * *")));
        }
        told(&cron("0 0 30 2 *"), Some(("cron", "use dates that exist")));
        told(&cron("0 3 * * *").time_zone("Europe/Berln"), Some(("timeZone", "Europe/Berlin")));
        told(&every(5).start(ts(9)).end(ts(8)), Some(("end", "before start")));
        told(&every(5).start(ts(9)).end(ts(9)), None);
        told(&every(5).limit(0), Some(("limit", "use 1 or more")));
        told(&Schedule::every("s", secs(1)), Some(("job", "is missing")));
        told(&Schedule::every("", secs(1)).job(job()), Some(("name", "is empty")));
        told(&Schedule::every("a/b", secs(1)).job(job()), Some(("name", "use letters")));
        told(&Schedule::every("x".repeat(201), secs(1)).job(job()), Some(("name", "at most 200")));
    }

    #[test]
    fn what_is_wrong_with_the_job_is_told_too() {
        let with = |job| Schedule::every("s", secs(1)).job(job);
        told(&with(JobRequest::new("chroes", "tidy")), Some(("job.queue", "`chroes`")));
        told(&with(JobRequest::new("chores", " ")), Some(("job.name", "is empty")));
        told(&with(job().attempts(0)), Some(("job.opts.attempts", "use 1 to")));
        told(&with(job().delay(secs(5))), None);
        let id = eventyard_core::JobId::new("j").unwrap();
        told(&with(job().id(id)), Some(("job.opts.jobId", "leave it out")));
        let mut at = job();
        at.options.run_at = Some(Timestamp::from_millis(1));
        told(&with(at), Some(("job.opts.runAt", "use opts.delay")));
        let mut large = job();
        large.data = vec![b'1'; MAX_DOCUMENT_BYTES].into();
        told(&with(large), Some(("job.data", "at most")));
    }
}
