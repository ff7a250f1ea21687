//! Mock events: trying out the notifications without the services that publish the real ones.

use axum::{Json, extract::State, http::StatusCode};
use eventyard::{
    Envelope, Published, Yard,
    model::{Enqueued, EventId, JobId, QueueName},
};
use eventyard_admin::{
    Code, OpenApiRouter, OperatorOnly, OptionalJson, PathParams, Problem, routes,
    utoipa::{self, ToSchema},
};
use eventyard_notify::event::{Mock, mock};
use serde::Serialize;
use serde_json::{Map, Value};

use super::refusal::no_such_mock_event;

pub(super) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::new().routes(routes!(publish))
}

/// What publishing a mock event did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublishedMockEvent)]
struct Queued {
    /// The event's id.
    #[schema(value_type = String)]
    event_id: EventId,
    /// `Event queued`, or that no route takes the event.
    message: &'static str,
    /// The jobs made of it.
    jobs: Vec<QueuedJob>,
}

/// A job made of a mock event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MockEventJob)]
struct QueuedJob {
    /// The queue.
    #[schema(value_type = String)]
    queue: QueueName,
    /// The job's id: the event's.
    #[schema(value_type = String)]
    job_id: JobId,
    /// True when a job with this id existed and nothing was changed.
    duplicate: bool,
}

impl Queued {
    fn of(published: Published) -> Self {
        let message = if published.is_unrouted() {
            "Event kept in the log; no route takes it"
        } else {
            "Event queued"
        };
        let job = |Enqueued { queue, id, duplicate }| QueuedJob { queue, job_id: id, duplicate };
        Self {
            event_id: published.event,
            message,
            jobs: published.jobs.into_iter().map(job).collect(),
        }
    }
}

/// Publish a mock event
///
/// The body goes over the sample data, field by field; `null` takes a field away. Without a body, the sample is
/// published as it is. The events are `booking-created`, `booking-confirmed`, `booking-cancelled`,
/// `booking-reminder`, `payment-received` and `payment-failed`.
#[utoipa::path(post, path = "/mock-events/{event}", tag = "mock events", operation_id = "publishMockEvent",
    params(("event" = String, Path, example = "booking-created")),
    request_body(content = Option<Object>, example = json!({"userId": "u-7", "userName": "Grace"})),
    responses(
        (status = 202, description = "It is in the log and on its queues, durably.", body = Queued),
        (status = 404, description = "There is no such mock event."),
    ))]
async fn publish(
    _: OperatorOnly,
    State(yard): State<Yard>,
    PathParams(event): PathParams<String>,
    OptionalJson(overrides): OptionalJson<Map<String, Value>>,
) -> Result<(StatusCode, Json<Queued>), Problem> {
    let now = yard.clock().now();
    let Mock { kind, data } =
        mock(&event, overrides, now).map_err(|error| no_such_mock_event(&error))?;
    let data = serde_json::to_vec(&data).map_err(|error| {
        Problem::of(Code::ENCODE, format!("the mock event cannot be written: {error}"))
    })?;
    let published = yard.publish(Envelope::new(kind, yard.source(), now, data)).await?;
    Ok((StatusCode::ACCEPTED, Json(Queued::of(published))))
}
