//! What a worker says while it works: that it is alive, how far it is, and what it saw.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use eventyard::{Yard, model::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{LEASE_MS, token};
use crate::{
    JsonBody, OperatorOnly, PathParams, Problem,
    request::{LeasePath, check},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(renew)).routes(routes!(progress)).routes(routes!(log))
}

/// Asks for more time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = RenewLease)]
struct Renew {
    /// How long the lease is to hold from now, in milliseconds.
    #[schema(minimum = 1000, maximum = 3_600_000, example = 30000)]
    lease_ms: u64,
}

/// The lease holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RenewedLease)]
struct Renewed {
    /// When it ends unless it is renewed again.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// Renew a lease
#[utoipa::path(post, path = "/api/v1/leases/{token}/renew", tag = "workers", operation_id = "renewLease",
    params(LeasePath),
    request_body = Renew,
    responses(
        (status = 200, description = "It holds.", body = Renewed),
        (status = 404, description = "The lease does not hold; the attempt can finish nothing."),
    ))]
async fn renew(
    _: OperatorOnly,
    State(yard): State<Yard>,
    path: PathParams<String>,
    JsonBody(Renew { lease_ms }): JsonBody<Renew>,
) -> Result<Json<Renewed>, Problem> {
    check("leaseMs", lease_ms, &LEASE_MS)?;
    let until = yard.renew(token(path)?, Duration::from_millis(lease_ms)).await?;
    Ok(Json(Renewed { until }))
}

/// How far an attempt is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JobProgress, example = json!({"progress": 40}))]
struct Progress {
    /// A number, a text, or whatever shows it.
    #[schema(value_type = Value)]
    progress: Box<RawValue>,
}

/// Say how far an attempt is
#[utoipa::path(post, path = "/api/v1/leases/{token}/progress", tag = "workers", operation_id = "setProgress",
    params(LeasePath),
    request_body = Progress,
    responses(
        (status = 204, description = "It is noted."),
        (status = 404, description = "The lease does not hold."),
        (status = 409, description = "The lease has just passed to another worker."),
    ))]
async fn progress(
    _: OperatorOnly,
    State(yard): State<Yard>,
    path: PathParams<String>,
    JsonBody(Progress { progress }): JsonBody<Progress>,
) -> Result<StatusCode, Problem> {
    let text: Box<str> = progress.into();
    yard.set_progress(token(path)?, text.into_string().into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A line for a job's log.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLogLine)]
struct Line {
    /// The line; what is beyond 8 KiB is cut.
    #[schema(example = "connected to the mail server")]
    line: String,
}

/// Add a line to a job's log
///
/// The log keeps the last 1000 lines.
#[utoipa::path(post, path = "/api/v1/leases/{token}/log", tag = "workers", operation_id = "addLog",
    params(LeasePath),
    request_body = Line,
    responses(
        (status = 204, description = "It is added."),
        (status = 404, description = "The lease does not hold."),
        (status = 409, description = "The lease has just passed to another worker."),
    ))]
async fn log(
    _: OperatorOnly,
    State(yard): State<Yard>,
    path: PathParams<String>,
    JsonBody(Line { line }): JsonBody<Line>,
) -> Result<StatusCode, Problem> {
    yard.add_log(token(path)?, line).await?;
    Ok(StatusCode::NO_CONTENT)
}
