//! `eventyard flows`.

use std::{
    fs,
    io::{Read, stdin},
};

use clap::{Args, Subcommand};
use miette::{IntoDiagnostic, WrapErr, miette};
use serde_json::{Value, value::RawValue};

use crate::{
    client::{Call, ServerFlags},
    output,
};

/// Add jobs that wait for other jobs to a running server
#[derive(Debug, Args)]
pub(crate) struct FlowsArgs {
    #[command(subcommand)]
    command: FlowsCommand,
    #[command(flatten)]
    server: ServerFlags,
    /// Print the server's answer as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum FlowsCommand {
    /// Add a job with the jobs that it waits for: all of them or none
    Add {
        /// The flow: a JSON file, or - for standard input
        file: String,
    },
}

pub(crate) async fn run(args: FlowsArgs) -> miette::Result<()> {
    let client = args.server.client()?;
    let FlowsCommand::Add { file } = args.command;
    let answer = client.call(Call::post(["flows"]).body(&read(&file)?)?).await?;
    if args.json {
        return output::json(&answer);
    }
    let mut lines = Vec::new();
    tell(&answer, 0, &mut lines);
    output::line(lines.join("\n"))
}

/// The jobs that were added, each below the one that waits for it.
fn tell(job: &Value, depth: usize, lines: &mut Vec<String>) {
    let text = |name: &str| job[name].as_str().unwrap_or_default();
    let known = if job["duplicate"] == true { " (was there already)" } else { "" };
    let indent = "  ".repeat(depth);
    lines.push(format!("{indent}{}/{}{known}", text("queue"), text("jobId")));
    for child in job["children"].as_array().into_iter().flatten() {
        tell(child, depth + 1, lines);
    }
}

/// The flow in a file. It is sent as it is read: numbers keep their digits.
fn read(file: &str) -> miette::Result<Box<RawValue>> {
    let text = if file == "-" {
        let mut text = String::new();
        let read = stdin().read_to_string(&mut text).into_diagnostic();
        read.wrap_err("cannot read standard input")?;
        text
    } else {
        let text = fs::read_to_string(file).into_diagnostic();
        text.wrap_err_with(|| format!("cannot read the file {file}"))?
    };
    serde_json::from_str(&text).map_err(|error| {
        miette!(
            help = r#"a flow is like {"queue": "emails", "name": "announce", "children": [...]}"#,
            "what {} says is not JSON: {error}",
            if file == "-" { "standard input" } else { file }
        )
    })
}
