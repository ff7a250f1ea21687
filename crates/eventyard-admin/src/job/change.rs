//! Changing a job that is not finished: its data, its priority, its time.

use std::time::Duration;

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{JobKey, Timestamp, Write, options::MAX_PRIORITY},
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    JobRef, add,
    one::{KeyInPath, key},
};
use crate::{
    Code, JsonBody, OperatorOnly, Problem,
    audit::{Actor, Deed},
    request::{JobPath, MAX_SAFE, check},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(change))
}

/// What is changed; what is left out stays. At least one thing must be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ChangeJob, example = json!({"priority": 1}))]
struct Change {
    /// What the next attempt gets instead, null included. The job must not be finished.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Value, required = false)]
    data: Option<Box<RawValue>>,
    /// Its priority; it goes behind those that have it already. The job must wait or be delayed.
    #[schema(minimum = 0, maximum = 2_097_151, example = 1)]
    priority: Option<u32>,
    /// Runs this long after now, in milliseconds; 0 is at once. The job must wait or be delayed.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 60000)]
    delay: Option<u64>,
    /// Runs at this instant; at once when it is not in the future. Not together with `delay`.
    #[schema(value_type = Option<String>, format = DateTime)]
    run_at: Option<Timestamp>,
}

/// Reads a value that may also be null.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
}

/// Change a job that is not finished
///
/// Its data, its priority, or when it runs: all that is given, or nothing of it.
#[utoipa::path(patch, path = "/api/v1/queues/{queue}/jobs/{id}", tag = "jobs", operation_id = "changeJob",
    params(JobPath),
    request_body = Change,
    responses(
        (status = 200, description = "It is changed.", body = JobRef),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "It is in a state in which this cannot be changed."),
    ))]
async fn change(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    path: KeyInPath,
    JsonBody(change): JsonBody<Change>,
) -> Result<Json<JobRef>, Problem> {
    let key = key(path);
    let changed = json!({
        "data": change.data.is_some(), "priority": change.priority, "delay": change.delay,
        "runAt": change.run_at,
    });
    let writes = change.writes(&key, yard.clock().now())?;
    actor.commit(&yard, Deed::new("job.change").job(&key).details(changed), writes).await?;
    Ok(Json(key.into()))
}

impl Change {
    /// The writes that make the change, if it can be made at all.
    fn writes(self, job: &JobKey, now: Timestamp) -> Result<Vec<Write>, Problem> {
        let Self { data, priority, delay, run_at } = self;
        check("priority", priority.unwrap_or(0), &(0..=MAX_PRIORITY))?;
        check("delay", delay.unwrap_or(0), &(0..=MAX_SAFE))?;
        if delay.is_some() && run_at.is_some() {
            let what = "is given together with `delay`; use one of them";
            return Err(invalid(&format!("`runAt` {what}")).field("runAt", what));
        }
        let at = delay.map(|delay| now + Duration::from_millis(delay)).or(run_at);
        let job = || job.clone();
        let update = data.map(|data| Write::Update { job: job(), data: add::bytes(data) });
        let reprioritize = priority.map(|priority| Write::Reprioritize { job: job(), priority });
        let reschedule = at.map(|at| Write::Reschedule { job: job(), at });
        let writes: Vec<_> = [update, reprioritize, reschedule].into_iter().flatten().collect();
        if writes.is_empty() {
            return Err(invalid("nothing is changed; give `data`, `priority`, `delay` or `runAt`"));
        }
        Ok(writes)
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::of(Code::INVALID_BODY, detail)
}
