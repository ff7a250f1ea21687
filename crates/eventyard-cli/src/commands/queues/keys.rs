//! `eventyard queues keys`.

use clap::Args;
use serde_json::Value;

use crate::{
    client::{Call, Client},
    output,
};

/// Whose keys are listed.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    queue: String,
    /// The most keys
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Where to go on: the `next` of the page before
    #[arg(long)]
    cursor: Option<String>,
}

impl KeysArgs {
    pub(super) async fn run(self, client: &Client, json: bool) -> miette::Result<()> {
        let call = Call::get(["queues", &self.queue, "keys"])
            .query("limit", Some(self.limit))
            .query("cursor", self.cursor);
        let page = client.call(call).await?;
        if json {
            return output::json(&page);
        }
        let row = |key: &Value| {
            let paused = if key["paused"] == true { "paused" } else { "" };
            [
                key["key"].as_str().unwrap_or_default().to_owned(),
                paused.to_owned(),
                key["waiting"].to_string(),
                key["active"].to_string(),
            ]
        };
        let rows = page["items"].as_array().into_iter().flatten().map(row).collect();
        output::table(["KEY", "", "waiting", "active"], rows)?;
        if let Some(next) = page["next"].as_str() {
            output::tell(format_args!("there are more: --cursor {next}"));
        }
        Ok(())
    }
}
