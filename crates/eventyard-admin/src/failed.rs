//! Dead letters of all queues: list, retry, remove.

mod all;

pub(crate) use all::retry as retry_each;

use axum::{Json, extract::State};
use eventyard::{
    Error, Yard,
    model::{CommitError, JobId, JobKey, JobState, QueueName, Write},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    AdminOnly, Code, List, Masks, OperatorOnly, Paging, PathParams, Problem, QueryParams,
    ViewerOnly,
    audit::{Actor, Deed},
    job::{Filter, JobRef, JobView},
    listing, queue,
    request::{FailedPath, QueueText},
    scan::scan,
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(retry))
        .routes(routes!(remove))
        .merge(all::routes())
}

/// Which dead letters are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// One queue; every queue when left out.
    #[param(value_type = Option<QueueText>, inline)]
    queue: Option<QueueName>,
    /// Only jobs whose name holds this text, without regard to case.
    #[param(example = "booking")]
    name: Option<String>,
    /// Only jobs whose reason holds this text, without regard to case.
    #[param(example = "refused")]
    error: Option<String>,
    /// Whether to leave out what may be large: data, stacks, attempts.
    #[serde(default)]
    #[param(required = false, default = false)]
    brief: bool,
    /// The most items, 50 unless said otherwise.
    #[param(minimum = 1, maximum = 1000, example = 50)]
    limit: Option<usize>,
    /// The `next` of the page before; without it, the first page.
    cursor: Option<String>,
}

/// List dead letters
///
/// The jobs that failed for good, the newest first, with their payload, their reason and every attempt. A listing that is
/// filtered may have pages with fewer items than asked for although more follow; `next` tells.
#[utoipa::path(get, path = "/api/v1/queues/failed", tag = "failed", operation_id = "listFailed",
    params(Which),
    responses(
        (status = 200, description = "A page of dead letters.", body = List<JobView>),
        (status = 404, description = "There is no such queue."),
    ))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    masks: Masks,
    QueryParams(Which { queue, name, error, brief, limit, cursor }): QueryParams<Which>,
) -> Result<Json<List<JobView>>, Problem> {
    let ask = Paging { limit, cursor }.ask()?;
    let given = ask.cursor.is_some();
    if let Some(queue) = &queue {
        queue::find(&yard, queue).await?;
    }
    let filter = Filter::new(name, None, error, None, None);
    let read = |ask| yard.inspect().jobs(queue.as_ref(), JobState::Failed, ask);
    let page = if filter.is_empty() {
        read(ask).await
    } else {
        scan(ask, read, |status| filter.wants(status)).await
    };
    let page = listing(page, "cursor", given)?;
    let mut items = Vec::with_capacity(page.items.len());
    for job in page.items {
        let key = job.job.key();
        let attempts = if brief { Vec::new() } else { yard.inspect().attempts(&key).await? };
        let view = JobView::of(job).masked(&masks);
        items.push(if brief { view.brief() } else { view.with_attempts(attempts) });
    }
    Ok(Json(List { items, next: page.next }))
}

/// Which queue a dead letter is on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Where {
    /// The job's queue; needed only when several queues have a dead letter with this id.
    #[param(value_type = Option<QueueText>, inline)]
    queue: Option<QueueName>,
}

/// Retry a dead letter
///
/// It waits again, with all its attempts; its history stays.
#[utoipa::path(post, path = "/api/v1/queues/failed/{jobId}/retry", tag = "failed", operation_id = "retryFailed",
    params(FailedPath, Where),
    responses(
        (status = 200, description = "The job waits again.", body = JobRef),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "It has not failed, or several queues have a dead letter with this id."),
    ))]
async fn retry(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(id): PathParams<JobId>,
    QueryParams(Where { queue }): QueryParams<Where>,
) -> Result<Json<JobRef>, Problem> {
    let key = find(&yard, id, queue).await?;
    let deed = Deed::new("job.retry").job(&key);
    actor.commit(&yard, deed, [Write::Retry(key.clone())]).await?;
    Ok(Json(key.into()))
}

/// Remove a dead letter
#[utoipa::path(delete, path = "/api/v1/queues/failed/{jobId}", tag = "failed", operation_id = "removeFailed",
    params(FailedPath, Where),
    responses(
        (status = 200, description = "It is removed.", body = JobRef),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "It has not failed, or several queues have a dead letter with this id."),
    ))]
async fn remove(
    _: AdminOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(id): PathParams<JobId>,
    QueryParams(Where { queue }): QueryParams<Where>,
) -> Result<Json<JobRef>, Problem> {
    let key = find(&yard, id, queue).await?;
    let deed = Deed::new("job.remove").job(&key);
    actor.commit(&yard, deed, [Write::Remove(key.clone())]).await?;
    Ok(Json(key.into()))
}

/// The one dead letter with this id.
async fn find(yard: &Yard, id: JobId, queue: Option<QueueName>) -> Result<JobKey, Problem> {
    let queues = match queue {
        Some(queue) => vec![queue],
        None => yard.inspect().queues_of(&id).await?,
    };
    let (mut failed, mut others) = (Vec::new(), Vec::new());
    for queue in queues {
        let key = JobKey { queue, id: id.clone() };
        match yard.inspect().job(&key).await? {
            Some(status) if status.state == JobState::Failed => failed.push(key),
            Some(status) => others.push((key, status.state)),
            None => {}
        }
    }
    match (failed.pop(), others.pop()) {
        (Some(only), _) if failed.is_empty() => Ok(only),
        (Some(last), _) => {
            failed.push(last);
            Err(ambiguous(&id, &failed))
        }
        (None, Some((job, state))) => {
            Err(Error::from(CommitError::WrongState { job, state, allowed: "failed" }).into())
        }
        (None, None) => Err(Problem::of(Code::NO_SUCH_JOB, format!("there is no failed job {id}"))),
    }
}

fn ambiguous(id: &JobId, keys: &[JobKey]) -> Problem {
    let queues: Vec<_> = keys.iter().map(|key| key.queue.as_str()).collect();
    let queues = queues.join(", ");
    let detail = format!("several queues have a failed job {id}: {queues}; name one with ?queue=");
    Problem::of(Code::AMBIGUOUS_JOB, detail)
        .field("queue", format!("is missing; use one of {queues}"))
}
