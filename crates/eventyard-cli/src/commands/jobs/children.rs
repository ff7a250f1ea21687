//! `eventyard jobs children`.

use clap::Args;
use serde_json::Value;

use super::key::KeyArgs;
use crate::{
    client::{Call, Client},
    output,
};

/// Whose children are listed.
#[derive(Debug, Args)]
pub(crate) struct ChildrenArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// The most children
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Where to go on: the `next` of the page before
    #[arg(long)]
    cursor: Option<String>,
}

impl ChildrenArgs {
    pub(super) async fn run(self, client: &Client, json: bool) -> miette::Result<()> {
        let (queue, id) = self.key.find(client).await?;
        let call = Call::get(["queues", &queue, "jobs", &id, "children"])
            .query("limit", Some(self.limit))
            .query("cursor", self.cursor);
        let page = client.call(call).await?;
        if json {
            return output::json(&page);
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let row = |child: &Value| {
            let reason = text(&child["failedReason"]["message"]);
            [
                text(&child["queue"]),
                text(&child["jobId"]),
                text(&child["outcome"]),
                reason.lines().next().unwrap_or_default().to_owned(),
            ]
        };
        let rows = page["items"].as_array().into_iter().flatten().map(row).collect();
        output::table(["QUEUE", "ID", "OUTCOME", "REASON"], rows)?;
        if let Some(next) = page["next"].as_str() {
            output::tell(format_args!("there are more: --cursor {next}"));
        }
        Ok(())
    }
}
