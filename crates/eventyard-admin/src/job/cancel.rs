//! Cancelling a job, also one that runs.

use axum::{Json, extract::State};
use eventyard::{Yard, model::Write};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::one::{KeyInPath, key};
use crate::{
    Code, OperatorOnly, OptionalJson, Problem,
    audit::{Actor, Deed},
    request::JobPath,
};

/// The reason when none is given.
const NO_REASON: &str = "cancelled over the API";
/// The longest reason, in characters.
const MAX_REASON: usize = 256;

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(cancel))
}

/// Why a job is cancelled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelJob)]
struct Cancel {
    /// For a person to read; it becomes the message of the job's failure.
    #[schema(max_length = 256, example = "the booking was withdrawn")]
    reason: Option<String>,
}

/// The job is cancelled.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CancelledJob)]
struct Cancelled {
    /// Always true.
    cancelled: bool,
}

/// Cancel a job that is not finished
///
/// It fails with the kind `cancelled`, whether it waits, is delayed, waits for children or runs. If it runs, its lease
/// ends: its worker can settle nothing any more, and hears of it the next time it renews the lease.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/jobs/{id}/cancel", tag = "jobs", operation_id = "cancelJob",
    params(JobPath),
    request_body(content = Option<Cancel>),
    responses(
        (status = 200, description = "It is cancelled.", body = Cancelled),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "It is finished already."),
    ))]
async fn cancel(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    path: KeyInPath,
    OptionalJson(Cancel { reason }): OptionalJson<Cancel>,
) -> Result<Json<Cancelled>, Problem> {
    let key = key(path);
    let reason = match reason {
        Some(reason) if !reason.trim().is_empty() => checked(reason)?,
        _ => NO_REASON.to_owned(),
    };
    let write = Write::Cancel { job: key.clone(), reason };
    actor.commit(&yard, Deed::new("job.cancel").job(&key), [write]).await?;
    tracing::info!(job = %key, "job cancelled");
    Ok(Json(Cancelled { cancelled: true }))
}

fn checked(reason: String) -> Result<String, Problem> {
    let length = reason.chars().count();
    if length <= MAX_REASON {
        return Ok(reason);
    }
    let what = format!("has {length} characters; at most {MAX_REASON} are allowed");
    Err(Problem::of(Code::INVALID_BODY, format!("`reason` {what}")).field("reason", what))
}
