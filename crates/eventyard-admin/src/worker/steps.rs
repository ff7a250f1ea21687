//! What an attempt has done already, for when the job runs again.

use axum::{Json, extract::State, http::StatusCode};
use eventyard::{Yard, model::StepName};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::token;
use crate::{
    JsonBody, List, OperatorOnly, PathParams, Problem,
    job::Step,
    request::{LeasePath, StepText},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(save)).routes(routes!(saved))
}

/// A step that is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStep, example = json!({"name": "charge", "result": {"chargeId": "c-1"}}))]
struct New {
    /// What it is called, in every attempt of the job.
    #[schema(value_type = StepText)]
    name: StepName,
    /// What it came to; at most 1 MiB.
    #[schema(value_type = Value)]
    result: Box<RawValue>,
}

/// Save a step of a job
///
/// It is saved at once and stays as long as the job, whatever becomes of the attempt; one of the same name is replaced.
/// A job has at most 1000.
#[utoipa::path(post, path = "/api/v1/leases/{token}/step", tag = "workers", operation_id = "saveStep",
    params(LeasePath),
    request_body = New,
    responses(
        (status = 204, description = "It is saved."),
        (status = 404, description = "The lease does not hold."),
        (status = 409, description = "The lease has just passed to another worker, or the job has 1000 steps."),
    ))]
async fn save(
    _: OperatorOnly,
    State(yard): State<Yard>,
    path: PathParams<String>,
    JsonBody(New { name, result }): JsonBody<New>,
) -> Result<StatusCode, Problem> {
    let text: Box<str> = result.into();
    yard.save_step(token(path)?, name, text.into_string().into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read the saved steps of a job
///
/// A worker reads them before its first step, and does not do again what is there. In the order in which they were
/// saved first, nothing masked.
#[utoipa::path(get, path = "/api/v1/leases/{token}/steps", tag = "workers", operation_id = "getSteps",
    params(LeasePath),
    responses(
        (status = 200, description = "The steps.", body = List<Step>),
        (status = 404, description = "The lease does not hold."),
    ))]
async fn saved(
    _: OperatorOnly,
    State(yard): State<Yard>,
    path: PathParams<String>,
) -> Result<Json<List<Step>>, Problem> {
    let steps = yard.saved_steps(token(path)?).await?;
    Ok(Json(List::whole(steps.into_iter().map(Step::of).collect())))
}
