//! The jobs of a queue, by state.

use axum::{Json, extract};
use eventyard::{
    Yard,
    model::{JobState, QueueName},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::view::{JobView, State};
use crate::{
    List, Paging, PathParams, Problem, QueryParams, ViewerOnly, listing, queue, request::QueuePath,
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(list))
}

/// Which jobs are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The state that they are in; `waiting` unless said otherwise.
    #[param(value_type = Option<State>, inline)]
    state: Option<JobState>,
    /// The most items, 50 unless said otherwise.
    #[param(minimum = 1, maximum = 1000, example = 50)]
    limit: Option<usize>,
    /// The `next` of the page before; without it, the first page.
    cursor: Option<String>,
}

/// List the jobs of a queue that are in a state
///
/// Those that run next come first, finished ones newest first.
#[utoipa::path(get, path = "/api/v1/queues/{queue}/jobs", tag = "jobs", operation_id = "listJobs",
    params(QueuePath, Which),
    responses(
        (status = 200, description = "A page of jobs, without their attempts.", body = List<JobView>),
        (status = 404, description = "There is no such queue."),
    ))]
async fn list(
    _: ViewerOnly,
    extract::State(yard): extract::State<Yard>,
    PathParams(queue): PathParams<QueueName>,
    QueryParams(Which { state, limit, cursor }): QueryParams<Which>,
) -> Result<Json<List<JobView>>, Problem> {
    let ask = Paging { limit, cursor }.ask()?;
    let given = ask.cursor.is_some();
    queue::find(&yard, &queue).await?;
    let state = state.unwrap_or(JobState::Waiting);
    let page = yard.inspect().jobs(Some(&queue), state, ask).await;
    Ok(Json(List::of(listing(page, "cursor", given)?, JobView::of)))
}
