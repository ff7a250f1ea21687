//! The log: lines on standard error.

use std::io::{IsTerminal, stderr};

use miette::IntoDiagnostic;
use tracing_subscriber::{EnvFilter, fmt::time::uptime};

use crate::config::{Log, LogFormat};

/// Whom the log is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Somebody who watches: short lines, with the time since the start.
    Developer,
    /// Somebody who looks later: instants and the part of the program that speaks.
    Operator,
}

/// Begins to log.
///
/// # Errors
/// When the filter is not understood, or the process logs already.
pub(crate) fn start(log: &Log, reader: Reader) -> miette::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).into_diagnostic()?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    let started = match (log.format, reader) {
        (LogFormat::Json, _) => lines.json().flatten_event(true).try_init(),
        (LogFormat::Text, Reader::Developer) => {
            lines.compact().with_target(false).with_timer(uptime()).try_init()
        }
        (LogFormat::Text, Reader::Operator) => lines.compact().try_init(),
    };
    started.map_err(|error| miette::miette!("cannot begin to log: {error}"))
}
