//! The jobs of a queue, by state.

use axum::{Json, extract};
use eventyard::{
    Yard,
    model::{GroupKey, JobId, JobKey, JobState, QueueName},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    search::{Filter, Instant},
    view::{JobView, State},
};
use crate::{
    List, Masks, Paging, PathParams, Problem, QueryParams, ViewerOnly, listing, queue,
    request::{JobText, KeyText, QueuePath},
    scan::scan,
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
    /// Only the job with this id.
    #[param(value_type = Option<JobText>, inline)]
    id: Option<JobId>,
    /// Only jobs whose name holds this text, without regard to case.
    #[param(example = "booking")]
    name: Option<String>,
    /// Only jobs with this key.
    #[param(value_type = Option<KeyText>, inline)]
    key: Option<GroupKey>,
    /// Only jobs whose failure holds this text, without regard to case.
    #[param(example = "refused")]
    error: Option<String>,
    /// Only jobs that were finished, or else added, at this instant or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Instant>,
    /// Only jobs that were finished, or else added, before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
    /// Whether to leave out what may be large: data, results, stacks.
    #[serde(default)]
    #[param(required = false, default = false)]
    brief: bool,
    /// The most items, 50 unless said otherwise.
    #[param(minimum = 1, maximum = 1000, example = 50)]
    limit: Option<usize>,
    /// The `next` of the page before; without it, the first page.
    cursor: Option<String>,
}

/// List the jobs of a queue that are in a state
///
/// Those that run next come first, finished ones newest first. A listing that is filtered looks at some thousand jobs a
/// page: a page may hold fewer than asked for, or none, although more follow; `next` tells.
#[utoipa::path(get, path = "/api/v1/queues/{queue}/jobs", tag = "jobs", operation_id = "listJobs",
    params(QueuePath, Which),
    responses(
        (status = 200, description = "A page of jobs, without their attempts.", body = List<JobView>),
        (status = 404, description = "There is no such queue."),
    ))]
async fn list(
    _: ViewerOnly,
    extract::State(yard): extract::State<Yard>,
    masks: Masks,
    PathParams(queue): PathParams<QueueName>,
    QueryParams(which): QueryParams<Which>,
) -> Result<Json<List<JobView>>, Problem> {
    let Which { state, id, name, key, error, from, to, brief, limit, cursor } = which;
    let ask = Paging { limit, cursor }.ask()?;
    let given = ask.cursor.is_some();
    queue::find(&yard, &queue).await?;
    let state = state.unwrap_or(JobState::Waiting);
    let filter = Filter::new(name, key, error, from, to);
    let show = |status| {
        let view = JobView::of(status);
        if brief { view.brief() } else { view.masked(&masks) }
    };
    if let Some(id) = id {
        let found = yard.inspect().job(&JobKey { queue, id }).await?;
        let found = found.filter(|status| status.state == state && filter.wants(status));
        return Ok(Json(List::whole(found.map(show).into_iter().collect())));
    }
    let read = |ask| yard.inspect().jobs(Some(&queue), state, ask);
    let page = if filter.is_empty() {
        read(ask).await
    } else {
        scan(ask, read, |status| filter.wants(status)).await
    };
    Ok(Json(List::of(listing(page, "cursor", given)?, show)))
}
