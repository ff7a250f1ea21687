//! Reading the audit trail.

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{JobId, QueueName, inspect::DocumentFilter},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::entry::{COLLECTION, Entry};
use crate::{
    List, Paging, Problem, QueryParams, ViewerOnly, listing,
    request::{JobText, QueueText},
    scan::scan,
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(list))
}

/// Which entries are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only what was done to this queue and to its jobs.
    #[param(value_type = Option<QueueText>, inline)]
    queue: Option<QueueName>,
    /// Only what was done to jobs of this id.
    #[param(value_type = Option<JobText>, inline)]
    job_id: Option<JobId>,
    /// The most items, 50 unless said otherwise.
    #[param(minimum = 1, maximum = 1000, example = 50)]
    limit: Option<usize>,
    /// The `next` of the page before; without it, the first page.
    cursor: Option<String>,
}

/// Read the audit trail
///
/// Who did what to jobs, queues and schedules, when, and why; the newest first. With `queue` or `jobId` a page may hold
/// fewer entries than asked for although more follow: `next` tells.
#[utoipa::path(get, path = "/api/v1/audit", tag = "dashboard", operation_id = "listAudit",
    params(Which),
    responses((status = 200, description = "A page of entries.", body = List<Entry>)))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    QueryParams(Which { queue, job_id, limit, cursor }): QueryParams<Which>,
) -> Result<Json<List<Entry>>, Problem> {
    let ask = Paging { limit, cursor }.ask()?;
    let given = ask.cursor.is_some();
    let wants = |entry: &Entry| {
        entry.is_about(queue.as_ref().map(QueueName::as_str), job_id.as_ref().map(JobId::as_str))
    };
    let read = |value: &[u8]| serde_json::from_slice::<Entry>(value).ok();
    let filter = || DocumentFilter {
        collection: COLLECTION.to_owned(),
        prefix: String::new(),
        newest_first: true,
    };
    let page = scan(
        ask,
        |ask| yard.inspect().documents(filter(), ask),
        |document| read(&document.value).is_some_and(|entry| wants(&entry)),
    );
    let page = listing(page.await, "cursor", given)?;
    let items = page.items.iter().filter_map(|document| read(&document.value));
    Ok(Json(List { items: items.collect(), next: page.next }))
}
