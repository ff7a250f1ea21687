//! `cargo xtask tidy`: what a commit has to satisfy before any test runs.

mod arrows;
mod house;
mod links;
mod markdown;
mod names;
mod tracked;

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::invocation;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Check format, lints, the arrows between crates, names, documentation and links
#[derive(Args)]
pub(crate) struct Options {
    /// Let clippy and rustfmt change what they can, then check
    #[arg(long)]
    pub(crate) fix: bool,
}

/// Runs every check, the quick ones first, and sums them up.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::read()?;
    let cargo = |line: &str| invocation::run(&mut workspace.cargo(line.split(' ')));
    let mut steps = Steps::of("tidy");

    if options.fix {
        let clippy_fix = "clippy --fix --allow-dirty --allow-staged --workspace --all-targets";
        steps.take("fix lints", || cargo(clippy_fix));
        steps.take("fix format", || cargo("fmt --all"));
    }
    steps.take("format", || cargo("fmt --all --check"));
    steps.take("arrows", || Failure::of(arrows::check(&workspace.packages)));
    steps.take("names", || {
        Failure::of(names::check(&workspace.packages, &tracked::files(&workspace)?))
    });
    steps
        .take("links", || Failure::of(links::check(&tracked::files(&workspace)?, &workspace.root)));
    steps.take("clippy", || cargo("clippy --workspace --all-targets -- -D warnings"));
    steps.take("docs", || {
        let mut doc = workspace.cargo(["doc", "--workspace", "--no-deps"]);
        invocation::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    Ok(steps.sum_up())
}
