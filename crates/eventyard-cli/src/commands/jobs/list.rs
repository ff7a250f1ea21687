//! `eventyard jobs list`.

use clap::Args;
use eventyard_core::JobState;
use serde_json::{Value, json};

use crate::{
    client::{Call, Client},
    commands::queues::state,
    output,
};

/// Which jobs are listed.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only jobs of this queue
    #[arg(value_name = "QUEUE")]
    queue: Option<String>,
    /// The same
    #[arg(long = "queue", value_name = "QUEUE", conflicts_with = "queue")]
    of_queue: Option<String>,
    /// Only jobs in this state
    #[arg(long, value_parser = state)]
    state: Option<JobState>,
    /// The most jobs
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Where to go on: the `next` of the page before; with a queue and a state
    #[arg(long, requires = "state")]
    cursor: Option<String>,
}

pub(super) async fn run(client: &Client, args: ListArgs, json: bool) -> miette::Result<()> {
    let ListArgs { queue, of_queue, state, limit, cursor } = args;
    let queue = queue.or(of_queue);
    let gathers = queue.is_none() || state.is_none();
    let page = match (queue, state) {
        (Some(queue), Some(state)) => page(client, &queue, state, limit, cursor).await?,
        (queue, state) => gather(client, queue.as_deref(), state, limit).await?,
    };
    if json {
        return output::json(&page);
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let row = |job: &Value| {
        let reason = text(&job["failedReason"]["message"]);
        [
            text(&job["queue"]),
            text(&job["id"]),
            text(&job["name"]),
            text(&job["state"]),
            text(&job["attemptsMade"]),
            text(&job["createdAt"]),
            reason.lines().next().unwrap_or_default().to_owned(),
        ]
    };
    let rows: Vec<_> = page["items"].as_array().into_iter().flatten().map(row).collect();
    let is_full = rows.len() == limit;
    output::table(["QUEUE", "ID", "NAME", "STATE", "ATTEMPTS", "ADDED", "REASON"], rows)?;
    if let Some(next) = page["next"].as_str() {
        output::tell(format_args!("there are more: --cursor {next}"));
    } else if gathers && is_full {
        output::tell(
            "there may be more: raise --limit, or name a queue and a --state to page through them",
        );
    }
    Ok(())
}

async fn page(
    client: &Client,
    queue: &str,
    state: JobState,
    limit: usize,
    cursor: Option<String>,
) -> miette::Result<Value> {
    let call = Call::get(["queues", queue, "jobs"])
        .query("state", Some(state))
        .query("limit", Some(limit))
        .query("cursor", cursor);
    client.call(call).await
}

/// The first jobs of every queue and state that is asked for and has any.
async fn gather(
    client: &Client,
    queue: Option<&str>,
    state: Option<JobState>,
    limit: usize,
) -> miette::Result<Value> {
    let stats = client.call(Call::get(["queues", "stats"]).query("queue", queue)).await?;
    let queues = match &stats["queues"] {
        Value::Array(queues) => queues.iter().collect(),
        _ => vec![&stats],
    };
    let mut items = Vec::new();
    for of_queue in queues {
        let name = of_queue["queue"].as_str().unwrap_or_default();
        for state in JobState::ALL.into_iter().filter(|s| state.is_none_or(|state| state == *s)) {
            let some = of_queue["stats"][state.as_str()].as_u64().is_some_and(|n| n > 0);
            if some && items.len() < limit {
                let page = page(client, name, state, limit - items.len(), None).await?;
                items.extend(page["items"].as_array().into_iter().flatten().cloned());
            }
        }
    }
    Ok(json!({"items": items, "next": null}))
}
