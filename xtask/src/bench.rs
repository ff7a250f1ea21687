//! `cargo xtask bench`: the binary's own benchmark, built for release.

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::invocation;
use crate::workspace::Workspace;

/// Measure `eventyard bench` in a release build
#[derive(Args)]
pub(crate) struct Options {
    /// Handed to `eventyard bench`; `-- --help` lists what it takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// Builds the binary for release and runs its benchmark.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::read()?;
    let mut bench = workspace.cargo("run --release -p eventyard-cli -- bench".split(' '));
    invocation::run(bench.args(&options.args))?;
    Ok(ExitCode::SUCCESS)
}
