//! Pausing and resuming a schedule, and running its job at once.

use axum::{Json, extract::State, http::StatusCode};
use eventyard::{Yard, model::JobKey};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{NameInPath, view::ScheduleView};
use crate::{
    OperatorOnly, PathParams, Problem,
    audit::{Actor, Deed},
    job::Added,
    request::SchedulePath,
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(pause)).routes(routes!(resume)).routes(routes!(run))
}

/// Pause a schedule
///
/// It adds no more jobs. The times that pass until it is resumed are not missed: they are none. Pausing it again
/// changes nothing.
#[utoipa::path(post, path = "/api/v1/schedules/{name}/pause", tag = "schedules", operation_id = "pauseSchedule",
    params(SchedulePath),
    responses(
        (status = 200, description = "It is paused.", body = ScheduleView),
        (status = 404, description = "There is no such schedule."),
    ))]
async fn pause(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(name): NameInPath,
) -> Result<Json<ScheduleView>, Problem> {
    let status = yard.pause_schedule(&name).await?;
    actor.record(&yard, Deed::new("schedule.pause").schedule(&name)).await?;
    Ok(Json(ScheduleView::of(status)))
}

/// Resume a schedule
///
/// It goes on with the next time that it is due. Resuming it again changes nothing.
#[utoipa::path(post, path = "/api/v1/schedules/{name}/resume", tag = "schedules", operation_id = "resumeSchedule",
    params(SchedulePath),
    responses(
        (status = 200, description = "It runs.", body = ScheduleView),
        (status = 404, description = "There is no such schedule."),
    ))]
async fn resume(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(name): NameInPath,
) -> Result<Json<ScheduleView>, Problem> {
    let status = yard.resume_schedule(&name).await?;
    actor.record(&yard, Deed::new("schedule.resume").schedule(&name)).await?;
    Ok(Json(ScheduleView::of(status)))
}

/// Run a schedule's job at once
///
/// Adds the job under an id of its own, whether the schedule is paused or not. Its next run stays as it is.
#[utoipa::path(post, path = "/api/v1/schedules/{name}/run", tag = "schedules", operation_id = "runSchedule",
    params(SchedulePath),
    responses(
        (status = 201, description = "The job is added.", body = Added),
        (status = 404, description = "There is no such schedule, or its queue is not declared."),
    ))]
async fn run(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(name): NameInPath,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let added = yard.run_schedule(&name).await?;
    let key = JobKey { queue: added.queue.clone(), id: added.id.clone() };
    actor.record(&yard, Deed::new("schedule.run").schedule(&name).job(&key)).await?;
    let added = Added::of(added);
    Ok((StatusCode::CREATED, Json(added)))
}
