//! `eventyard doctor`.

mod channels;
mod disk;
mod finding;
mod store;
mod transports;

use clap::Args;
use miette::miette;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{client, config::Config, flags::RunFlags, output};
use finding::{Finding, Level};

/// Check whether this machine and the configuration are fit to run: a line OK, WARN or FAIL for each check
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    flags: RunFlags,
    /// Check with the defaults of `eventyard dev`
    #[arg(long)]
    dev: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: DoctorArgs) -> miette::Result<()> {
    let mut findings = Vec::new();
    match args.flags.load(args.dev) {
        Err(error) => {
            for problem in &error.problems {
                let remedy = miette::Diagnostic::help(problem).map(|help| help.to_string());
                let remedy = remedy.unwrap_or_else(|| "correct it".to_owned());
                findings.push(Finding::fail("configuration", problem.to_string(), remedy));
            }
        }
        Ok(loaded) => {
            let from = match &loaded.file {
                Some(file) => format!("{} makes sense", file.display()),
                None => "the defaults and the environment make sense; there is no file".to_owned(),
            };
            findings.push(Finding::ok("configuration", from));
            for note in loaded.notes {
                findings.push(Finding::warn("environment", note, "remove what has no effect"));
            }
            findings.push(port(&loaded.config).await);
            findings.extend(store::check(&loaded.config).await);
            findings.extend(channels::check(&loaded.config).await);
            findings.extend(transports::check(&loaded.config).await);
        }
    }
    tell(&findings, args.json)
}

fn tell(findings: &[Finding], json: bool) -> miette::Result<()> {
    let failed = findings.iter().filter(|finding| finding.level == Level::Fail).count();
    if json {
        output::json(&json!({"ok": failed == 0, "findings": findings}))?;
    } else {
        for finding in findings {
            output::line(finding)?;
        }
    }
    if failed == 0 { Ok(()) } else { Err(miette!("{failed} of {} checks failed", findings.len())) }
}

/// Whether the address can be listened on; a running Eventyard there is no failure.
async fn port(config: &Config) -> Finding {
    let listen = config.server.listen;
    match TcpListener::bind(listen).await {
        Ok(_) => Finding::ok("address", format!("{listen} is free")),
        Err(error) if client::is_eventyard(listen).await => Finding::warn(
            "address",
            format!("{listen}: {error}; an Eventyard listens there"),
            "nothing to do, if that is the one that is meant to run",
        ),
        Err(error) => Finding::fail(
            "address",
            format!("cannot listen on {listen}: {error}"),
            "stop what listens there, or choose another address (server.listen, --listen)",
        ),
    }
}
