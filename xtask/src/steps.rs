//! The steps of a chore: all run, even after one failed, and are summed up at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// The steps that a chore has taken so far.
pub(crate) struct Steps {
    chore: &'static str,
    taken: Vec<Step>,
}

struct Step {
    name: &'static str,
    end: End,
}

enum End {
    Passed(Duration),
    Failed(Duration),
    LeftOut(&'static str),
}

impl Steps {
    /// No step is taken yet.
    pub(crate) fn of(chore: &'static str) -> Self {
        Self { chore, taken: Vec::new() }
    }

    /// Takes one step; says at once why it failed, and whether it passed.
    pub(crate) fn take(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> bool {
        eprintln!("\n== {}: {name}", self.chore);
        let started = Instant::now();
        let result = work();
        let took = started.elapsed();
        let passed = result.is_ok();
        if let Err(failure) = result {
            eprintln!("{failure}");
        }
        let end = if passed { End::Passed(took) } else { End::Failed(took) };
        self.taken.push(Step { name, end });
        passed
    }

    /// Notes a step that this run does not take, and why.
    pub(crate) fn leave_out(&mut self, name: &'static str, reason: &'static str) {
        self.taken.push(Step { name, end: End::LeftOut(reason) });
    }

    /// Prints a line for each step; success when none failed.
    pub(crate) fn sum_up(self) -> ExitCode {
        eprintln!("\n{}", self.summary());
        if self.taken.iter().any(|step| matches!(step.end, End::Failed(_))) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }

    fn summary(&self) -> String {
        let width = self.taken.iter().map(|step| step.name.len()).max().unwrap_or_default();
        let mut lines = vec![format!("== {}", self.chore)];
        for Step { name, end } in &self.taken {
            lines.push(match end {
                End::Passed(took) => format!("  passed    {name:width$}  {}", seconds(*took)),
                End::Failed(took) => format!("  FAILED    {name:width$}  {}", seconds(*took)),
                End::LeftOut(reason) => format!("  left out  {name:width$}  {reason}"),
            });
        }
        lines.join("\n")
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_steps_run_and_one_failure_fails_the_chore() {
        let mut steps = Steps::of("tidy");
        assert!(steps.take("format", || Ok(())));
        assert!(!steps.take("clippy", || Err(Failure::new("a warning"))));
        assert!(steps.take("links", || Ok(())));
        steps.leave_out("docs", "not today");

        let lines: Vec<String> = steps.summary().lines().map(ToOwned::to_owned).collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[1].starts_with("  passed    format  "), "{lines:?}");
        assert!(lines[2].starts_with("  FAILED    clippy  "), "{lines:?}");
        assert_eq!(lines[4], "  left out  docs    not today");
        assert_eq!(steps.sum_up(), ExitCode::FAILURE);
    }

    #[test]
    fn steps_that_pass_make_a_success() {
        let mut steps = Steps::of("tidy");
        steps.take("format", || Ok(()));
        assert_eq!(steps.sum_up(), ExitCode::SUCCESS);
    }
}
