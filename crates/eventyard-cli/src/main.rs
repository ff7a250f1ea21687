//! The `eventyard` binary: configuration, composition, commands.
//!
//! ```text
//!   commands ─▶ config ─▶ compose ─▶ serve        dev, serve: a running application behind its HTTP endpoints
//!        └────▶ client ──────────────────┘        publish, queues, jobs, events: its callers
//! ```

mod bench;
mod channels;
mod cli;
mod client;
mod commands;
mod compose;
mod config;
mod flags;
mod http;
mod logging;
mod output;
mod realtime;
mod serve;
mod signals;
mod store;
mod transports;

use std::process::ExitCode;

use clap::Parser;

/// Jobs are made on one thread and dropped on another, which this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::Cli::parse().run()
}
