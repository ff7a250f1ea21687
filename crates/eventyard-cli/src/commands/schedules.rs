//! `eventyard schedules`.

mod set;

use clap::{Args, Subcommand};
use miette::IntoDiagnostic;
use serde_json::Value;

use crate::{
    client::{Call, Client, ServerFlags},
    output,
};

/// Look at the schedules of a running server, and steer them
#[derive(Debug, Args)]
pub(crate) struct SchedulesArgs {
    #[command(subcommand)]
    command: Option<SchedulesCommand>,
    #[command(flatten)]
    server: ServerFlags,
    /// Print the server's answer as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum SchedulesCommand {
    /// List schedules with their last and next runs (what `eventyard schedules` alone does)
    List {
        /// The most schedules
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// Where to go on: the `next` of the page before
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
    /// Show one schedule
    Show { name: String },
    /// Add a schedule, or replace the one of this name
    Set(Box<set::SetArgs>),
    /// Remove a schedule; the jobs that it has added stay
    Remove { name: String },
    /// Stop a schedule from adding jobs
    Pause { name: String },
    /// Let a schedule go on with its next time
    Resume { name: String },
    /// Add the job of a schedule at once; its next run stays as it is
    Run { name: String },
}

pub(crate) async fn run(args: SchedulesArgs) -> miette::Result<()> {
    let client = args.server.client()?;
    let list = SchedulesCommand::List { limit: 100, after: None };
    let (call, say): (Call, fn(&Value) -> String) = match args.command.unwrap_or(list) {
        SchedulesCommand::List { limit, after } => {
            return self::list(&client, limit, after, args.json).await;
        }
        SchedulesCommand::Show { name } => {
            let schedule = client.call(Call::get(["schedules", &name])).await?;
            return match args.json {
                true => output::json(&schedule),
                false => output::line(serde_json::to_string_pretty(&schedule).into_diagnostic()?),
            };
        }
        SchedulesCommand::Set(set) => (set.call()?, next),
        SchedulesCommand::Remove { name } => {
            (Call::delete(["schedules", &name]), |_| "removed".to_owned())
        }
        SchedulesCommand::Pause { name } => (Call::post(["schedules", &name, "pause"]), next),
        SchedulesCommand::Resume { name } => (Call::post(["schedules", &name, "resume"]), next),
        SchedulesCommand::Run { name } => {
            (Call::post(["schedules", &name, "run"]), |job| text(job, "jobId"))
        }
    };
    let answer = client.call(call).await?;
    if args.json { output::json(&answer) } else { output::line(say(&answer)) }
}

/// When a schedule is next, in words.
fn next(schedule: &Value) -> String {
    match schedule["nextRun"].as_str() {
        Some(next) => format!("next run at {next}"),
        None if schedule["paused"] == true => "paused".to_owned(),
        None => "has come to its end".to_owned(),
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

async fn list(
    client: &Client,
    limit: usize,
    after: Option<String>,
    json: bool,
) -> miette::Result<()> {
    let call = Call::get(["schedules"]).query("limit", Some(limit)).query("cursor", after);
    let page = client.call(call).await?;
    if json {
        return output::json(&page);
    }
    let row = |schedule: &Value| {
        let when = match &schedule["every"] {
            Value::Number(ms) => format!("every {ms} ms"),
            _ => format!("{} {}", text(schedule, "cron"), text(schedule, "timeZone")),
        };
        let state = if schedule["paused"] == true { "paused" } else { "" };
        let job = &schedule["job"];
        [
            text(schedule, "name"),
            state.to_owned(),
            when.trim_end().to_owned(),
            format!("{}/{}", text(job, "queue"), text(job, "name")),
            schedule["runs"].to_string(),
            text(schedule, "lastRun"),
            text(schedule, "nextRun"),
        ]
    };
    let rows = page["items"].as_array().into_iter().flatten().map(row).collect();
    output::table(["SCHEDULE", "", "WHEN", "JOB", "RUNS", "LAST RUN", "NEXT RUN"], rows)?;
    if let Some(next) = page["next"].as_str() {
        output::tell(format_args!("there are more: --after {next}"));
    }
    Ok(())
}
