//! `eventyard queues`.

mod keys;
mod limits;
mod watch;

use clap::{Args, Subcommand};
use eventyard_core::JobState;
use serde_json::{Value, json};

use crate::{
    client::{Call, Client, ServerFlags},
    config::TimeSpan,
    output,
};

/// Look at the queues of a running server, and steer them
#[derive(Debug, Args)]
pub(crate) struct QueuesArgs {
    #[command(subcommand)]
    command: Option<QueuesCommand>,
    #[command(flatten)]
    server: ServerFlags,
    /// Print the server's answer as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum QueuesCommand {
    /// List every queue with its counts (what `eventyard queues` alone does)
    List,
    /// Stop handing out the jobs of a queue; active ones end as usual
    Pause { queue: String },
    /// Go on handing out the jobs of a queue
    Resume { queue: String },
    /// Remove the jobs that wait; active and finished ones stay
    Drain {
        queue: String,
        /// Remove the delayed ones too
        #[arg(long)]
        delayed: bool,
    },
    /// Remove finished jobs (or those of another state) by age
    Clean {
        /// The queue
        #[arg(required_unless_present = "all")]
        queue: Option<String>,
        /// Every queue
        #[arg(long, conflicts_with = "queue")]
        all: bool,
        /// The state that the jobs are in
        #[arg(long, default_value = "completed", value_parser = state)]
        state: JobState,
        /// Only jobs that have been in it for at least this long, such as 24h
        #[arg(long, value_name = "TIME", default_value = "0s")]
        older_than: TimeSpan,
        /// The most jobs to remove, the oldest first
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
    },
    /// Remove a queue with all its jobs; it is paused first
    Obliterate { queue: String },
    /// Show the limits of a queue
    Limits { queue: String },
    /// Replace the limits of a queue: what is not given is not limited any more
    Limit(limits::LimitArgs),
    /// List the keys of a queue that have jobs or are paused
    Keys(keys::KeysArgs),
    /// Stop handing out the jobs of one key of a queue; other keys go on
    PauseKey { queue: String, key: String },
    /// Go on handing out the jobs of one key of a queue
    ResumeKey { queue: String, key: String },
    /// Watch what happens on the queues, as it happens
    Watch(watch::WatchArgs),
}

/// Reads the name of a state.
///
/// # Errors
/// When there is no such state.
pub(super) fn state(name: &str) -> Result<JobState, String> {
    JobState::from_name(name).ok_or_else(|| {
        let names = JobState::ALL.map(JobState::as_str).join(", ");
        format!("there is no such state; use {names}")
    })
}

pub(crate) async fn run(args: QueuesArgs) -> miette::Result<()> {
    let client = args.server.client()?;
    let answer = match args.command.unwrap_or(QueuesCommand::List) {
        QueuesCommand::List => return list(&client, args.json).await,
        QueuesCommand::Pause { queue } => {
            client.call(Call::post(["queues", &queue, "pause"])).await?
        }
        QueuesCommand::Resume { queue } => {
            client.call(Call::post(["queues", &queue, "resume"])).await?
        }
        QueuesCommand::Drain { queue, delayed } => {
            let call = Call::post(["queues", &queue, "drain"]);
            client.call(call.body(&json!({"delayed": delayed}))?).await?
        }
        QueuesCommand::Clean { queue, state, older_than, limit, .. } => {
            let older_than_ms = u64::try_from(older_than.get().as_millis()).unwrap_or(u64::MAX);
            let body = json!({
                "queue": queue, "state": state, "olderThanMs": older_than_ms, "limit": limit,
            });
            client.call(Call::post(["queues", "clean"]).body(&body)?).await?
        }
        QueuesCommand::Obliterate { queue } => {
            client.call(Call::post(["queues", &queue, "obliterate"])).await?
        }
        QueuesCommand::Limits { queue } => return limits::show(&client, &queue, args.json).await,
        QueuesCommand::Limit(limit) => return limit.run(&client, args.json).await,
        QueuesCommand::Keys(keys) => return keys.run(&client, args.json).await,
        QueuesCommand::PauseKey { queue, key } => {
            client.call(Call::post(["queues", &queue, "keys", &key, "pause"])).await?
        }
        QueuesCommand::ResumeKey { queue, key } => {
            client.call(Call::post(["queues", &queue, "keys", &key, "resume"])).await?
        }
        QueuesCommand::Watch(watch) => return watch.run(&client, args.json).await,
    };
    if args.json {
        return output::json(&answer);
    }
    output::line(match (&answer["removed"], &answer["paused"]) {
        (Value::Number(n), _) => format!("{n} removed"),
        (_, Value::Bool(true)) => "paused".to_owned(),
        (_, Value::Bool(false)) => "runs".to_owned(),
        _ => "done".to_owned(),
    })
}

async fn list(client: &Client, json: bool) -> miette::Result<()> {
    let answer = client.call(Call::get(["queues"])).await?;
    if json {
        return output::json(&answer);
    }
    let shown = [
        JobState::Waiting,
        JobState::Paused,
        JobState::Prioritized,
        JobState::Delayed,
        JobState::WaitingChildren,
        JobState::Active,
        JobState::Completed,
        JobState::Failed,
    ];
    let row = |queue: &Value| -> [String; 10] {
        let name = queue["name"].as_str().unwrap_or_default();
        let mut row = [const { String::new() }; 10];
        name.clone_into(&mut row[0]);
        if queue["paused"] == true {
            "paused".clone_into(&mut row[1]);
        }
        for (cell, state) in row[2..].iter_mut().zip(shown) {
            *cell = queue["counts"][state.as_str()].to_string();
        }
        row
    };
    let rows = answer["items"].as_array().into_iter().flatten().map(row).collect();
    let mut header = [""; 10];
    header[0] = "QUEUE";
    for (cell, state) in header[2..].iter_mut().zip(shown) {
        *cell = state.as_str();
    }
    output::table(header, rows)
}
