//! Pausing, resuming and emptying one queue.

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{QueueName, Write},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{find, one, view::QueueView};
use crate::{
    AdminOnly, OperatorOnly, OptionalJson, PathParams, Problem,
    audit::{Actor, Deed},
    request::QueuePath,
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default()
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(drain))
        .routes(routes!(obliterate))
}

/// Pause a queue
///
/// It hands out no more jobs; those that run end as usual. Pausing it again changes nothing.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/pause", tag = "queues", operation_id = "pauseQueue",
    params(QueuePath),
    responses(
        (status = 200, description = "It is paused.", body = QueueView),
        (status = 404, description = "There is no such queue."),
    ))]
async fn pause(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(queue): PathParams<QueueName>,
) -> Result<Json<QueueView>, Problem> {
    find(&yard, &queue).await?;
    let deed = Deed::new("queue.pause").queue(&queue);
    actor.commit(&yard, deed, [Write::Pause(queue.clone(), true)]).await?;
    Ok(Json(QueueView::of(one(&yard, &queue).await?)))
}

/// Resume a queue
///
/// It hands out jobs again. Resuming it again changes nothing.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/resume", tag = "queues", operation_id = "resumeQueue",
    params(QueuePath),
    responses(
        (status = 200, description = "It runs.", body = QueueView),
        (status = 404, description = "There is no such queue."),
    ))]
async fn resume(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(queue): PathParams<QueueName>,
) -> Result<Json<QueueView>, Problem> {
    find(&yard, &queue).await?;
    let deed = Deed::new("queue.resume").queue(&queue);
    actor.commit(&yard, deed, [Write::Pause(queue.clone(), false)]).await?;
    Ok(Json(QueueView::of(one(&yard, &queue).await?)))
}

/// Which jobs a drain removes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = DrainQueue)]
struct Drain {
    /// Whether the delayed jobs go too.
    #[schema(required = false, default = false)]
    delayed: bool,
}

/// How many jobs were removed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RemovedJobs)]
pub(super) struct Removed {
    /// Their number.
    #[schema(example = 12)]
    pub(super) removed: u64,
}

/// Remove the jobs that wait
///
/// Those that run, the finished ones and, unless said otherwise, the delayed ones stay.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/drain", tag = "queues", operation_id = "drainQueue",
    params(QueuePath),
    request_body(content = Option<Drain>),
    responses(
        (status = 200, description = "They are removed.", body = Removed),
        (status = 404, description = "There is no such queue."),
    ))]
async fn drain(
    _: AdminOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(queue): PathParams<QueueName>,
    OptionalJson(Drain { delayed }): OptionalJson<Drain>,
) -> Result<Json<Removed>, Problem> {
    find(&yard, &queue).await?;
    let deed = Deed::new("queue.drain").queue(&queue).details(json!({"delayed": delayed}));
    let begun = actor.begin(&yard, deed).await?;
    let removed = yard.drain(&queue, delayed).await?;
    begun.end(&yard, removed).await;
    tracing::info!(%queue, removed, "queue drained");
    Ok(Json(Removed { removed }))
}

/// Remove a queue with all its jobs
///
/// It is paused first. While jobs run it cannot be removed: wait for them to end and ask again. A declared queue
/// stays declared, and is empty then.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/obliterate", tag = "queues", operation_id = "obliterateQueue",
    params(QueuePath),
    responses(
        (status = 200, description = "It is removed.", body = Removed),
        (status = 404, description = "There is no such queue."),
        (status = 409, description = "Jobs of it are running; it stays paused."),
    ))]
async fn obliterate(
    _: AdminOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(queue): PathParams<QueueName>,
) -> Result<Json<Removed>, Problem> {
    find(&yard, &queue).await?;
    let begun = actor.begin(&yard, Deed::new("queue.obliterate").queue(&queue)).await?;
    let removed = yard.obliterate(&queue).await?;
    begun.end(&yard, removed).await;
    tracing::info!(%queue, removed, "queue obliterated");
    Ok(Json(Removed { removed }))
}
