//! `eventyard serve`.

use clap::Args;
use serde_json::json;

use crate::{
    config::ConfigError,
    flags::RunFlags,
    logging::{self, Reader},
    output,
    serve::Served,
};

/// Run what the configuration says: queues and routes for workers that call the API, and booking notifications
/// if there is a channel for mails
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    flags: RunFlags,
    /// Print where the server is as a line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: ServeArgs) -> miette::Result<()> {
    let loaded = args.flags.load(false).map_err(ConfigError::report)?;
    let config = &loaded.config;
    logging::start(&config.log, Reader::Operator)?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    if config.queues.is_empty() {
        tracing::warn!(
            "no queue is declared: events are kept in the log only; add [queues.NAME] and routes"
        );
    }
    let served = Served::start(config, false).await?;
    let capabilities = served.yard().capabilities();
    let url = served.url();
    if args.json {
        output::json(&json!({
            "server": url,
            "store": capabilities.name,
            "durability": capabilities.durability,
        }))?;
    }
    if let Some(file) = &loaded.file {
        tracing::info!(file = %file.display(), "configuration");
    }
    tracing::info!(
        store = capabilities.name,
        queues = config.queues.len(),
        notifications = config.notifies(),
        "{}",
        capabilities.durability.describe()
    );
    output::tell(format_args!("listening on {url}"));
    served.until_signal(config).await
}
