//! The event log.

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{Event, EventId, inspect::EventFilter},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{search::Search, view::CloudEvent};
use crate::{
    Code, List, Masks, Paging, PathParams, Problem, QueryParams, ViewerOnly, job::Instant, listing,
    request::EventPath, scan::scan,
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(show))
}

/// Which events are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only this type; or, with `*` for one part and `#` for any number of them, these types.
    #[param(example = "booking.created")]
    r#type: Option<String>,
    /// Only events of this correlation: those that carry it, and the one whose id it is.
    correlation_id: Option<String>,
    /// Only events that hold this text in their id, type, source, subject or data, without regard to case.
    #[param(example = "ada@example.com")]
    text: Option<String>,
    /// Only events that happened at this instant or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Instant>,
    /// Only events that happened before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
    /// The `next` of the page before; without it, the first page.
    after: Option<String>,
    /// The most items, 50 unless said otherwise.
    #[param(minimum = 1, maximum = 1000, example = 50)]
    limit: Option<usize>,
}

/// Read the event log
///
/// The newest event first. A listing by text, time or a pattern looks at some thousand events a page: a page may hold fewer
/// than asked for, or none, although more follow; `next` tells.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", operation_id = "listEvents",
    params(Which),
    responses((status = 200, description = "A page of events.", body = List<CloudEvent>)))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    masks: Masks,
    QueryParams(which): QueryParams<Which>,
) -> Result<Json<List<Event>>, Problem> {
    let Which { r#type: kind, correlation_id, text, from, to, after, limit } = which;
    let ask = Paging { limit, cursor: after }.ask()?;
    let given = ask.cursor.is_some();
    let search = Search::new(kind, text, from, to);
    let of = EventFilter { kind: search.exact_kind(), correlation_id };
    let read = |ask| yard.inspect().events(of.clone(), ask);
    let page = if search.is_exact() {
        read(ask).await
    } else {
        scan(ask, read, |event| search.wants(event)).await
    };
    Ok(Json(List::of(listing(page, "after", given)?, |event| masks.event(event))))
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
    masks: Masks,
    PathParams(id): PathParams<EventId>,
) -> Result<Json<Event>, Problem> {
    find(&yard, &id).await.map(|event| Json(masks.event(event)))
}

/// The event, or the problem that there is none.
pub(super) async fn find(yard: &Yard, id: &EventId) -> Result<Event, Problem> {
    let event = yard.inspect().event(id).await?;
    event.ok_or_else(|| {
        let detail = format!("there is no event {id} in the log; it may have been too old to keep");
        Problem::of(Code::NO_SUCH_EVENT, detail)
    })
}
