//! The engine's errors as problems.

use std::time::Duration;

use eventyard::{
    Error,
    model::{StoreErrorKind, event::DecodeError},
};

use super::{Code, Problem};

/// When a store that does not answer is worth another try.
const RETRY_SOON: Duration = Duration::from_secs(1);
/// When a store without space is worth another try: somebody has to make some.
const RETRY_LATER: Duration = Duration::from_secs(30);
/// When a full queue is worth another try: its workers have to get on.
const RETRY_FULL: Duration = Duration::from_secs(5);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Decode(decode) => return of_decode(decode),
            error => Code::named(error.code()).unwrap_or(Code::INTERNAL),
        };
        if code.status().is_server_error() {
            tracing::error!(code = code.name, error = chain(&error), "a request failed");
        }
        let problem = Self::of(code, error.to_string());
        match error {
            Error::InvalidEvent { fields, .. } => fields
                .into_iter()
                .fold(problem, |problem, fault| problem.field(fault.field, fault.problem)),
            Error::InvalidJob(fault)
            | Error::InvalidLimits(fault)
            | Error::InvalidStep(fault)
            | Error::InvalidSchedule(fault) => problem.field(fault.field, fault.problem),
            Error::QueueFull { .. } => problem.retry_after(RETRY_FULL),
            Error::Store(error) => match error.kind() {
                StoreErrorKind::Unavailable => problem.retry_after(RETRY_SOON),
                StoreErrorKind::Full => problem.retry_after(RETRY_LATER),
                _ => problem,
            },
            _ => problem,
        }
    }
}

impl From<eventyard::model::StoreError> for Problem {
    fn from(error: eventyard::model::StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Self {
        of_decode(&error)
    }
}

fn of_decode(error: &DecodeError) -> Problem {
    if is_syntax(error) {
        return Problem::of(Code::MALFORMED_JSON, error.to_string());
    }
    let problem = Problem::of(Code::MALFORMED_EVENT, error.to_string());
    match error.field() {
        Some(field) => problem.field(field, what(error)),
        None => problem,
    }
}

/// Whether the text itself is at fault, not what it says.
fn is_syntax(error: &DecodeError) -> bool {
    matches!(error, DecodeError::NotJson(_))
}

/// What is wrong with the field, without the field.
fn what(error: &DecodeError) -> String {
    match error {
        DecodeError::Missing(_) => "is missing".to_owned(),
        DecodeError::Invalid { problem, .. } => problem.clone(),
        DecodeError::NotJson(_) => "is not an object".to_owned(),
        DecodeError::InBatch { error, .. } => what(error),
    }
}

/// The error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use eventyard::{
        FieldError,
        model::{
            CommitError, EventId, JobId, JobKey, JobState, QueueName, StoreError,
            event::{Defaults, batch_from_json, from_json},
        },
    };

    use super::*;

    fn key() -> JobKey {
        JobKey { queue: QueueName::new("q").unwrap(), id: JobId::new("j").unwrap() }
    }

    fn check(error: impl Into<Error>, status: u16, code: &str, field: Option<&str>) {
        let problem = Problem::from(error.into());
        let actual = (
            problem.status().as_u16(),
            problem.code(),
            problem.errors().first().map(|error| error.field.as_str()),
        );
        assert_eq!(actual, (status, code, field), "{problem:?}");
    }

    #[test]
    fn errors_of_the_engine() {
        let fault = FieldError { field: "data.id".to_owned(), problem: "is missing".to_owned() };
        let invalid = Error::InvalidEvent { kind: "t".to_owned(), fields: vec![fault.clone()] };
        check(invalid, 422, "invalid-event", Some("data.id"));
        check(Error::InvalidJob(fault.clone()), 422, "invalid-job", Some("data.id"));
        check(Error::InvalidStep(fault.clone()), 422, "invalid-step", Some("data.id"));
        check(Error::InvalidSchedule(fault), 422, "invalid-schedule", Some("data.id"));
        check(Error::NoSuchSchedule("s".to_owned()), 404, "no-such-schedule", None);
        let fault = FieldError { field: "limits.rate".to_owned(), problem: "is odd".to_owned() };
        check(Error::InvalidLimits(fault), 422, "invalid-limits", Some("limits.rate"));
        check(Error::QueueFull { queue: key().queue, limit: 5 }, 429, "queue-full", None);
        check(Error::Unrouted { kind: "t".to_owned() }, 422, "unrouted-event", None);
        check(Error::NoSuchQueue("q".to_owned()), 404, "no-such-queue", None);
        check(Error::NoSuchLease("t".to_owned()), 404, "no-such-lease", None);
        check(Error::Setup(vec![]), 500, "setup", None);
        check(Error::StoreUrl(String::new()), 500, "store-url", None);
        let source = serde_json::from_str::<u8>("x").unwrap_err();
        check(Error::Encode { what: "it".to_owned(), source }, 500, "encode", None);
    }

    #[test]
    fn refused_commits() {
        check(CommitError::NoSuchJob(key()), 404, "no-such-job", None);
        check(CommitError::StaleLease { job: key(), attempt: 1 }, 409, "stale-lease", None);
        let wrong =
            CommitError::WrongState { job: key(), state: JobState::Active, allowed: "inactive" };
        check(wrong, 409, "wrong-state", None);
        let conflict = CommitError::VersionConflict {
            collection: "c".to_owned(),
            key: "k".to_owned(),
            expected: 1,
            actual: 2,
        };
        check(conflict, 409, "version-conflict", None);
        check(CommitError::QueueFull { queue: key().queue, limit: 5 }, 429, "queue-full", None);
        check(CommitError::ReservedId(key()), 422, "invalid-job", Some("jobId"));
        let orphan = CommitError::NoSuchParent { child: key(), parent: key() };
        check(orphan, 409, "no-such-parent", None);
        let stranger = CommitError::NotItsChild { child: key(), parent: key() };
        check(stranger, 409, "not-its-child", None);
        let too_many = CommitError::TooManySteps { job: key(), limit: 1000 };
        check(too_many, 409, "too-many-steps", None);
        check(CommitError::QueueNotEmpty(key().queue), 409, "queue-not-empty", None);
        check(CommitError::Malformed("x"), 500, "malformed-commit", None);
    }

    #[test]
    fn stores_that_fail() {
        for (kind, status, code) in [
            (StoreErrorKind::Unavailable, 503, "store-unavailable"),
            (StoreErrorKind::Full, 503, "store-full"),
            (StoreErrorKind::Closed, 503, "store-closed"),
            (StoreErrorKind::Locked, 503, "store-locked"),
            (StoreErrorKind::Corrupt, 500, "store-corrupt"),
            (StoreErrorKind::Unsupported, 501, "store-unsupported"),
        ] {
            check(StoreError::new(kind, "m"), status, code, None);
        }
    }

    #[test]
    fn events_that_cannot_be_read() {
        let defaults = || Defaults { source: "s", now: eventyard::model::Timestamp::default() };
        let read = |json: &str| from_json(json.as_bytes(), defaults()).unwrap_err();
        check(read("{"), 400, "malformed-json", None);
        check(read("{}"), 422, "malformed-event", Some("name"));
        check(read(r#"{"name":""}"#), 422, "malformed-event", Some("name"));
        let read = |json: &str| batch_from_json(json.as_bytes(), defaults()).unwrap_err();
        check(read(r#"[{"name":"a"},{}]"#), 422, "malformed-event", Some("[1].name"));
        check(read("[1]"), 422, "malformed-event", Some("[0]"));
        assert!(EventId::new("").is_err());
    }
}
