//! `eventyard jobs update`, `priority` and `delay`.

use clap::{ArgGroup, Args};
use serde::Serialize;
use serde_json::value::RawValue;

use super::key::KeyArgs;
use crate::{
    client::{Call, Client},
    commands::publish,
    config::TimeSpan,
    output,
};

/// What is changed.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").required(true).multiple(true).args(["data", "priority", "delay", "run_at"])))]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// Its new data: JSON, @FILE to read it from a file, or - to read it from standard input
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    data: Option<String>,
    /// Its new priority; a lower number runs sooner
    #[arg(long, value_name = "N")]
    priority: Option<u32>,
    #[command(flatten)]
    time: TimeArgs,
}

/// When a job runs.
#[derive(Debug, Args)]
struct TimeArgs {
    /// Run this long after now, such as 10m; 0s is at once
    #[arg(long, value_name = "TIME")]
    delay: Option<TimeSpan>,
    /// Run at this instant, such as 2026-01-31T09:00:00Z
    #[arg(long, value_name = "INSTANT", conflicts_with = "delay")]
    run_at: Option<String>,
}

/// Another priority.
#[derive(Debug, Args)]
pub(crate) struct PriorityArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// The priority; a lower number runs sooner, 0 before all others
    #[arg(long, value_name = "N")]
    to: u32,
}

/// Another time.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("time").required(true).args(["by", "until"])))]
pub(crate) struct DelayArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// Run this long after now, such as 10m; 0s is at once
    #[arg(long, value_name = "TIME")]
    by: Option<TimeSpan>,
    /// Run at this instant, such as 2026-01-31T09:00:00Z
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
}

/// A change as the API takes it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_at: Option<String>,
}

impl UpdateArgs {
    pub(super) async fn run(self, client: &Client, json: bool) -> miette::Result<()> {
        let Self { key, data, priority, time } = self;
        let data = data.as_deref().map(|data| publish::read("--data", data)).transpose()?;
        let delay = time.delay.map(millis);
        change(client, key, Change { data, priority, delay, run_at: time.run_at }, json).await
    }
}

impl PriorityArgs {
    pub(super) async fn run(self, client: &Client, json: bool) -> miette::Result<()> {
        let what = Change { priority: Some(self.to), ..Change::default() };
        change(client, self.key, what, json).await
    }
}

impl DelayArgs {
    pub(super) async fn run(self, client: &Client, json: bool) -> miette::Result<()> {
        let what = Change { delay: self.by.map(millis), run_at: self.until, ..Change::default() };
        change(client, self.key, what, json).await
    }
}

async fn change(client: &Client, key: KeyArgs, change: Change, json: bool) -> miette::Result<()> {
    let (queue, id) = key.find(client).await?;
    let answer = client.call(Call::patch(["queues", &queue, "jobs", &id]).body(&change)?).await?;
    if json { output::json(&answer) } else { output::line(format!("{queue}/{id} changed")) }
}

fn millis(time: TimeSpan) -> u64 {
    u64::try_from(time.get().as_millis()).unwrap_or(u64::MAX)
}
