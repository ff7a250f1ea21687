//! Queues over HTTP.

mod clean;
mod keys;
mod limits;
mod stats;
mod steer;
mod view;

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use eventyard::{
    Error, Queue, Yard,
    model::{QueueName, inspect::QueueStatus},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{List, PathParams, Problem, ViewerOnly, request::QueuePath};
use view::QueueView;
pub(crate) use view::Stats;

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(show))
        .merge(stats::routes())
        .merge(steer::routes())
        .merge(clean::routes())
        .merge(limits::routes())
        .merge(keys::routes())
}

/// A queue as it is known: declared, stored, or both.
pub(crate) struct Known<'a> {
    pub(crate) declared: Option<&'a Queue>,
    pub(crate) status: QueueStatus,
}

/// Every queue, by name.
pub(crate) async fn all(yard: &Yard) -> Result<BTreeMap<QueueName, Known<'_>>, Problem> {
    let stored = yard.inspect().queues().await?;
    let stored = stored.into_iter().map(|(name, status)| (name, Known { declared: None, status }));
    let mut all: BTreeMap<_, _> = stored.collect();
    for (name, declared) in yard.declared_queues() {
        let known = all.entry(name.clone()).or_insert_with(|| Known {
            declared: None,
            status: QueueStatus {
                name: name.clone(),
                paused: false,
                counts: <_>::default(),
                limits: <_>::default(),
            },
        });
        known.declared = Some(declared);
    }
    Ok(all)
}

/// One queue as it is known.
pub(crate) async fn one<'a>(yard: &'a Yard, queue: &QueueName) -> Result<Known<'a>, Problem> {
    let known = all(yard).await?.remove(queue);
    known.ok_or_else(|| Error::NoSuchQueue(queue.to_string()).into())
}

/// Checks that a queue is known; one that is declared costs no look into the store.
pub(crate) async fn find(yard: &Yard, queue: &QueueName) -> Result<(), Problem> {
    if yard.declared_queues().any(|(name, _)| name == queue) {
        return Ok(());
    }
    one(yard, queue).await.map(drop)
}

/// List every queue
///
/// Those that are declared and those that the store knows, with their settings and counts.
#[utoipa::path(get, path = "/api/v1/queues", tag = "queues", operation_id = "listQueues",
    responses((status = 200, description = "Every queue, by name.", body = List<QueueView>)))]
async fn list(_: ViewerOnly, State(yard): State<Yard>) -> Result<Json<List<QueueView>>, Problem> {
    let all = all(&yard).await?;
    Ok(Json(List::whole(all.into_values().map(QueueView::of).collect())))
}

/// Show a queue
#[utoipa::path(get, path = "/api/v1/queues/{queue}", tag = "queues", operation_id = "getQueue",
    params(QueuePath),
    responses(
        (status = 200, description = "The queue with its settings and counts.", body = QueueView),
        (status = 404, description = "There is no such queue."),
    ))]
async fn show(
    _: ViewerOnly,
    State(yard): State<Yard>,
    PathParams(queue): PathParams<QueueName>,
) -> Result<Json<QueueView>, Problem> {
    Ok(Json(QueueView::of(one(&yard, &queue).await?)))
}
