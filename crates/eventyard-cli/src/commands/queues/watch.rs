//! `eventyard queues watch`.

use clap::Args;
use miette::{IntoDiagnostic, WrapErr};
use serde_json::Value;

use crate::{
    client::{Call, Client},
    output,
};

/// What is watched.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Only these queues
    queues: Vec<String>,
    /// Only this kind, such as failed; can be given several times
    #[arg(long = "event", value_name = "KIND")]
    events: Vec<String>,
    /// Only this job; can be given several times
    #[arg(long = "job", value_name = "ID")]
    jobs: Vec<String>,
    /// End after this many events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

impl WatchArgs {
    pub(super) async fn run(self, client: &Client, json: bool) -> miette::Result<()> {
        let Self { queues, events, jobs, limit } = self;
        let mut call = Call::get(["stream"]);
        for (name, values) in [("queue", queues), ("event", events), ("job", jobs)] {
            call = values.into_iter().fold(call, |call, value| call.query(name, Some(value)));
        }
        let mut stream = client.listen(call).await?;
        output::tell("watching; Ctrl-C ends it");
        let mut heard = 0;
        while limit.is_none_or(|limit| heard < limit) {
            let Some(data) = stream.next().await? else {
                output::tell("the server has ended the stream");
                break;
            };
            if json {
                output::line(data)?;
            } else {
                let event = serde_json::from_str(&data);
                output::line(line(&event.into_diagnostic().wrap_err("an event is no JSON")?))?;
            }
            heard += 1;
        }
        Ok(())
    }
}

/// An event in a line.
fn line(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    if text("event") == "missed" {
        return "some events were forgotten before they were heard".to_owned();
    }
    let job = match text("jobId") {
        "" => text("queue").to_owned(),
        id => format!("{}/{id}", text("queue")),
    };
    let reason = event["failedReason"]["message"]
        .as_str()
        .map(|text| text.lines().next().unwrap_or_default().to_owned());
    let named =
        |name: &str, what: &str| (!text(name).is_empty()).then(|| format!("{what}{}", text(name)));
    let progress = (!event["progress"].is_null()).then(|| event["progress"].to_string());
    let details =
        [named("name", ""), named("worker", "by "), named("dueAt", "until "), progress, reason];
    let details: Vec<String> = details.into_iter().flatten().collect();
    let line = format!("{} {job} {} {}", text("at"), text("event"), details.join(": "));
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_lines() {
        let check = |event: Value, expected: &str| assert_eq!(line(&event), expected);
        check(json!({"event": "paused", "queue": "q", "at": "t"}), "t q paused");
        let added = json!({"event": "added", "queue": "q", "jobId": "j", "at": "t", "name": "n"});
        check(added, "t q/j added n");
        let failed = json!({
            "event": "delayed", "queue": "q", "jobId": "j", "at": "t", "dueAt": "u",
            "failedReason": {"kind": "error", "message": "busy\nvery"},
        });
        check(failed, "t q/j delayed until u: busy");
    }
}
