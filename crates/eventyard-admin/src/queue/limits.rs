//! What a queue allows at once.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{QueueLimits, QueueName, Write, flow_control::InvalidLimit},
};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{find, one};
use crate::{
    Code, JsonBody, OperatorOnly, PathParams, Problem, ViewerOnly,
    audit::{Actor, Deed},
    request::{MAX_SAFE, QueuePath, check},
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(show)).routes(routes!(replace))
}

/// The limits of a queue, over all workers of all processes. What is left out is not limited.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QueueLimits, rename_all = "camelCase", example = json!({
    "rate": {"max": 100, "per": 1000}, "keys": {"ordered": true}
}))]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(super) struct Limits {
    /// How many jobs are active at once.
    #[schema(minimum = 1, maximum = 4_294_967_295_u32, example = 50)]
    concurrency: Option<u32>,
    /// How fast jobs begin.
    rate: Option<RateLimit>,
    /// How many unfinished jobs there may be that are not active; more are refused with `queue-full`.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 100_000)]
    max_length: Option<u64>,
    /// What holds for each key by itself.
    #[schema(required = false)]
    keys: KeyLimits,
}

/// How many jobs may begin in any period of a length.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rate)]
#[expect(dead_code, reason = "only describes the engine's own")]
struct RateLimit {
    /// The most jobs that begin in one period.
    #[schema(minimum = 1, maximum = 1_000_000, example = 100)]
    max: u32,
    /// The period's length, in milliseconds: up to 31 days.
    #[schema(minimum = 1, maximum = 2_678_400_000_i64, example = 1000)]
    per: u64,
}

/// What holds for each key of a queue by itself. Jobs without a key are together one key more.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only describes the engine's own")]
struct KeyLimits {
    /// How many jobs of a key are active at once. Does not hold for jobs without a key.
    #[schema(minimum = 1, maximum = 4_294_967_295_u32, example = 5)]
    concurrency: Option<u32>,
    /// How fast jobs of a key begin. Does not hold for jobs without a key.
    rate: Option<RateLimit>,
    /// Jobs of a key run one at a time and in order, retries included. Does not hold for jobs without a key.
    #[schema(required = false, default = false)]
    ordered: bool,
    /// How large the share of a key is next to the others, 1 to 1000; 1 for those that are not named.
    #[schema(required = false)]
    weights: BTreeMap<String, Weight>,
}

/// How large the share of a key is.
#[derive(ToSchema)]
#[schema(as = Weight, value_type = u32, minimum = 1, maximum = 1000, example = 3)]
#[expect(dead_code, reason = "only describes the engine's own")]
struct Weight(u32);

/// Show the limits of a queue
#[utoipa::path(get, path = "/api/v1/queues/{queue}/limits", tag = "queues", operation_id = "getLimits",
    params(QueuePath),
    responses(
        (status = 200, description = "Its limits; an empty object when nothing is limited.", body = Limits),
        (status = 404, description = "There is no such queue."),
    ))]
async fn show(
    _: ViewerOnly,
    State(yard): State<Yard>,
    PathParams(queue): PathParams<QueueName>,
) -> Result<Json<Arc<QueueLimits>>, Problem> {
    Ok(Json(one(&yard, &queue).await?.status.limits))
}

/// Replace the limits of a queue
///
/// They hold at once, for all workers. What is left out is not limited any more. They stay until they are replaced again:
/// also by a process that states others for the queue when it starts.
#[utoipa::path(put, path = "/api/v1/queues/{queue}/limits", tag = "queues", operation_id = "putLimits",
    params(QueuePath),
    request_body = Limits,
    responses(
        (status = 200, description = "They hold.", body = Limits),
        (status = 404, description = "There is no such queue."),
    ))]
async fn replace(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    PathParams(queue): PathParams<QueueName>,
    JsonBody(limits): JsonBody<QueueLimits>,
) -> Result<Json<QueueLimits>, Problem> {
    check("maxLength", limits.max_length.unwrap_or(0), &(0..=MAX_SAFE))?;
    limits.validate().map_err(invalid)?;
    find(&yard, &queue).await?;
    let deed = Deed::new("queue.limit").queue(&queue).details(json!(limits));
    actor.commit(&yard, deed, [Write::Limit(queue.clone(), limits.clone())]).await?;
    let told = serde_json::to_string(&limits).unwrap_or_default();
    tracing::info!(%queue, limits = told, "limits changed");
    Ok(Json(limits))
}

/// The body is the limits: their fields are its own.
fn invalid(InvalidLimit { field, problem }: InvalidLimit) -> Problem {
    Problem::of(Code::INVALID_LIMITS, format!("`{field}` {problem}")).field(field, problem)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use eventyard::model::{self, GroupKey, Rate};
    use utoipa::PartialSchema;

    use super::*;

    /// A limit that the engine learns must be described here.
    #[test]
    fn every_limit_is_described() {
        let rate = Some(Rate::new(1, Duration::from_secs(1)));
        let all = QueueLimits {
            concurrency: Some(1),
            rate,
            max_length: Some(1),
            keys: model::KeyLimits {
                concurrency: Some(1),
                rate,
                ordered: true,
                weights: [(GroupKey::new("a").unwrap(), 2)].into(),
            },
        };
        let keys = |value: &serde_json::Value| -> BTreeSet<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        let check = |schema, value: &serde_json::Value| {
            let schema = serde_json::to_value(schema).unwrap();
            assert_eq!(keys(&schema["properties"]), keys(value));
            assert_eq!(schema["additionalProperties"], false);
        };
        let all = serde_json::to_value(all).unwrap();
        check(Limits::schema(), &all);
        check(RateLimit::schema(), &all["rate"]);
        check(KeyLimits::schema(), &all["keys"]);
    }
}
