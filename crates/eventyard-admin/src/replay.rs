//! Replaying dead letters at a rate: in the background, so that it goes on when nobody looks.

mod registry;
mod view;

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use eventyard::{
    Yard,
    model::{JobState, PageAsk, QueueName},
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Code, JsonBody, List, OperatorOnly, PathParams, Problem, Stopping, ViewerOnly,
    audit::{Actor, Deed},
    failed,
    job::Filter,
    queue,
    request::{MAX_SAFE, QueueText, check},
};
pub(crate) use registry::Replays;
use registry::Run;
use view::{ReplayPath, ReplayView};

/// How often a replay takes up its share of the rate.
const BEAT: Duration = Duration::from_millis(200);
/// The highest rate, in jobs a second.
const MAX_RATE: u32 = 100_000;
/// How many dead letters are read, and retried in one commit, at most.
const PIECE: usize = 500;

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(list, start)).routes(routes!(stop))
}

/// Which dead letters are replayed, and how fast.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewReplay, example = json!({"queue": "emails", "perSecond": 20, "error": "refused"}))]
pub(crate) struct Ask {
    /// One queue; every queue when left out.
    #[schema(value_type = Option<QueueText>)]
    queue: Option<QueueName>,
    /// Only jobs whose name holds this text, without regard to case.
    name: Option<String>,
    /// Only jobs whose reason holds this text, without regard to case.
    error: Option<String>,
    /// How many jobs a second wait again; as fast as the store takes them when left out.
    #[schema(minimum = 1, maximum = 100_000, example = 20)]
    per_second: Option<u32>,
    /// The most jobs to replay, the newest first; all when left out.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 1000)]
    limit: Option<u64>,
}

/// Replay dead letters at a rate
///
/// They wait again, with all their attempts, the newest first. It goes on in the background: look at it with the listing,
/// stop it by its id. A job that fails again in the meantime is not replayed twice. It ends with the server: what was not
/// replayed until then stays a dead letter.
#[utoipa::path(post, path = "/api/v1/replays", tag = "failed", operation_id = "startReplay",
    request_body = Ask,
    responses(
        (status = 202, description = "It has begun.", body = ReplayView),
        (status = 404, description = "There is no such queue."),
        (status = 429, description = "Too many replays are under way."),
    ))]
async fn start(
    _: OperatorOnly,
    State(yard): State<Yard>,
    replays: Replays,
    stopping: Stopping,
    actor: Actor,
    JsonBody(ask): JsonBody<Ask>,
) -> Result<(StatusCode, Json<ReplayView>), Problem> {
    check("perSecond", ask.per_second.unwrap_or(1), &(1..=MAX_RATE))?;
    check("limit", ask.limit.unwrap_or(1), &(1..=MAX_SAFE))?;
    if let Some(queue) = &ask.queue {
        queue::find(&yard, queue).await?;
    }
    let run = replays.add(&ask, actor.name(), yard.clock().now())?;
    let Ask { name, error, per_second, limit, .. } = &ask;
    let how = json!({"name": name, "error": error, "perSecond": per_second, "limit": limit});
    let deed = Deed::new("failed.replay").any_queue(ask.queue.as_ref()).details(how);
    let begun = match actor.begin(&yard, deed).await {
        Ok(begun) => begun,
        Err(error) => {
            run.end(yard.clock().now(), Some(error.to_string()));
            return Err(error.into());
        }
    };
    let view = run.view();
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = replay(&yard, &ask, &run) => ended,
            () = run.stopped() => Ok(()),
            () = stopping.wait() => Ok(()),
        };
        let problem = ended.err().map(|problem| problem.detail().to_owned());
        tracing::info!(replayed = run.replayed(), problem, "replay ended");
        run.end(yard.clock().now(), problem);
        begun.end(&yard, run.replayed()).await;
    });
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Retries dead letters at the rate until there are no more.
async fn replay(yard: &Yard, ask: &Ask, run: &Arc<Run>) -> Result<(), Problem> {
    let filter = Filter::new(ask.name.clone(), None, ask.error.clone(), None, None);
    let mut left = ask.limit.unwrap_or(u64::MAX);
    let share = ask.per_second.map(|rate| f64::from(rate) * BEAT.as_secs_f64());
    // What the rate allows now; less than one job is carried over.
    let (mut allowed, mut cursor) = (0.0, None);
    loop {
        let size = match share {
            Some(share) => {
                allowed += share;
                (allowed as usize).min(PIECE)
            }
            None => PIECE,
        };
        let size = size.min(usize::try_from(left).unwrap_or(usize::MAX));
        if size > 0 {
            // The listing goes from the newest to the oldest: what fails again now is behind us.
            let page = PageAsk { limit: size, cursor };
            let page = yard.inspect().jobs(ask.queue.as_ref(), JobState::Failed, page).await?;
            let wanted = page.items.iter().filter(|status| filter.wants(status));
            let keys: Vec<_> = wanted.map(|status| status.job.key()).collect();
            allowed -= keys.len() as f64;
            let retried = failed::retry_each(yard, keys).await?;
            run.count(retried);
            left -= retried.min(left);
            cursor = page.next;
            if cursor.is_none() || left == 0 {
                return Ok(());
            }
        }
        match share {
            Some(_) => yard.clock().sleep(BEAT).await,
            None => tokio::task::yield_now().await,
        }
    }
}

/// List the replays
///
/// Those under way and the last ones that ended, the newest first.
#[utoipa::path(get, path = "/api/v1/replays", tag = "failed", operation_id = "listReplays",
    responses((status = 200, description = "Every replay that is remembered.", body = List<ReplayView>)))]
async fn list(_: ViewerOnly, replays: Replays) -> Json<List<ReplayView>> {
    Json(List::whole(replays.all()))
}

/// Stop a replay
///
/// What was replayed until now stays so. Stopping one that has ended changes nothing.
#[utoipa::path(delete, path = "/api/v1/replays/{id}", tag = "failed", operation_id = "stopReplay",
    params(ReplayPath),
    responses(
        (status = 200, description = "It is stopped.", body = ReplayView),
        (status = 404, description = "There is no such replay."),
    ))]
async fn stop(
    _: OperatorOnly,
    replays: Replays,
    PathParams(id): PathParams<String>,
) -> Result<Json<ReplayView>, Problem> {
    let run = replays.find(&id).ok_or_else(|| {
        let detail = format!("there is no replay {id}; it may have ended long ago");
        Problem::of(Code::NO_SUCH_REPLAY, detail)
    })?;
    run.stop();
    Ok(Json(run.view()))
}
