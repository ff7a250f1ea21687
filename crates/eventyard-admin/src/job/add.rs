//! Adding jobs: one, or several together.

use axum::{Json, extract::State, http::StatusCode};
use bytes::Bytes;
use eventyard::{
    JobRequest, Yard,
    model::{Enqueued, JobId, JobKey, JobOptions, QueueName},
};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::options::{self, Options};
use crate::{
    Code, OperatorOnly, PathParams, Problem,
    audit::{Actor, Deed},
    request::{JobText, OneOrMany, OneOrManyJson, QueuePath, QueueText, object},
};

/// The longest name of a job, in bytes.
const MAX_NAME_BYTES: usize = 1024;

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(add))
}

/// A job to be added.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewJob, example = json!({
    "name": "welcome", "data": {"userId": "u-1"}, "opts": {"attempts": 5}
}))]
pub(crate) struct NewJob {
    /// What it is; it selects the handler.
    #[schema(min_length = 1, max_length = 1024, pattern = r"\S", example = "welcome")]
    name: String,
    /// What it carries.
    #[serde(default)]
    #[schema(value_type = Value, required = false)]
    data: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Options)]
    opts: JobOptions,
}

/// One job, or several that are added together or not at all.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only describes what is read")]
enum NewJobs {
    One(Box<NewJob>),
    Many(Vec<NewJob>),
}

/// A job that was added, or that existed already.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EnqueuedJob)]
pub(crate) struct Added {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// The job's id.
    #[schema(value_type = JobText)]
    job_id: JobId,
    /// True when a job with this id existed, or one that says the same, and none was added. The id is that job's.
    duplicate: bool,
}

impl Added {
    pub(crate) fn of(Enqueued { queue, id, duplicate }: Enqueued) -> Self {
        Self { queue, job_id: id, duplicate }
    }

    /// Whether something came into being.
    pub(crate) fn status(&self) -> StatusCode {
        if self.duplicate { StatusCode::OK } else { StatusCode::CREATED }
    }
}

/// Add one job, or several together
///
/// Several are added all or none. A job whose `opts.jobId` exists on the queue changes nothing, and neither does one that
/// says the same as another by `opts.deduplication`: both are answered with `"duplicate": true`.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/jobs", tag = "jobs", operation_id = "addJobs",
    params(QueuePath),
    request_body = NewJobs,
    responses(
        (status = 201, description = "Added: one answer for a job, a list of them for a list.", body = OneOrMany<Added>),
        (status = 200, description = "Every job existed already; nothing was changed.", body = OneOrMany<Added>),
        (status = 404, description = "The queue is not declared."),
        (status = 409, description = "A job with this id exists already and is no child of `opts.parent`."),
        (status = 429, description = "The queue is full; `Retry-After` says when to try again."),
    ))]
async fn add(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(queue): PathParams<QueueName>,
    OneOrManyJson(jobs): OneOrManyJson<NewJob>,
) -> Result<(StatusCode, Json<OneOrMany<Added>>), Problem> {
    let defaults = defaults(&yard, &queue)?;
    match jobs {
        OneOrMany::One(job) => {
            check(&job.name, &job.opts, &defaults, "")?;
            let added = yard.enqueue(request(&queue, job)).await?;
            let key = JobKey { queue, id: added.id.clone() };
            actor.record_if_asked(&yard, Deed::new("job.add").job(&key)).await?;
            let added = Added::of(added);
            Ok((added.status(), Json(OneOrMany::One(added))))
        }
        OneOrMany::Many(jobs) => {
            for (index, job) in jobs.iter().enumerate() {
                check(&job.name, &job.opts, &defaults, &format!("[{index}]."))?;
            }
            let requests = jobs.into_iter().map(|job| request(&queue, job)).collect();
            let added = yard.enqueue_all(requests).await?.into_iter().map(Added::of);
            let added: Vec<_> = added.collect();
            let deed = Deed::new("job.add").queue(&queue).details(json!({"jobs": added.len()}));
            actor.record_if_asked(&yard, deed).await?;
            let any = added.iter().any(|added| !added.duplicate);
            let status = if any { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(OneOrMany::Many(added))))
        }
    }
}

fn defaults(yard: &Yard, queue: &QueueName) -> Result<JobOptions, Problem> {
    let declared = yard.declared_queues().find(|(name, _)| *name == queue);
    let (_, declared) = declared.ok_or_else(|| eventyard::Error::NoSuchQueue(queue.to_string()))?;
    Ok(declared.settings().defaults.clone())
}

/// Checks what the engine checks too, in order to name the job of a batch.
pub(crate) fn check(
    name: &str,
    opts: &JobOptions,
    defaults: &JobOptions,
    place: &str,
) -> Result<(), Problem> {
    let refuse = |field: &str, what: String| {
        let field = format!("{place}{field}");
        Err(Problem::of(Code::INVALID_JOB, format!("`{field}` {what}")).field(field, what))
    };
    let bytes = name.len();
    if name.trim().is_empty() {
        return refuse("name", "is empty; it selects the handler".to_owned());
    }
    if bytes > MAX_NAME_BYTES {
        return refuse("name", format!("has {bytes} bytes; at most {MAX_NAME_BYTES} are allowed"));
    }
    options::check(opts, defaults).or_else(|fault| refuse(&fault.field, fault.problem))
}

fn request(queue: &QueueName, job: NewJob) -> JobRequest {
    let NewJob { name, data, opts } = job;
    let data = data.map_or(Bytes::from_static(b"null"), bytes);
    JobRequest { queue: queue.to_string(), name, data, options: opts }
}

/// The bytes of a JSON value, without a copy.
pub(crate) fn bytes(json: Box<RawValue>) -> Bytes {
    let text: Box<str> = json.into();
    Bytes::from(text.into_string())
}
