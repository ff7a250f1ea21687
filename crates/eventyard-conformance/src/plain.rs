//! What stores answer, without what they put in words of their own.

use eventyard_core::{
    CommitError, Failure, FailureKind, QueueEvent, QueueEventKind,
    inspect::{Child, ChildOutcome},
};

/// A failure without words of the store's own.
pub(crate) fn plain_failure(mut failure: Failure) -> Failure {
    if let FailureKind::Crash | FailureKind::Expired | FailureKind::Child = failure.kind {
        failure.message.clear();
    }
    failure
}

/// A child whose failure is plain.
pub(crate) fn plain_child(mut child: Child) -> Child {
    if let ChildOutcome::Failed(failure) = child.outcome {
        child.outcome = ChildOutcome::Failed(plain_failure(failure));
    }
    child
}

/// An event whose failure is plain.
pub(crate) fn plain_event(mut event: QueueEvent) -> QueueEvent {
    if let QueueEventKind::Failed { job, failure } = event.kind {
        event.kind = QueueEventKind::Failed { job, failure: plain_failure(failure) };
    }
    event
}

/// An error without words of the store's own.
pub(crate) fn plain_error(error: CommitError) -> CommitError {
    match error {
        CommitError::WrongState { job, state, .. } => {
            CommitError::WrongState { job, state, allowed: "" }
        }
        CommitError::Malformed(_) => CommitError::Malformed(""),
        other => other,
    }
}
