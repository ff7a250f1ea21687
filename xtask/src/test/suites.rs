//! The calls of Cargo that run the tests: as few as there are, since each builds what it runs.

use crate::invocation;
use crate::workspace::Workspace;

/// What runs all tests but those in documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runner {
    /// A process per test: a test that hangs or dies takes no other with it.
    Nextest,
    /// What comes with Cargo.
    Cargo,
}

impl Runner {
    /// The better one of those that are installed.
    pub(super) fn find(workspace: &Workspace) -> Self {
        if invocation::succeeds(&mut workspace.cargo(["nextest", "--version"])) {
            Self::Nextest
        } else {
            eprintln!("cargo-nextest is not installed: `cargo test` runs the tests");
            Self::Cargo
        }
    }
}

/// Nextest does not run these.
pub(super) const DOCTESTS: &[&str] = &["test", "--doc", "--workspace", "--no-fail-fast"];

/// Unit tests and, unless in haste, integration tests; examples are built with these.
pub(super) fn tests(runner: Runner, fast: bool) -> Vec<&'static str> {
    let mut call = match runner {
        Runner::Nextest => vec!["nextest", "run"],
        Runner::Cargo => vec!["test"],
    };
    call.extend(["--workspace", "--no-fail-fast"]);
    match (fast, runner) {
        (true, _) => call.extend(["--lib", "--bins"]),
        (false, Runner::Nextest) => {}
        // Without a choice of targets `cargo test` would run documentation tests as well.
        (false, Runner::Cargo) => call.extend(["--tests", "--examples"]),
    }
    call
}

/// Why this run has no documentation tests, if it has none.
pub(super) fn why_without_doctests(fast: bool, filter: &[String]) -> Option<&'static str> {
    match (fast, filter) {
        (true, _) => Some("they are no unit tests"),
        (false, []) => None,
        (false, _) => Some("a filter was given"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls() {
        for (runner, fast, expected) in [
            (Runner::Nextest, false, "nextest run --workspace --no-fail-fast"),
            (Runner::Nextest, true, "nextest run --workspace --no-fail-fast --lib --bins"),
            (Runner::Cargo, false, "test --workspace --no-fail-fast --tests --examples"),
            (Runner::Cargo, true, "test --workspace --no-fail-fast --lib --bins"),
        ] {
            assert_eq!(tests(runner, fast).join(" "), expected);
        }
    }

    #[test]
    fn doctests_run_in_a_whole_run_alone() {
        let filter = ["backoff".to_owned()];
        assert!(why_without_doctests(false, &[]).is_none());
        assert!(why_without_doctests(true, &[]).is_some());
        assert!(why_without_doctests(false, &filter).is_some());
    }
}
