//! The event log.

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{Event, EventId, inspect::EventFilter},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::view::CloudEvent;
use crate::{
    Code, List, Paging, PathParams, Problem, QueryParams, ViewerOnly, listing, request::EventPath,
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(show))
}

/// Which events are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only this type.
    #[param(example = "booking.created")]
    r#type: Option<String>,
    /// Only events of this correlation: those that carry it, and the one whose id it is.
    correlation_id: Option<String>,
    /// The `next` of the page before; without it, the first page.
    after: Option<String>,
    /// The most items, 50 unless said otherwise.
    #[param(minimum = 1, maximum = 1000, example = 50)]
    limit: Option<usize>,
}

/// Read the event log
///
/// The newest event first.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", operation_id = "listEvents",
    params(Which),
    responses((status = 200, description = "A page of events.", body = List<CloudEvent>)))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    QueryParams(which): QueryParams<Which>,
) -> Result<Json<List<Event>>, Problem> {
    let Which { r#type: kind, correlation_id, after, limit } = which;
    let ask = Paging { limit, cursor: after }.ask()?;
    let given = ask.cursor.is_some();
    let page = yard.inspect().events(EventFilter { kind, correlation_id }, ask).await;
    Ok(Json(List::of(listing(page, "after", given)?, |event| event)))
}

/// Show an event
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "events", operation_id = "getEvent",
    params(EventPath),
    responses(
        (status = 200, description = "The event.", body = CloudEvent),
        (status = 404, description = "It is not in the log."),
    ))]
async fn show(
    _: ViewerOnly,
    State(yard): State<Yard>,
    PathParams(id): PathParams<EventId>,
) -> Result<Json<Event>, Problem> {
    find(&yard, &id).await.map(Json)
}

/// The event, or the problem that there is none.
pub(super) async fn find(yard: &Yard, id: &EventId) -> Result<Event, Problem> {
    let event = yard.inspect().event(id).await?;
    event.ok_or_else(|| {
        let detail = format!("there is no event {id} in the log; it may have been too old to keep");
        Problem::of(Code::NO_SUCH_EVENT, detail)
    })
}
