//! Flows over HTTP: jobs that wait for other jobs, added together.

use axum::{Extension, Json, extract::State, http::StatusCode};
use bytes::Bytes;
use eventyard::{
    EnqueuedFlow, Flow, JobRequest, Yard,
    model::{JobId, JobKey, JobOptions, OnChildFailure, QueueName, limits::Limits},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Code, JsonBody, OperatorOnly, Problem,
    audit::{Actor, Deed},
    job,
    request::{JobText, QueueText, check_length, object},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(add))
}

/// A job with the jobs that it waits for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFlow, example = json!({
    "queue": "emails", "name": "announce", "children": [
        {"queue": "tickets", "name": "print", "data": {"ticket": 1}},
        {"queue": "tickets", "name": "print", "data": {"ticket": 2}, "onFail": "ignore"},
    ]
}))]
struct NewFlow {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// What it is; it selects the handler.
    #[schema(min_length = 1, max_length = 1024, pattern = r"\S", example = "announce")]
    name: String,
    /// What it carries.
    #[serde(default)]
    #[schema(value_type = Value, required = false)]
    data: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = job::Options)]
    opts: JobOptions,
    /// The jobs that it waits for; none when left out.
    #[serde(default)]
    #[schema(required = false)]
    children: Vec<NewChild>,
}

/// A job that another one waits for, with the jobs that it waits for itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewChild)]
struct NewChild {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// What it is; it selects the handler.
    #[schema(min_length = 1, max_length = 1024, pattern = r"\S", example = "print")]
    name: String,
    /// What it carries.
    #[serde(default)]
    #[schema(value_type = Value, required = false)]
    data: Option<Box<RawValue>>,
    /// Its options; `parent` is what the flow says.
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = job::Options)]
    opts: JobOptions,
    /// What becomes of the job that waits for this one, if this one fails for good.
    #[serde(default)]
    #[schema(value_type = job::OnFail, required = false)]
    on_fail: OnChildFailure,
    /// The jobs that it waits for; none when left out.
    #[serde(default)]
    #[schema(required = false, no_recursion)]
    children: Vec<NewChild>,
}

/// A job of a flow that was added, or that existed already, with the jobs that it waits for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EnqueuedFlow)]
struct Added {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// The job's id.
    #[schema(value_type = JobText)]
    job_id: JobId,
    /// True when a job with this id existed and none was added.
    duplicate: bool,
    /// The jobs that it waits for, in the order given.
    #[schema(no_recursion)]
    children: Vec<Added>,
}

impl Added {
    fn of(EnqueuedFlow { job, children }: EnqueuedFlow) -> Self {
        let children = children.into_iter().map(Self::of).collect();
        Self { queue: job.queue, job_id: job.id, duplicate: job.duplicate, children }
    }
}

/// Add a flow
///
/// A job with the jobs that it waits for, each of which may wait for others, on any queues: all are added or none. A job
/// runs when all its children have ended. Jobs whose `opts.jobId` exist are not added: a flow can be sent again.
///
/// The limit of a batch holds for all its jobs together, and the limit of depth for its JSON.
#[utoipa::path(post, path = "/api/v1/flows", tag = "jobs", operation_id = "addFlow",
    request_body = NewFlow,
    responses(
        (status = 202, description = "Added, or there already: the ids, in the shape of the flow.", body = Added),
        (status = 404, description = "A queue is not declared."),
        (status = 409, description = "A child exists already, without this parent."),
        (status = 429, description = "A queue is full; `Retry-After` says when to try again."),
    ))]
async fn add(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    limits: Option<Extension<Limits>>,
    JsonBody(flow): JsonBody<NewFlow>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let limits = limits.map(|Extension(limits)| limits).unwrap_or_default();
    check_length(1 + count(&flow.children), limits)?;
    let added = yard.enqueue_flow(flow.checked(&yard)?).await?;
    let key = JobKey { queue: added.job.queue.clone(), id: added.job.id.clone() };
    actor.record_if_asked(&yard, Deed::new("flow.add").job(&key)).await?;
    Ok((StatusCode::ACCEPTED, Json(Added::of(added))))
}

fn count(children: &[NewChild]) -> usize {
    children.iter().map(|child| 1 + count(&child.children)).sum()
}

impl NewFlow {
    /// The flow as the engine takes it, if every job of it can be added.
    fn checked(self, yard: &Yard) -> Result<Flow, Problem> {
        let Self { queue, name, data, opts, children } = self;
        let waits = !children.is_empty();
        let job = request(yard, Part { queue, name, data, opts, waits }, "")?;
        Ok(Flow::new(job).children(all(yard, children, "")?))
    }
}

impl NewChild {
    fn checked(self, yard: &Yard, place: &str) -> Result<Flow, Problem> {
        let Self { queue, name, data, opts, on_fail, children } = self;
        if opts.parent.is_some() {
            let field = format!("{place}opts.parent");
            return Err(invalid(field, "is what the flow says; leave it out"));
        }
        if opts.deduplication.is_some() {
            let what = "goes not with a parent, which would wait for a job that was dropped";
            return Err(invalid(format!("{place}opts.deduplication"), what));
        }
        let waits = !children.is_empty();
        let job = request(yard, Part { queue, name, data, opts, waits }, place)?;
        Ok(Flow::new(job).children(all(yard, children, place)?).on_fail(on_fail))
    }
}

fn all(yard: &Yard, children: Vec<NewChild>, place: &str) -> Result<Vec<Flow>, Problem> {
    let child =
        |(n, child): (usize, NewChild)| child.checked(yard, &format!("{place}children[{n}]."));
    children.into_iter().enumerate().map(child).collect()
}

/// One job of a flow.
struct Part {
    queue: QueueName,
    name: String,
    data: Option<Box<RawValue>>,
    opts: JobOptions,
    /// Whether it has children.
    waits: bool,
}

/// Checks what the engine checks too, in order to name the job of the flow.
fn request(yard: &Yard, part: Part, place: &str) -> Result<JobRequest, Problem> {
    let Part { queue, name, data, opts, waits } = part;
    let Some((_, declared)) = yard.declared_queues().find(|(name, _)| **name == queue) else {
        let problem = Problem::from(eventyard::Error::NoSuchQueue(queue.to_string()));
        return Err(problem.field(format!("{place}queue"), format!("is `{queue}`")));
    };
    let defaults = declared.settings().defaults;
    job::check(&name, &opts, defaults, place)?;
    if waits && opts.deduplication.as_ref().or(defaults.deduplication.as_ref()).is_some() {
        let what = "goes not with children, which would lose their parent when it is dropped";
        return Err(invalid(format!("{place}opts.deduplication"), what));
    }
    let data = data.map_or(Bytes::from_static(b"null"), job::bytes);
    Ok(JobRequest { queue: queue.to_string(), name, data, options: opts })
}

fn invalid(field: String, what: &str) -> Problem {
    Problem::of(Code::INVALID_JOB, format!("`{field}` {what}")).field(field, what)
}
