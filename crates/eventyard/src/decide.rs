//! The decision at the end of an attempt, as a pure function.

use eventyard_core::{Job, Keep, Settlement, Timestamp};

use crate::{
    Outcome,
    outcome::{JobError, Next},
    queue::BackoffFn,
};

/// What becomes of `job` after the present attempt ended `now` with `ending`.
#[must_use]
pub fn settle(
    job: &Job,
    ending: Result<Outcome, JobError>,
    backoff_fn: Option<&BackoffFn>,
    now: Timestamp,
) -> Settlement {
    let options = &job.options;
    let error = match ending {
        Ok(Outcome::Done(result)) => {
            let keep = options.remove_on_complete.unwrap_or(Keep::FOREVER);
            return Settlement::Complete { result, keep };
        }
        Ok(Outcome::Snooze(wait)) => return Settlement::Snooze { at: now + wait },
        Ok(Outcome::AwaitChildren) => return Settlement::AwaitChildren,
        Err(error) => error,
    };
    let attempt = job.attempts_made + 1;
    let by_policy = || match backoff_fn {
        Some(wait) => wait(job, attempt),
        None => {
            Some(options.backoff.map_or(std::time::Duration::ZERO, |b| b.wait(&job.id, attempt)))
        }
    };
    let wait = match error.next {
        Next::Never => None,
        _ if attempt >= options.max_attempts() => None,
        Next::After(wait) => Some(wait),
        Next::Policy => by_policy(),
    };
    match wait {
        Some(wait) => Settlement::Retry { at: now + wait, failure: error.failure },
        None => {
            let keep = options.remove_on_fail.unwrap_or(Keep::FOREVER);
            Settlement::Fail { failure: error.failure, keep }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use eventyard_core::{Backoff, JobId, JobOptions, Payload, QueueName};

    use super::*;
    use crate::secs;

    fn job(attempts_made: u32) -> Job {
        let options = JobOptions {
            attempts: Some(3),
            backoff: Some(Backoff::exponential(secs(2))),
            ..JobOptions::default()
        };
        Job {
            queue: QueueName::new("q").unwrap(),
            id: JobId::new("j").unwrap(),
            name: "n".into(),
            payload: Payload::Data(bytes::Bytes::new()),
            options: Arc::new(options),
            created_at: Timestamp::default(),
            attempts_made,
            crashes: 0,
        }
    }

    /// The retry time in seconds, or what else happens.
    fn check(made: u32, ending: Result<Outcome, JobError>, expected: Result<i64, &str>) {
        let text = format!("{made} made, {ending:?}");
        let actual = match settle(&job(made), ending, None, Timestamp::from_millis(100_000)) {
            Settlement::Retry { at, .. } | Settlement::Snooze { at } => {
                Ok(at.as_millis() / 1000 - 100)
            }
            Settlement::Fail { .. } => Err("fail"),
            Settlement::Complete { .. } => Err("complete"),
            Settlement::Release => Err("release"),
            Settlement::AwaitChildren => Err("await children"),
        };
        assert_eq!(actual, expected, "{text}");
    }

    #[test]
    fn endings_become_settlements() {
        check(0, Ok(Outcome::Done(None)), Err("complete"));
        check(0, Ok(Outcome::Snooze(secs(9))), Ok(9));
        check(0, Ok(Outcome::AwaitChildren), Err("await children"));
        check(0, Err(JobError::retry("e")), Ok(2));
        check(1, Err(JobError::retry("e")), Ok(4));
        check(2, Err(JobError::retry("e")), Err("fail"));
        check(9, Err(JobError::retry("e")), Err("fail"));
        check(0, Err(JobError::retry_after(secs(7), "e")), Ok(7));
        check(2, Err(JobError::retry_after(secs(7), "e")), Err("fail"));
        check(0, Err(JobError::dead_letter("e")), Err("fail"));
        check(0, Err(JobError::cancel("e")), Err("fail"));
    }

    #[test]
    fn a_backoff_function_decides_by_itself() {
        let wait: BackoffFn = Arc::new(|_, attempt| (attempt == 1).then_some(secs(30)));
        let now = Timestamp::default();
        let settle = |made| settle(&job(made), Err(JobError::retry("e")), Some(&wait), now);
        assert!(matches!(settle(0), Settlement::Retry { at, .. } if at == now + secs(30)));
        assert!(matches!(settle(1), Settlement::Fail { .. }));
    }
}
