//! Removing jobs by state and age.

use std::time::Duration;

use axum::{Json, extract};
use eventyard::{
    Yard,
    model::{JobState, QueueName},
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{all, find, steer::Removed};
use crate::{
    AdminOnly, Code, OptionalJson, Problem,
    audit::{Actor, Deed},
    request::{MAX_SAFE, QueueText, check},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(clean))
}

/// Which jobs a cleaning removes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[schema(as = CleanQueues)]
struct Clean {
    /// One queue; every queue when left out.
    #[schema(value_type = Option<QueueText>)]
    queue: Option<QueueName>,
    /// The state that the jobs are in; `completed` unless said otherwise.
    #[schema(value_type = Option<Cleanable>)]
    state: Option<JobState>,
    /// Only jobs that have been in the state for at least this long, in milliseconds.
    #[schema(
        required = false,
        minimum = 0,
        maximum = 9_007_199_254_740_991_i64,
        default = 0,
        example = 86_400_000
    )]
    older_than_ms: u64,
    /// The most jobs to remove, the oldest first; all when left out.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 1000)]
    limit: Option<u64>,
}

/// A state in which jobs can be cleaned up: not one in which a worker has them.
#[derive(ToSchema)]
#[schema(as = CleanableState, rename_all = "kebab-case")]
#[expect(dead_code, reason = "only describes some of the engine's own")]
enum Cleanable {
    Waiting,
    Prioritized,
    Delayed,
    Completed,
    Failed,
    Paused,
    WaitingChildren,
}

/// Remove jobs by state and age
///
/// Without a body: every completed job of every queue.
#[utoipa::path(post, path = "/api/v1/queues/clean", tag = "queues", operation_id = "cleanQueues",
    request_body(content = Option<Clean>),
    responses(
        (status = 200, description = "They are removed.", body = Removed),
        (status = 404, description = "There is no such queue."),
    ))]
async fn clean(
    _: AdminOnly,
    extract::State(yard): extract::State<Yard>,
    actor: Actor,
    OptionalJson(clean): OptionalJson<Clean>,
) -> Result<Json<Removed>, Problem> {
    let Clean { queue, state, older_than_ms, limit } = clean;
    check("olderThanMs", older_than_ms, &(0..=MAX_SAFE))?;
    check("limit", limit.unwrap_or(0), &(0..=MAX_SAFE))?;
    let state = state.unwrap_or(JobState::Completed);
    if state == JobState::Active {
        let what = format!("is {state}; jobs in this state are not removed, cancel them");
        return Err(Problem::of(Code::INVALID_BODY, format!("`state` {what}")).field("state", what));
    }
    let how = json!({"state": state, "olderThanMs": older_than_ms, "limit": limit});
    let deed = Deed::new("queue.clean").any_queue(queue.as_ref()).details(how);
    let queues = match queue {
        Some(queue) => {
            find(&yard, &queue).await?;
            vec![queue]
        }
        None => all(&yard).await?.into_keys().collect(),
    };
    let older_than = Duration::from_millis(older_than_ms);
    let limit = limit.unwrap_or(u64::MAX);
    let begun = actor.begin(&yard, deed).await?;
    let mut removed = 0;
    for queue in queues {
        let rest = usize::try_from(limit - removed).unwrap_or(usize::MAX);
        removed += yard.clean(&queue, state, older_than, rest).await?;
    }
    begun.end(&yard, removed).await;
    tracing::info!(%state, removed, "jobs cleaned");
    Ok(Json(Removed { removed }))
}
