//! One job: look at it, steer it, read its log.

use axum::{Json, extract::State, http::StatusCode};
use eventyard::{
    JobRequest, Yard,
    model::{
        CommitError, JobId, JobKey, JobOptions, PageAsk, QueueName, Timestamp, Write,
        inspect::JobStatus,
    },
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{json, value::RawValue};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    add::{self, Added},
    options::{self, Options},
    view::{JobView, Step},
};
use crate::{
    AdminOnly, List, Masks, OperatorOnly, OptionalJson, PathParams, Problem, ViewerOnly,
    audit::{Actor, Deed},
    mask::unmasked,
    request::{JobPath, JobText, Object, QueueText},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default()
        .routes(routes!(show, remove))
        .routes(routes!(retry))
        .routes(routes!(promote))
        .routes(routes!(logs))
}

/// The queue and the id in a path.
pub(crate) type KeyInPath = PathParams<(QueueName, JobId)>;

/// The key of the job that a path names.
pub(super) fn key(PathParams((queue, id)): KeyInPath) -> JobKey {
    JobKey { queue, id }
}

/// The job that is meant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobRef {
    /// The queue it is on.
    #[schema(value_type = QueueText)]
    pub(crate) queue: QueueName,
    /// Its id there.
    #[schema(value_type = JobText)]
    pub(crate) job_id: JobId,
}

impl From<JobKey> for JobRef {
    fn from(JobKey { queue, id }: JobKey) -> Self {
        Self { queue, job_id: id }
    }
}

/// The job, or the problem that there is none.
pub(crate) async fn find(yard: &Yard, key: &JobKey) -> Result<JobStatus, Problem> {
    let status = yard.inspect().job(key).await?;
    status.ok_or_else(|| eventyard::Error::from(CommitError::NoSuchJob(key.clone())).into())
}

/// Show a job
#[utoipa::path(get, path = "/api/v1/queues/{queue}/jobs/{id}", tag = "jobs", operation_id = "getJob",
    params(JobPath),
    responses(
        (status = 200, description = "The job with its attempts and its steps.", body = JobView),
        (status = 404, description = "There is no such job."),
    ))]
async fn show(
    _: ViewerOnly,
    State(yard): State<Yard>,
    masks: Masks,
    path: KeyInPath,
) -> Result<Json<JobView>, Problem> {
    let key = key(path);
    let job = find(&yard, &key).await?;
    let attempts = yard.inspect().attempts(&key).await?;
    let children = yard.inspect().children(&key, PageAsk::first(1)).await?;
    let steps = yard.inspect().steps(&key).await?.into_iter();
    let steps = steps.map(|step| Step::of(step).masked(&masks)).collect();
    let view = JobView::of(job).masked(&masks).with_attempts(attempts).with_steps(steps);
    Ok(Json(if children.items.is_empty() { view } else { view.with_children() }))
}

/// Remove a job that is not running
#[utoipa::path(delete, path = "/api/v1/queues/{queue}/jobs/{id}", tag = "jobs", operation_id = "removeJob",
    params(JobPath),
    responses(
        (status = 200, description = "It is removed.", body = JobRef),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "It is running."),
    ))]
async fn remove(
    _: AdminOnly,
    State(yard): State<Yard>,
    actor: Actor,
    path: KeyInPath,
) -> Result<Json<JobRef>, Problem> {
    let key = key(path);
    actor.commit(&yard, Deed::new("job.remove").job(&key), [Write::Remove(key.clone())]).await?;
    Ok(Json(key.into()))
}

/// What a copy has that the job has not.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EditJob, example = json!({"data": {"userId": "u-1"}, "opts": {"attempts": 1}}))]
pub(crate) struct Edit {
    /// The copy's data; the job's own when left out.
    #[schema(value_type = Option<Value>)]
    data: Option<Box<RawValue>>,
    /// The copy's options; what is left out is as the job has it, except its id, its delay, its parent and its
    /// deduplication.
    #[serde(default, deserialize_with = "some_object")]
    #[schema(value_type = Option<Options>)]
    opts: Option<JobOptions>,
}

fn some_object<'de, D: Deserializer<'de>>(from: D) -> Result<Option<JobOptions>, D::Error> {
    let options: Option<Object<_>> = Option::deserialize(from)?;
    Ok(options.map(|Object(options)| options))
}

/// What a retry did.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Retried {
    /// The job itself waits again.
    Itself(JobRef),
    /// A copy was added.
    Copy(Added),
}

/// Retry a completed or failed job, or an edited copy of it
///
/// Without a body the job waits again, with all its attempts. With `data` or `opts` a copy of it is added under a
/// new id, and the job stays as it is; the copy carries the data alone, not the event that the job was made from.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/jobs/{id}/retry", tag = "jobs", operation_id = "retryJob",
    params(JobPath),
    request_body(content = Option<Edit>),
    responses(
        (status = 200, description = "The job waits again.", body = JobRef),
        (status = 201, description = "A copy was added.", body = Added),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "It is neither completed nor failed."),
    ))]
async fn retry(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    path: KeyInPath,
    OptionalJson(Edit { data, opts }): OptionalJson<Edit>,
) -> Result<(StatusCode, Json<Retried>), Problem> {
    let key = key(path);
    if data.is_none() && opts.is_none() {
        let deed = Deed::new("job.retry").job(&key);
        actor.commit(&yard, deed, [Write::Retry(key.clone())]).await?;
        return Ok((StatusCode::OK, Json(Retried::Itself(key.into()))));
    }
    let opts = opts.unwrap_or_default();
    options::check(&opts, &JobOptions::default()).map_err(eventyard::Error::InvalidJob)?;
    let job = find(&yard, &key).await?.job;
    let of_job = JobOptions {
        job_id: None,
        delay: None,
        run_at: None,
        deduplication: None,
        parent: None,
        ..(*job.options).clone()
    };
    let request = JobRequest {
        queue: key.queue.to_string(),
        name: job.name.to_string(),
        data: data.map_or_else(
            || job.payload.data().clone(),
            |data| unmasked(add::bytes(data), job.payload.data()),
        ),
        options: opts.or(&of_job),
    };
    let added = yard.enqueue(request).await?;
    let deed = Deed::new("job.copy").job(&key).details(json!({"copy": added.id.as_str()}));
    actor.record(&yard, deed).await?;
    let added = Added::of(added);
    Ok((added.status(), Json(Retried::Copy(added))))
}

/// Let a delayed job wait at once
#[utoipa::path(post, path = "/api/v1/queues/{queue}/jobs/{id}/promote", tag = "jobs", operation_id = "promoteJob",
    params(JobPath),
    responses(
        (status = 200, description = "It waits.", body = JobRef),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "It is not delayed."),
    ))]
async fn promote(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    path: KeyInPath,
) -> Result<Json<JobRef>, Problem> {
    let key = key(path);
    let deed = Deed::new("job.promote").job(&key);
    actor.commit(&yard, deed, [Write::Promote(key.clone())]).await?;
    Ok(Json(key.into()))
}

/// One line of a job's log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobLogLine)]
struct LogLine {
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The line.
    #[schema(example = "connected to the mail server")]
    line: String,
}

/// Read a job's log
///
/// The last 1000 lines, oldest first.
#[utoipa::path(get, path = "/api/v1/queues/{queue}/jobs/{id}/logs", tag = "jobs", operation_id = "getJobLog",
    params(JobPath),
    responses(
        (status = 200, description = "Its lines.", body = List<LogLine>),
        (status = 404, description = "There is no such job."),
    ))]
async fn logs(
    _: ViewerOnly,
    State(yard): State<Yard>,
    path: KeyInPath,
) -> Result<Json<List<LogLine>>, Problem> {
    let key = key(path);
    let lines = yard.inspect().logs(&key).await?;
    if lines.is_empty() {
        find(&yard, &key).await?;
    }
    let show = |line: eventyard::model::inspect::LogLine| LogLine { at: line.at, line: line.line };
    Ok(Json(List::whole(lines.into_iter().map(show).collect())))
}
