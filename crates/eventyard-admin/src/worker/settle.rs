//! Ending an attempt.

use std::time::Duration;

use axum::{Json, extract::State};
use eventyard::{
    JobError, Outcome, Yard,
    model::{FailureKind, Settlement, Timestamp},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::token;
use crate::{
    Code, JsonBody, OperatorOnly, OptionalJson, PathParams, Problem,
    request::{LeasePath, MAX_SAFE, check},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(complete)).routes(routes!(fail))
}

/// What became of the job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SettledJob)]
struct Settled {
    outcome: Ending,
    /// When it runs again, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    retry_at: Option<Timestamp>,
}

/// What became of the job: it is done, it runs again, or it is a dead letter.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SettleOutcome)]
enum Ending {
    Completed,
    Retry,
    Failed,
}

impl Settled {
    fn of(settlement: &Settlement) -> Self {
        let (outcome, retry_at) = match settlement {
            Settlement::Complete { .. } => (Ending::Completed, None),
            Settlement::Retry { at, .. } | Settlement::Snooze { at } => (Ending::Retry, Some(*at)),
            Settlement::Release | Settlement::AwaitChildren => (Ending::Retry, None),
            Settlement::Fail { .. } => (Ending::Failed, None),
        };
        Self { outcome, retry_at }
    }
}

/// What a job came to.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompleteJob, example = json!({"result": {"messageId": "m-1"}}))]
struct Complete {
    /// What is kept with the job.
    #[schema(value_type = Option<Value>)]
    result: Option<Box<RawValue>>,
}

/// Complete a job
#[utoipa::path(post, path = "/api/v1/leases/{token}/complete", tag = "workers", operation_id = "completeJob",
    params(LeasePath),
    request_body(content = Option<Complete>),
    responses(
        (status = 200, description = "It is done.", body = Settled),
        (status = 404, description = "The lease does not hold."),
        (status = 409, description = "The lease has just passed to another worker."),
    ))]
async fn complete(
    _: OperatorOnly,
    State(yard): State<Yard>,
    path: PathParams<String>,
    OptionalJson(Complete { result }): OptionalJson<Complete>,
) -> Result<Json<Settled>, Problem> {
    let token = token(path)?;
    let result = result.map(|result| {
        let text: Box<str> = result.into();
        text.into_string().into()
    });
    let settlement = yard.settle(token, Ok(Outcome::Done(result))).await?;
    Ok(Json(Settled::of(&settlement)))
}

/// Why an attempt failed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = FailJob, example = json!({
    "error": "the mail server refused the connection", "kind": "error"
}))]
struct Fail {
    /// The error, for a person to read; what is beyond 16 KiB is cut.
    #[schema(example = "the mail server refused the connection")]
    error: String,
    #[serde(default)]
    kind: Kind,
    /// The chain of causes or the stack, one per line; what is beyond 16 KiB is cut.
    stack: Option<String>,
    /// Runs again after this long, in milliseconds, whatever the job's policy says. Not together with `deadLetter`.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    retry_in_ms: Option<u64>,
    /// No retry can mend it: the job becomes a dead letter at once.
    #[serde(default)]
    #[schema(default = false)]
    dead_letter: bool,
}

/// What ended the attempt. After `payload`, `rejected` and `cancelled` the job becomes a dead letter at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = FailKind)]
enum Kind {
    #[default]
    Error,
    Timeout,
    Panic,
    Payload,
    Rejected,
    Cancelled,
}

impl Kind {
    fn failure(self) -> FailureKind {
        match self {
            Self::Error => FailureKind::Error,
            Self::Timeout => FailureKind::Timeout,
            Self::Panic => FailureKind::Panic,
            Self::Payload => FailureKind::Payload,
            Self::Rejected => FailureKind::Rejected,
            Self::Cancelled => FailureKind::Cancelled,
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Payload | Self::Rejected | Self::Cancelled)
    }
}

impl Fail {
    fn into_error(self) -> Result<JobError, Problem> {
        let Self { error, kind, stack, retry_in_ms, dead_letter } = self;
        check("retryInMs", retry_in_ms.unwrap_or(0), &(0..=MAX_SAFE))?;
        let is_final = dead_letter || kind.is_final();
        let job_error = match retry_in_ms {
            Some(_) if is_final => {
                let what = "is given, but the job is to become a dead letter; use one of them";
                let problem = Problem::of(Code::INVALID_BODY, format!("`retryInMs` {what}"));
                return Err(problem.field("retryInMs", what));
            }
            Some(ms) => JobError::retry_after(Duration::from_millis(ms), error),
            None if is_final => JobError::dead_letter(error),
            None => JobError::retry(error),
        };
        // A dead letter of the worker's own wish says so, unless it knows better.
        let kind = match kind {
            Kind::Error if is_final => FailureKind::Rejected,
            kind => kind.failure(),
        };
        let job_error = job_error.kind(kind);
        Ok(match stack {
            Some(stack) => job_error.stack(stack),
            None => job_error,
        })
    }
}

/// Fail an attempt
///
/// The job is retried by its policy, and becomes a dead letter when its attempts are used up.
#[utoipa::path(post, path = "/api/v1/leases/{token}/fail", tag = "workers", operation_id = "failJob",
    params(LeasePath),
    request_body = Fail,
    responses(
        (status = 200, description = "What became of the job.", body = Settled),
        (status = 404, description = "The lease does not hold."),
        (status = 409, description = "The lease has just passed to another worker."),
    ))]
async fn fail(
    _: OperatorOnly,
    State(yard): State<Yard>,
    path: PathParams<String>,
    JsonBody(failure): JsonBody<Fail>,
) -> Result<Json<Settled>, Problem> {
    let token = token(path)?;
    let settlement = yard.settle(token, Err(failure.into_error()?)).await?;
    Ok(Json(Settled::of(&settlement)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_become_errors_of_the_job() {
        let check = |json: &str, kind: Result<FailureKind, &str>| {
            let fail: Fail = serde_json::from_str(json).unwrap();
            let actual = fail
                .into_error()
                .map(|error| error.failure().kind)
                .map_err(|problem| problem.errors()[0].field.clone());
            assert_eq!(
                actual.as_ref().map_err(String::as_str),
                kind.as_ref().map_err(|f| *f),
                "{json}"
            );
        };
        check(r#"{"error":"e"}"#, Ok(FailureKind::Error));
        check(r#"{"error":"e","kind":"timeout","retryInMs":5}"#, Ok(FailureKind::Timeout));
        check(r#"{"error":"e","deadLetter":true}"#, Ok(FailureKind::Rejected));
        check(r#"{"error":"e","kind":"payload"}"#, Ok(FailureKind::Payload));
        check(r#"{"error":"e","kind":"timeout","deadLetter":true}"#, Ok(FailureKind::Timeout));
        check(r#"{"error":"e","retryInMs":5,"deadLetter":true}"#, Err("retryInMs"));
        check(r#"{"error":"e","retryInMs":5,"kind":"cancelled"}"#, Err("retryInMs"));
    }
}
