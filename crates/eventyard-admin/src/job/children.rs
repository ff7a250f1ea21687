//! The jobs that a job waits for.

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{
        JobId, QueueName,
        inspect::{Child, ChildOutcome},
    },
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Reason, json_or_text,
    one::{KeyInPath, find, key},
};
use crate::{
    List, Masks, Paging, Problem, QueryParams, ViewerOnly, listing,
    request::{JobPath, JobText, QueueText},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(children))
}

/// A job that another one waits for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChildJob)]
struct ChildView {
    /// The queue it is on.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// Its id there.
    #[schema(value_type = JobText)]
    job_id: JobId,
    outcome: Outcome,
    /// What its handler returned, when it is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    result: Option<Box<RawValue>>,
    /// Why it failed for good, when its parent does not wait for it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_reason: Option<Reason>,
}

/// How a child ended, as far as its parent is concerned. A child that failed is pending while its parent waits for an
/// operator to retry it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ChildOutcome)]
enum Outcome {
    Pending,
    Completed,
    Failed,
    Removed,
}

impl ChildView {
    fn of(Child { job, outcome }: Child) -> Self {
        let (outcome, result, failure) = match outcome {
            ChildOutcome::Pending => (Outcome::Pending, None, None),
            ChildOutcome::Completed(result) => (Outcome::Completed, result, None),
            ChildOutcome::Failed(failure) => (Outcome::Failed, None, Some(failure)),
            ChildOutcome::Removed => (Outcome::Removed, None, None),
        };
        Self {
            queue: job.queue,
            job_id: job.id,
            outcome,
            result: result.as_deref().map(json_or_text),
            failed_reason: failure.map(Reason::of),
        }
    }

    /// The same without what is not to be shown.
    fn masked(mut self, masks: &Masks) -> Self {
        masks.json(&mut self.result);
        self
    }
}

/// List the children of a job
///
/// Those that it waits for or has waited for, in the order in which they were added, with what they returned.
#[utoipa::path(get, path = "/api/v1/queues/{queue}/jobs/{id}/children", tag = "jobs", operation_id = "listChildren",
    params(JobPath, Paging),
    responses(
        (status = 200, description = "A page of children; none for a job that waits for no other.",
            body = List<ChildView>),
        (status = 404, description = "There is no such job."),
    ))]
async fn children(
    _: ViewerOnly,
    State(yard): State<Yard>,
    masks: Masks,
    path: KeyInPath,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<List<ChildView>>, Problem> {
    let key = key(path);
    let ask = paging.ask()?;
    let given = ask.cursor.is_some();
    let page = listing(yard.inspect().children(&key, ask).await, "cursor", given)?;
    if page.items.is_empty() {
        find(&yard, &key).await?;
    }
    Ok(Json(List::of(page, |child| ChildView::of(child).masked(&masks))))
}
