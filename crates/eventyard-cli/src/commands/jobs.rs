//! `eventyard jobs`.

mod key;
mod list;

use clap::{Args, Subcommand};
use miette::IntoDiagnostic;

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
    /// Show a job with its attempts
    Show(KeyArgs),
    /// Make a failed or completed job wait again, with all its attempts
    Retry(KeyArgs),
    /// Make a delayed job wait at once
    Promote(KeyArgs),
    /// Remove a job that is not active
    Remove(KeyArgs),
    /// Cancel a job: it ends as failed, and its handler is told
    Cancel(KeyArgs),
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
        JobsCommand::Cancel(key) => (key, Some("cancel"), "cancelled"),
    };
    let (queue, id) = key.find(&client).await?;
    let answer = match action {
        Some(action) => client.call(Call::post(["queues", &queue, "jobs", &id, action])).await?,
        None => client.call(Call::delete(["queues", &queue, "jobs", &id])).await?,
    };
    if args.json { output::json(&answer) } else { output::line(format!("{queue}/{id} {done}")) }
}
