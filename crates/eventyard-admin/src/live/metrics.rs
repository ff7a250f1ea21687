//! What the queues did in the last hour.

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    meter::{Reading, Spread},
    model::{QueueName, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Live,
    heads::Head,
    history::{History, Latency},
    standing::{Rates, Totals},
};
use crate::{List, Problem, QueryParams, ViewerOnly, queue, request::QueueText};

/// Over how many minutes latencies are told, the present one included.
const LATENCY_MINUTES: usize = 15;

pub(super) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(metrics))
}

/// Which queues are told of.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// One queue, with the times of each minute; every queue when left out.
    #[param(value_type = Option<QueueText>, inline)]
    queue: Option<QueueName>,
}

/// What a queue did lately.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QueueMetrics)]
struct Metrics {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    per_second: Rates,
    total: Totals,
    /// How long first attempts were waited for in the last quarter of an hour.
    wait_ms: Latency,
    /// How long attempts ran in the last quarter of an hour.
    run_ms: Latency,
    /// Since when the next job could have run; null when none waits.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    oldest_waiting_since: Option<Timestamp>,
    /// Who has jobs of it.
    #[schema(example = json!(["worker-7"]))]
    workers: Vec<String>,
    history: History,
}

impl Metrics {
    fn of(
        queue: &QueueName,
        reading: &Reading,
        head: &Head,
        now: Timestamp,
        detailed: bool,
    ) -> Self {
        let (mut wait, mut run) = (Spread::default(), Spread::default());
        let begin = now.as_millis() - LATENCY_MINUTES as i64 * 60_000;
        for (_, minute) in reading.minutes.iter().filter(|(at, _)| at.as_millis() > begin) {
            wait.merge(&minute.wait);
            run.merge(&minute.run);
        }
        Self {
            queue: queue.clone(),
            per_second: Rates::of(reading),
            total: Totals::of(reading),
            wait_ms: Latency::of(&wait),
            run_ms: Latency::of(&run),
            oldest_waiting_since: head.oldest,
            workers: head.workers.clone(),
            history: History::of(reading, now, detailed),
        }
    }
}

/// Measure the queues
///
/// Throughput, latency and failures of the last hour, minute by minute, what has waited longest, and who works. It is
/// measured by this process alone, since it began: what others on the same store add and work on is not in it.
#[utoipa::path(get, path = "/api/v1/queues/metrics", tag = "queues", operation_id = "getMetrics",
    params(Which),
    responses(
        (status = 200, description = "One item for each queue, by name.", body = List<Metrics>),
        (status = 404, description = "There is no such queue."),
    ))]
async fn metrics(
    _: ViewerOnly,
    State(yard): State<Yard>,
    live: Live,
    QueryParams(Which { queue }): QueryParams<Which>,
) -> Result<Json<List<Metrics>>, Problem> {
    if let Some(queue) = &queue {
        queue::find(&yard, queue).await?;
    }
    let (heads, now) = (live.heads(&yard).await?, yard.clock().now());
    let detailed = queue.is_some();
    let asked = heads.iter().filter(|(name, _)| queue.as_ref().is_none_or(|only| only == *name));
    let items = asked.map(|(name, head)| {
        let reading = yard.lately(name).unwrap_or_default();
        Metrics::of(name, &reading, head, now, detailed)
    });
    Ok(Json(List::whole(items.collect())))
}
