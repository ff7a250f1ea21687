//! `eventyard events`.

use clap::{Args, Subcommand};
use miette::IntoDiagnostic;
use serde_json::Value;

use crate::{
    client::{Call, ServerFlags},
    output,
};

/// Look at the event log of a running server
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    #[command(subcommand)]
    command: EventsCommand,
    #[command(flatten)]
    server: ServerFlags,
    /// Print the server's answer as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum EventsCommand {
    /// List events, the newest first
    List {
        /// Only this type
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// Only events of this story
        #[arg(long, value_name = "ID")]
        correlation_id: Option<String>,
        /// The most events
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        /// Where to go on: the `next` of the page before
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
    /// Show one event
    Show { id: String },
}

pub(crate) async fn run(args: EventsArgs) -> miette::Result<()> {
    let client = args.server.client()?;
    let (kind, correlation_id, limit, after) = match args.command {
        EventsCommand::Show { id } => {
            let event = client.call(Call::get(["events", &id])).await?;
            return match args.json {
                true => output::json(&event),
                false => output::line(serde_json::to_string_pretty(&event).into_diagnostic()?),
            };
        }
        EventsCommand::List { kind, correlation_id, limit, after } => {
            (kind, correlation_id, limit, after)
        }
    };
    let call = Call::get(["events"])
        .query("type", kind)
        .query("correlationId", correlation_id)
        .query("limit", Some(limit))
        .query("after", after);
    let page = client.call(call).await?;
    if args.json {
        return output::json(&page);
    }
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let row =
        |event: &Value| ["time", "type", "id", "source", "subject"].map(|name| text(event, name));
    let rows = page["items"].as_array().into_iter().flatten().map(row).collect();
    output::table(["TIME", "TYPE", "ID", "SOURCE", "SUBJECT"], rows)?;
    if let Some(next) = page["next"].as_str() {
        output::tell(format_args!("there are more: --after {next}"));
    }
    Ok(())
}
