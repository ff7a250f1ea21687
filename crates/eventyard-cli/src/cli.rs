//! The command line: its commands, and how each ends.

use std::{io::IsTerminal, process::ExitCode};

use clap::{Parser, Subcommand};
use miette::MietteHandlerOpts;

use crate::{
    commands::{
        bench, completions, config, dev, doctor, events, flows, jobs, publish, queues, schedules,
        serve,
    },
    output,
};

/// An event backbone: publish an event, and it is stored durably, routed to queues, and worked with retries
#[derive(Debug, Parser)]
#[command(name = "eventyard", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::DevArgs),
    Serve(serve::ServeArgs),
    Publish(publish::PublishArgs),
    Queues(queues::QueuesArgs),
    Jobs(jobs::JobsArgs),
    Flows(flows::FlowsArgs),
    Events(events::EventsArgs),
    Schedules(schedules::SchedulesArgs),
    Bench(bench::BenchArgs),
    Doctor(doctor::DoctorArgs),
    Config(config::ConfigArgs),
    Completions(completions::CompletionsArgs),
}

impl Cli {
    /// Runs the command to its end: 0 when it did what it was asked, 1 when not. Wrong usage has ended the
    /// program with 2 before this.
    pub(crate) fn run(self) -> ExitCode {
        show_errors_in_full();
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                output::tell(format_args!("Error: cannot start the runtime: {error}"));
                return ExitCode::FAILURE;
            }
        };
        let outcome = runtime.block_on(self.command.run());
        // Whatever still runs was told to stop, and had its time.
        runtime.shutdown_background();
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(report) => {
                output::tell(format_args!("{report:?}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// Breaks lines for a person alone: a program looks for whole sentences.
fn show_errors_in_full() {
    let is_terminal = std::io::stderr().is_terminal();
    let hook = miette::set_hook(Box::new(move |_| {
        Box::new(MietteHandlerOpts::new().wrap_lines(is_terminal).break_words(false).build())
    }));
    if hook.is_err() {
        output::tell("errors are shown in the usual way: somebody has chosen before");
    }
}

impl Command {
    async fn run(self) -> miette::Result<()> {
        match self {
            Self::Dev(args) => dev::run(args).await,
            Self::Serve(args) => serve::run(args).await,
            Self::Publish(args) => publish::run(args).await,
            Self::Queues(args) => queues::run(args).await,
            Self::Jobs(args) => jobs::run(args).await,
            Self::Flows(args) => flows::run(args).await,
            Self::Events(args) => events::run(args).await,
            Self::Schedules(args) => schedules::run(args).await,
            Self::Bench(args) => bench::run(args).await,
            Self::Doctor(args) => doctor::run(args).await,
            Self::Config(args) => config::run(&args),
            Self::Completions(args) => completions::run(&args),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }
}
