//! Counts alone.

use axum::{Json, extract::State};
use eventyard::{Yard, model::QueueName};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Known, all, one, view::Stats};
use crate::{Problem, QueryParams, ViewerOnly, request::QueueText};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(stats))
}

/// Which queues are counted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// One queue; every queue when left out.
    #[param(value_type = Option<QueueText>, inline)]
    queue: Option<QueueName>,
}

/// How many jobs of a queue are in each state.
#[derive(Debug, Serialize, ToSchema)]
struct QueueStats {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    stats: Stats,
}

/// The counts of one queue, or of all.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Stats)]
enum Answer {
    /// One was asked for.
    One(QueueStats),
    /// None was named.
    All {
        /// Every queue, by name.
        queues: Vec<QueueStats>,
    },
}

/// Count the jobs in each state
///
/// Of one queue with `queue`, else of every queue.
#[utoipa::path(get, path = "/api/v1/queues/stats", tag = "queues", operation_id = "getStats",
    params(Which),
    responses(
        (status = 200, description = "The counts.", body = Answer),
        (status = 404, description = "There is no such queue."),
    ))]
async fn stats(
    _: ViewerOnly,
    State(yard): State<Yard>,
    QueryParams(Which { queue }): QueryParams<Which>,
) -> Result<Json<Answer>, Problem> {
    Ok(Json(match queue {
        Some(queue) => Answer::One(of(one(&yard, &queue).await?)),
        None => Answer::All { queues: all(&yard).await?.into_values().map(of).collect() },
    }))
}

fn of(Known { status, .. }: Known<'_>) -> QueueStats {
    QueueStats { stats: Stats::from(&status.counts), queue: status.name }
}
