//! `eventyard jobs`.

mod change;
mod children;
mod key;
mod list;

use clap::{Args, Subcommand};
use miette::IntoDiagnostic;
use serde_json::json;

use crate::{
    client::{Call, ServerFlags},
    output,
};
use key::KeyArgs;

/// Look at the jobs of a running server, and steer them
#[derive(Debug, Args)]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    command: JobsCommand,
    #[command(flatten)]
    server: ServerFlags,
    /// Print the server's answer as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum JobsCommand {
    /// List jobs: those that run next first, finished ones newest first
    List(list::ListArgs),
    /// Show a job with its attempts and its steps
    Show(KeyArgs),
    /// Make a failed or completed job wait again, with all its attempts
    Retry(KeyArgs),
    /// Make a delayed job wait at once
    Promote(KeyArgs),
    /// Remove a job that is not active
    Remove(KeyArgs),
    /// Cancel a job that is not finished: it ends as failed, and if it runs its worker is told
    Cancel {
        #[command(flatten)]
        key: KeyArgs,
        /// Why, for a person to read
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Change a job that is not finished: its data, its priority or its time, all together
    Update(change::UpdateArgs),
    /// Give a waiting or delayed job another priority
    Priority(change::PriorityArgs),
    /// Make a waiting or delayed job run at another time
    Delay(change::DelayArgs),
    /// List the jobs that a job waits for or has waited for
    Children(children::ChildrenArgs),
}

pub(crate) async fn run(args: JobsArgs) -> miette::Result<()> {
    let client = args.server.client()?;
    let (key, action, done) = match args.command {
        JobsCommand::List(list) => return list::run(&client, list, args.json).await,
        JobsCommand::Show(key) => {
            let (queue, id) = key.find(&client).await?;
            let job = client.call(Call::get(["queues", &queue, "jobs", &id])).await?;
            return match args.json {
                true => output::json(&job),
                false => output::line(serde_json::to_string_pretty(&job).into_diagnostic()?),
            };
        }
        JobsCommand::Retry(key) => (key, Some("retry"), "waits again"),
        JobsCommand::Promote(key) => (key, Some("promote"), "waits now"),
        JobsCommand::Remove(key) => (key, None, "removed"),
        JobsCommand::Cancel { key, reason } => {
            let (queue, id) = key.find(&client).await?;
            let call = Call::post(["queues", &queue, "jobs", &id, "cancel"]);
            let answer = client.call(call.body(&json!({"reason": reason}))?).await?;
            let told = format!("{queue}/{id} cancelled");
            return if args.json { output::json(&answer) } else { output::line(told) };
        }
        JobsCommand::Update(update) => return update.run(&client, args.json).await,
        JobsCommand::Priority(priority) => return priority.run(&client, args.json).await,
        JobsCommand::Delay(delay) => return delay.run(&client, args.json).await,
        JobsCommand::Children(children) => return children.run(&client, args.json).await,
    };
    let (queue, id) = key.find(&client).await?;
    let answer = match action {
        Some(action) => client.call(Call::post(["queues", &queue, "jobs", &id, action])).await?,
        None => client.call(Call::delete(["queues", &queue, "jobs", &id])).await?,
    };
    if args.json { output::json(&answer) } else { output::line(format!("{queue}/{id} {done}")) }
}
