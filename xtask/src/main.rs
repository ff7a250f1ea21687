//! The project's own chores: `cargo xtask tidy`, `cargo xtask test`, `cargo xtask bench`.
//!
//! Each command has a file of its name that says what it does; its parts are in the folder
//! beside it.

mod bench;
mod failure;
mod invocation;
mod steps;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::failure::Failure;

/// The project's own chores
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    chore: Option<Chore>,
}

#[derive(Subcommand)]
enum Chore {
    Tidy(tidy::Options),
    Test(test::Options),
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match run(Xtask::parse()) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(xtask: Xtask) -> Result<ExitCode, Failure> {
    match xtask.chore {
        Some(Chore::Tidy(options)) => tidy::run(&options),
        Some(Chore::Test(options)) => test::run(&options),
        Some(Chore::Bench(options)) => bench::run(&options),
        None => {
            Xtask::command()
                .print_help()
                .map_err(|error| Failure::new(format!("cannot print the help: {error}")))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Xtask::command().debug_assert();
    }

    #[test]
    fn commands_take_their_arguments() {
        let parse = |line: &str| Xtask::try_parse_from(line.split(' ')).map(|xtask| xtask.chore);

        assert!(matches!(parse("xtask"), Ok(None)));
        assert!(matches!(parse("xtask tidy --fix"), Ok(Some(Chore::Tidy(o))) if o.fix));
        assert!(matches!(parse("xtask test --fast"), Ok(Some(Chore::Test(o))) if o.fast));
        assert!(matches!(
            parse("xtask test -- backoff --no-capture"),
            Ok(Some(Chore::Test(o))) if o.filter == ["backoff", "--no-capture"]
        ));
        assert!(matches!(
            parse("xtask bench --json --only drain"),
            Ok(Some(Chore::Bench(o))) if o.args == ["--json", "--only", "drain"]
        ));
        assert!(matches!(
            parse("xtask bench --against bullmq"),
            Ok(Some(Chore::Bench(o))) if o.against == Some(bench::Peer::Bullmq)
        ));
        assert!(parse("xtask test backoff").is_err(), "a filter stands behind `--`");
        assert!(parse("xtask lint").is_err());
    }
}
