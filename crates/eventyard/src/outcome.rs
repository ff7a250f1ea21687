//! What handlers return.

use std::{any::Any, error::Error as StdError, fmt, time::Duration};

use bytes::Bytes;
use eventyard_core::{Failure, FailureKind};
use serde::Serialize;

/// How a handler ended well, when `Ok(())` does not say enough.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done, with a result that is kept with the job; JSON.
    Done(Option<Bytes>),
    /// Not now: run it again after this long, without counting this attempt.
    Snooze(Duration),
    /// Run it again when all its children have ended, without counting this attempt. At once if there is none
    /// to wait for: a handler asks for its [children](crate::Context::children) before it adds some.
    AwaitChildren,
}

impl Outcome {
    /// Done, with a result that is kept with the job.
    ///
    /// # Errors
    /// When the result cannot be written as JSON.
    pub fn done(result: &impl Serialize) -> Result<Self, JobError> {
        Ok(Self::Done(Some(serde_json::to_vec(result)?.into())))
    }
}

/// What a handler may return in `Ok`: `()` or an [`Outcome`].
pub trait IntoOutcome {
    /// The outcome.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Outcome {
        Outcome::Done(None)
    }
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Outcome {
        self
    }
}

/// What becomes of a job whose handler failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Retried by the policy of the job, dead-lettered when its attempts are used up.
    Policy,
    /// Retried after this long, dead-lettered when its attempts are used up.
    After(Duration),
    /// Dead-lettered at once.
    Never,
}

/// Why a handler failed, and what is to become of the job.
///
/// Every [`std::error::Error`] turns into one by `?`; the job is then retried by its policy.
#[derive(Debug, Clone, PartialEq)]
pub struct JobError {
    pub(crate) failure: Failure,
    pub(crate) next: Next,
}

impl JobError {
    /// A failure that is retried by the job's policy.
    #[must_use]
    pub fn retry(message: impl fmt::Display) -> Self {
        Self { failure: Failure::new(FailureKind::Error, message.to_string()), next: Next::Policy }
    }

    /// A failure that is retried after `wait`, whatever the job's policy says.
    #[must_use]
    pub fn retry_after(wait: Duration, message: impl fmt::Display) -> Self {
        Self { next: Next::After(wait), ..Self::retry(message) }
    }

    /// A failure that no retry can mend: the job becomes a dead letter at once.
    #[must_use]
    pub fn dead_letter(message: impl fmt::Display) -> Self {
        Self::never(FailureKind::Rejected, message)
    }

    /// The job is no longer wanted: it ends as failed, with this reason.
    #[must_use]
    pub fn cancel(reason: impl fmt::Display) -> Self {
        Self::never(FailureKind::Cancelled, reason)
    }

    pub(crate) fn never(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self { failure: Failure::new(kind, message.to_string()), next: Next::Never }
    }

    pub(crate) fn of(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self { failure: Failure::new(kind, message.to_string()), next: Next::Policy }
    }

    /// The failure of an attempt whose handler panicked.
    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let message = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::of(FailureKind::Panic, format!("the handler panicked: {message}"))
    }

    /// Says what ended the attempt, when it was not the handler's error.
    #[must_use]
    pub fn kind(mut self, kind: FailureKind) -> Self {
        self.failure.kind = kind;
        self
    }

    /// Adds the chain of causes or the stack, one per line.
    #[must_use]
    pub fn stack(mut self, stack: impl Into<String>) -> Self {
        self.failure = self.failure.with_stack(stack);
        self
    }

    /// Why the attempt failed.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.failure
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        let causes: Vec<String> = std::iter::successors(error.source(), |&cause| cause.source())
            .map(|cause| format!("caused by: {cause}"))
            .collect();
        let failure = Failure::new(FailureKind::Error, error.to_string());
        let failure =
            if causes.is_empty() { failure } else { failure.with_stack(causes.join("\n")) };
        Self { failure, next: Next::Policy }
    }
}
