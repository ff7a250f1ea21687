//! `cargo xtask test`: prepares what the tests need, then runs all of them.
//!
//! Nothing is skipped in silence: what is missing and cannot be installed fails the run, with the
//! line that installs it. Nothing outlives the run: it starts commands, and waits for each.

mod debian;
mod npm;
mod pypi;
mod requirements;
mod suites;
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use self::requirements::REQUIREMENTS;
use self::suites::Runner;
use self::tools::Tools;
use crate::failure::Failure;
use crate::invocation;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Install what the tests need, and run them
///
/// The tests find what was installed by three variables: EVENTYARD_TOOLS is the folder of it,
/// EVENTYARD_PYTHON the Python that has the packages; their programs are beside it. EVENTYARD_NODE
/// is the folder of the packages from npm.
#[derive(Args)]
pub(crate) struct Options {
    /// Run unit tests only; they need nothing installed
    #[arg(long)]
    pub(crate) fast: bool,
    /// Handed to `cargo nextest run`, or to `cargo test` where that is missing: a part of the
    /// names of the tests to run, for example. Documentation tests are left out then
    #[arg(last = true)]
    pub(crate) filter: Vec<String>,
}

/// Installs what tests and benchmarks need; returns the folder of the packages from npm.
pub(crate) fn prepare(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let tools = Tools::below(&workspace.target);
    requirements::prepare(REQUIREMENTS, &tools)?;
    Ok(tools.node())
}

/// Prepares, runs every suite, and sums them up.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::read()?;
    let tools = Tools::below(&workspace.target);
    let mut steps = Steps::of("test");

    if options.fast {
        steps.leave_out("tools", "unit tests need none");
    } else if !steps.take("tools", || requirements::prepare(REQUIREMENTS, &tools)) {
        steps.leave_out("tests", "a tool is missing");
        return Ok(steps.sum_up());
    }

    let runner = Runner::find(&workspace);
    steps.take("tests", || {
        let mut tests = workspace.cargo(suites::tests(runner, options.fast));
        invocation::run(tests.args(&options.filter).envs(tools.variables(options.fast)))
    });
    match suites::why_without_doctests(options.fast, &options.filter) {
        Some(reason) => steps.leave_out("doctests", reason),
        None => {
            steps.take("doctests", || {
                let mut doctests = workspace.cargo(suites::DOCTESTS);
                invocation::run(doctests.envs(tools.variables(options.fast)))
            });
        }
    }
    Ok(steps.sum_up())
}
