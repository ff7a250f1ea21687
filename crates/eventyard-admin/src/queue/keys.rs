//! The keys of a queue: what its jobs have in common with some of the others.

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{GroupKey, QueueName, Write, inspect::KeyStatus},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::find;
use crate::{
    List, OperatorOnly, Paging, PathParams, Problem, QueryParams, ViewerOnly,
    audit::{Actor, Deed},
    listing,
    request::{KeyPath, KeyText, QueuePath, QueueText},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(pause)).routes(routes!(resume))
}

/// A key of a queue as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueKey)]
struct KeyView {
    /// The key.
    #[schema(value_type = KeyText)]
    key: GroupKey,
    /// How many of its jobs could run.
    #[schema(example = 12)]
    waiting: u64,
    /// How many of its jobs are active.
    #[schema(example = 1)]
    active: u64,
    /// Whether its jobs are not handed out.
    paused: bool,
}

impl KeyView {
    fn of(KeyStatus { key, waiting, active, paused }: KeyStatus) -> Self {
        Self { key, waiting, active, paused }
    }
}

/// List the keys of a queue
///
/// Those that have waiting or active jobs, or are paused, by key.
#[utoipa::path(get, path = "/api/v1/queues/{queue}/keys", tag = "queues", operation_id = "listKeys",
    params(QueuePath, Paging),
    responses(
        (status = 200, description = "A page of keys.", body = List<KeyView>),
        (status = 404, description = "There is no such queue."),
    ))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    PathParams(queue): PathParams<QueueName>,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<List<KeyView>>, Problem> {
    let ask = paging.ask()?;
    let given = ask.cursor.is_some();
    find(&yard, &queue).await?;
    let page = listing(yard.inspect().keys(&queue, ask).await, "cursor", given)?;
    Ok(Json(List::of(page, KeyView::of)))
}

/// Whether the jobs of a key are handed out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SteeredKey)]
struct Steered {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// The key.
    #[schema(value_type = KeyText)]
    key: GroupKey,
    /// Whether its jobs are not handed out.
    paused: bool,
}

/// Pause a key of a queue
///
/// Its jobs are handed out no more; those that run end as usual. Other keys go on. Pausing it again changes nothing.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/keys/{key}/pause", tag = "queues", operation_id = "pauseKey",
    params(KeyPath),
    responses(
        (status = 200, description = "It is paused.", body = Steered),
        (status = 404, description = "There is no such queue."),
    ))]
async fn pause(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams((queue, key)): PathParams<(QueueName, GroupKey)>,
) -> Result<Json<Steered>, Problem> {
    find(&yard, &queue).await?;
    let deed = Deed::new("key.pause").queue(&queue).details(json!({"key": key.as_str()}));
    let write = Write::PauseKey(queue.clone(), key.clone(), true);
    actor.commit(&yard, deed, [write]).await?;
    Ok(Json(Steered { queue, key, paused: true }))
}

/// Resume a key of a queue
///
/// Its jobs are handed out again. Resuming it again changes nothing.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/keys/{key}/resume", tag = "queues", operation_id = "resumeKey",
    params(KeyPath),
    responses(
        (status = 200, description = "It runs.", body = Steered),
        (status = 404, description = "There is no such queue."),
    ))]
async fn resume(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams((queue, key)): PathParams<(QueueName, GroupKey)>,
) -> Result<Json<Steered>, Problem> {
    find(&yard, &queue).await?;
    let deed = Deed::new("key.resume").queue(&queue).details(json!({"key": key.as_str()}));
    let write = Write::PauseKey(queue.clone(), key.clone(), false);
    actor.commit(&yard, deed, [write]).await?;
    Ok(Json(Steered { queue, key, paused: false }))
}
