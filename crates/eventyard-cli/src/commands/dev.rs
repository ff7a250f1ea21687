//! `eventyard dev`.

use clap::Args;
use eventyard_core::Durability;
use serde_json::json;

use crate::{
    config::ConfigError,
    flags::RunFlags,
    logging::{self, Reader},
    output,
    serve::Served,
};

/// Run everything in one process for development: an embedded store, booking notifications, mock events, and a
/// mailbox in place of a mail server
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    #[command(flatten)]
    flags: RunFlags,
    /// Print where the server is as a line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: DevArgs) -> miette::Result<()> {
    let loaded = args.flags.load(true).map_err(ConfigError::report)?;
    logging::start(&loaded.config.log, Reader::Developer)?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    let served = Served::start(&loaded.config, true).await?;
    let url = served.url();
    let capabilities = served.yard().capabilities();
    if args.json {
        output::json(&json!({
            "server": url,
            "store": capabilities.name,
            "durability": capabilities.durability,
        }))?;
    }
    output::tell(format_args!(
        "Eventyard is running ({}, {})",
        capabilities.name,
        brief(capabilities.durability)
    ));
    if let Some(file) = &loaded.file {
        output::tell(format_args!("  config    {}", file.display()));
    }
    if loaded.config.dashboard.enabled {
        output::tell(format_args!("  dashboard {url}/queues"));
    }
    output::tell(format_args!("  API       {url}/api/v1"));
    output::tell(format_args!("  docs      {url}/docs"));
    if loaded.config.channels.mailbox.enabled {
        output::tell(format_args!("  mailbox   {url}/api/v1/mailbox"));
    }
    output::tell(format_args!(
        "  try       curl -X POST {url}/mock-events/booking-created -H 'content-type: application/json' -d '{{}}'"
    ));
    output::tell(format_args!("listening on {url}"));
    served.until_signal(&loaded.config).await
}

/// What an acknowledged event survives, in few words.
fn brief(durability: Durability) -> &'static str {
    match durability {
        Durability::Process => "forgets everything when it ends",
        Durability::ProcessCrash => "survives a crash, not a power cut",
        Durability::SystemCrash => "survives a power cut",
        Durability::NodeLoss => "survives the loss of a machine",
    }
}
