//! Schedules over HTTP.

mod steer;
mod view;

use axum::{Json, extract::State};
use eventyard::{Error, Yard};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    AdminOnly, JsonBody, List, Masks, OperatorOnly, Paging, PathParams, Problem, QueryParams,
    ViewerOnly,
    audit::{Actor, Deed},
    listing,
    request::SchedulePath,
};
use view::{NewSchedule, ScheduleRef, ScheduleView};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(show, set, remove))
        .merge(steer::routes())
}

/// The name in a path. What is no name is the name of no schedule.
type NameInPath = PathParams<String>;

/// List schedules
///
/// By name, a page at a time, each with its last and its next run.
#[utoipa::path(get, path = "/api/v1/schedules", tag = "schedules", operation_id = "listSchedules",
    params(Paging),
    responses((status = 200, description = "A page of schedules.", body = List<ScheduleView>)))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    masks: Masks,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<List<ScheduleView>>, Problem> {
    let ask = paging.ask()?;
    let has_cursor = ask.cursor.is_some();
    let page = match yard.schedules(ask).await {
        Err(Error::Store(error)) => listing(Err(error), "cursor", has_cursor)?,
        answer => answer?,
    };
    Ok(Json(List::of(page, |status| ScheduleView::of(status).masked(&masks))))
}

/// Show a schedule
#[utoipa::path(get, path = "/api/v1/schedules/{name}", tag = "schedules", operation_id = "getSchedule",
    params(SchedulePath),
    responses(
        (status = 200, description = "The schedule with its last and its next run.", body = ScheduleView),
        (status = 404, description = "There is no such schedule."),
    ))]
async fn show(
    _: ViewerOnly,
    State(yard): State<Yard>,
    masks: Masks,
    PathParams(name): NameInPath,
) -> Result<Json<ScheduleView>, Problem> {
    let found = yard.schedule(&name).await?;
    let found = found.ok_or(Error::NoSuchSchedule(name))?;
    Ok(Json(ScheduleView::of(found).masked(&masks)))
}

/// Set a schedule
///
/// Adds it, or replaces the one of this name. One that is due at the same times keeps its next run. Without `paused`,
/// one that exists stays as it is in that.
#[utoipa::path(put, path = "/api/v1/schedules/{name}", tag = "schedules", operation_id = "setSchedule",
    params(SchedulePath),
    request_body = NewSchedule,
    responses(
        (status = 200, description = "The schedule as it is now.", body = ScheduleView),
        (status = 404, description = "The path has no name."),
    ))]
async fn set(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(name): NameInPath,
    JsonBody(body): JsonBody<NewSchedule>,
) -> Result<Json<ScheduleView>, Problem> {
    let deed = Deed::new("schedule.set").schedule(&name);
    let status = yard.upsert_schedule(body.into_schedule(name)?).await?;
    actor.record(&yard, deed).await?;
    Ok(Json(ScheduleView::of(status)))
}

/// Remove a schedule
///
/// The jobs that it has added stay. One that is declared in code or in a configuration comes back with the next start.
#[utoipa::path(delete, path = "/api/v1/schedules/{name}", tag = "schedules", operation_id = "removeSchedule",
    params(SchedulePath),
    responses(
        (status = 200, description = "It is removed.", body = ScheduleRef),
        (status = 404, description = "There is no such schedule."),
    ))]
async fn remove(
    _: AdminOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(name): NameInPath,
) -> Result<Json<ScheduleRef>, Problem> {
    yard.remove_schedule(&name).await?;
    actor.record(&yard, Deed::new("schedule.remove").schedule(&name)).await?;
    tracing::info!(schedule = name, "schedule removed");
    Ok(Json(ScheduleRef { name }))
}
