//! Claiming jobs.

use std::time::Duration;

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{QueueName, WorkerId},
    queue::LEASE,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::LEASE_MS;
use crate::{
    Code, JsonBody, OperatorOnly, PathParams, Problem, Stopping,
    job::JobView,
    request::{QueuePath, WorkerText, check},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(claim))
}

/// Asks for jobs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ClaimJobs)]
struct Claim {
    /// Who asks.
    #[schema(value_type = WorkerText)]
    worker: WorkerId,
    /// The most jobs to hand out.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    max: usize,
    /// How long to wait for the first job when there is none, in milliseconds.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 60000, default = 0, example = 1000)]
    wait_ms: u64,
    /// How long each lease holds before it must be renewed, in milliseconds; as long as the queue says when left out.
    #[schema(minimum = 1000, maximum = 3_600_000, example = 30000)]
    lease_ms: Option<u64>,
}

const fn one() -> usize {
    1
}

/// The jobs that were handed out.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ClaimedJobs)]
struct Claimed {
    /// Each with its lease; none when no job came in time.
    jobs: Vec<JobView>,
}

/// Claim jobs
///
/// Each comes with a lease: the right to work on it until the lease ends. Settle it with the lease's token before
/// that, or renew it. A job whose lease ends is given to another worker. A client that leaves while it waits loses no job.
#[utoipa::path(post, path = "/api/v1/queues/{queue}/claim", tag = "workers", operation_id = "claimJobs",
    params(QueuePath),
    request_body = Claim,
    responses(
        (status = 200, description = "The jobs; none when no job came in time.", body = Claimed),
        (status = 404, description = "The queue is not declared."),
    ))]
async fn claim(
    _: OperatorOnly,
    State(yard): State<Yard>,
    stopping: Stopping,
    PathParams(queue): PathParams<QueueName>,
    JsonBody(Claim { worker, max, wait_ms, lease_ms }): JsonBody<Claim>,
) -> Result<Json<Claimed>, Problem> {
    check("max", max, &(1..=1000))?;
    check("waitMs", wait_ms, &(0..=60_000))?;
    if let Some(lease_ms) = lease_ms {
        check("leaseMs", lease_ms, &LEASE_MS)?;
    }
    check_worker(&worker)?;
    let declared = yard.declared_queues().find(|(name, _)| **name == queue);
    let usual = declared.map_or(LEASE, |(_, declared)| declared.settings().lease);
    let lease_for = lease_ms.map_or(usual, Duration::from_millis);
    let wait = Duration::from_millis(wait_ms);
    let claim = yard.claim(queue, max, lease_for, worker.clone(), wait);
    // A claim that is dropped, here or because the client has left, gives its jobs back. Nothing is awaited
    // after it, so that it is not dropped with jobs in hand.
    let leased = tokio::select! {
        biased;
        leased = claim => leased?,
        () = stopping.wait() => Vec::new(),
    };
    let jobs = leased.into_iter().map(|leased| JobView::leased(leased, &worker)).collect();
    Ok(Json(Claimed { jobs }))
}

fn check_worker(worker: &WorkerId) -> Result<(), Problem> {
    if !worker.is_local() {
        return Ok(());
    }
    let what = format!("begins with `{}`, which is for the server's own workers", WorkerId::LOCAL);
    Err(Problem::of(Code::INVALID_BODY, format!("`worker` {what}")).field("worker", what))
}
