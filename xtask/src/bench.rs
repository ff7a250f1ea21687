//! `cargo xtask bench`: the binary's own benchmark, built for release, alone or against a peer.

mod against;
mod redis;

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::invocation;
use crate::workspace::Workspace;

/// Measure `eventyard bench` in a release build
#[derive(Args)]
pub(crate) struct Options {
    /// Measure this peer and Eventyard in turns on this machine, and print by how much they differ
    #[arg(long, value_name = "PEER", conflicts_with = "args")]
    pub(crate) against: Option<Peer>,
    /// When the Redis of that comparison syncs its file
    #[arg(long, value_name = "WHEN", default_value = "everysec", requires = "against")]
    pub(crate) appendfsync: Appendfsync,
    /// Handed to `eventyard bench`; `-- --help` lists what it takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// What Eventyard is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// BullMQ in Node, on Redis
    Bullmq,
}

/// When Redis syncs the file that it appends to, by the names of its setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Appendfsync {
    /// Once in a second: what was acknowledged within it may be lost
    Everysec,
    /// Before it answers: as durable as the embedded store
    Always,
}

/// Builds the binary for release and runs its benchmark.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::read()?;
    match options.against {
        Some(Peer::Bullmq) => against::run(&workspace, options.appendfsync)?,
        None => {
            let mut bench = workspace.cargo("run --release -p eventyard-cli -- bench".split(' '));
            invocation::run(bench.args(&options.args))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
