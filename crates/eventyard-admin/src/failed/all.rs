//! Retrying many dead letters at once.

use axum::{Json, extract::State};
use eventyard::{
    Error, Yard,
    model::{Commit, CommitError, JobKey, JobState, PageAsk, QueueName, Write, inspect::MAX_PAGE},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    OperatorOnly, OptionalJson, Problem,
    audit::{Actor, Deed},
    queue,
    request::{MAX_SAFE, QueueText, check},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(retry_all))
}

/// Which dead letters are retried.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RetryAllFailed)]
struct RetryAll {
    /// One queue; every queue when left out.
    #[schema(value_type = Option<QueueText>)]
    queue: Option<QueueName>,
    /// The most jobs to retry, the newest first; all when left out.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 1000)]
    limit: Option<u64>,
}

/// How many dead letters were retried.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetriedFailed)]
struct Retried {
    /// Their number.
    #[schema(example = 12)]
    retried: u64,
}

/// Retry all dead letters
///
/// Of one queue, or of every queue. A job that fails again in the meantime is not retried twice. If the request breaks
/// off, what was retried until then stays so.
#[utoipa::path(post, path = "/api/v1/queues/failed/retry", tag = "failed", operation_id = "retryAllFailed",
    request_body(content = Option<RetryAll>),
    responses(
        (status = 200, description = "They wait again.", body = Retried),
        (status = 404, description = "There is no such queue."),
    ))]
async fn retry_all(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    OptionalJson(RetryAll { queue, limit }): OptionalJson<RetryAll>,
) -> Result<Json<Retried>, Problem> {
    check("limit", limit.unwrap_or(0), &(0..=MAX_SAFE))?;
    if let Some(queue) = &queue {
        queue::find(&yard, queue).await?;
    }
    let deed = Deed::new("failed.retry").any_queue(queue.as_ref());
    let begun = actor.begin(&yard, deed.details(json!({"limit": limit}))).await?;
    let limit = limit.unwrap_or(u64::MAX);
    let mut retried = 0;
    let mut cursor = None;
    while retried < limit {
        let size = usize::try_from(limit - retried).unwrap_or(MAX_PAGE).min(MAX_PAGE);
        // The listing goes from the newest to the oldest: what fails again now is behind us.
        let ask = PageAsk { limit: size, cursor };
        let page = yard.inspect().jobs(queue.as_ref(), JobState::Failed, ask).await?;
        let keys: Vec<_> = page.items.iter().map(|status| status.job.key()).collect();
        retried += retry(&yard, keys).await?;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    begun.end(&yard, retried).await;
    tracing::info!(retried, "dead letters retried");
    Ok(Json(Retried { retried }))
}

/// Retries these jobs in one commit; one by one if somebody else has retried or removed some of them meanwhile.
pub(crate) async fn retry(yard: &Yard, keys: Vec<JobKey>) -> Result<u64, Error> {
    match yard.commit(Commit::of(keys.iter().cloned().map(Write::Retry))).await {
        Ok(_) => return Ok(keys.len() as u64),
        Err(error) if is_gone(&error) => {}
        Err(error) => return Err(error),
    }
    let mut retried = 0;
    for key in keys {
        match yard.retry(key).await {
            Ok(()) => retried += 1,
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(retried)
}

/// Whether the job is no dead letter any more.
fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Commit(CommitError::NoSuchJob(_) | CommitError::WrongState { .. }))
}
