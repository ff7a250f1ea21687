//! Settling ended attempts, in batches, until the store has taken them.

use std::sync::Arc;

use eventyard_core::{CommitError, FailureKind, Receipt, Settlement, Write};

use super::{STORE_WAITS, attempt::Ended};
use crate::{bus::Bus, meter::Ran};

/// An attempt that the store has answered for.
pub(super) struct Settled {
    pub(super) ended: Ended,
    /// Why what the handler wrote was refused; the attempt is still to be settled then.
    pub(super) refused: Option<CommitError>,
}

/// Commits a batch of ended attempts; repeats it while the store cannot answer. `None`: the store is closed.
pub(super) async fn settle(bus: Arc<Bus>, batch: Vec<Ended>) -> Option<Vec<Settled>> {
    let mut wait = STORE_WAITS.0;
    loop {
        match bus.store.commit(batch.iter().map(Ended::commit).collect()).await {
            Ok(answers) => {
                count(&bus, &batch, &answers);
                let answer = |(ended, answer): (Ended, Result<_, CommitError>)| {
                    let refused = answer.err().filter(|error| is_the_handlers(error, &ended));
                    tell(&ended, refused.as_ref());
                    Settled { ended, refused }
                };
                return Some(batch.into_iter().zip(answers).map(answer).collect());
            }
            Err(error) if error.is_retryable() => {
                tracing::error!(%error, jobs = batch.len(), "cannot settle jobs; trying again");
                bus.clock.sleep(wait).await;
                wait = (wait * 2).min(STORE_WAITS.1);
            }
            Err(error) => {
                tracing::error!(%error, jobs = batch.len(), "cannot settle jobs; their leases will end");
                return None;
            }
        }
    }
}

/// Counts what became of a batch, which is of one queue.
fn count(bus: &Bus, batch: &[Ended], answers: &[Result<Receipt, CommitError>]) {
    let Some(first) = batch.first() else { return };
    let (queue, now) = (&first.job().queue, bus.clock.now());
    for receipt in answers.iter().flatten() {
        bus.meter.added(receipt, now);
    }
    let settled = batch.iter().zip(answers).filter(|(_, answer)| answer.is_ok());
    let ran = settled.filter_map(|(ended, _)| match ended.writes.last() {
        Some(Write::Settle(settlement)) => {
            Some(Ran { job: ended.job(), settlement, took: Some(ended.took) })
        }
        _ => None,
    });
    bus.meter.settled(queue, ran, now);
}

/// Whether a refusal is about what the handler wrote, so that failing the attempt helps.
fn is_the_handlers(error: &CommitError, ended: &Ended) -> bool {
    match error {
        CommitError::StaleLease { job, attempt } => {
            tracing::warn!(%job, attempt, "lease lost before the end; its result is dropped");
            false
        }
        _ => ended.writes.len() > 1,
    }
}

/// One line for the log: what became of the job.
fn tell(ended: &Ended, refused: Option<&CommitError>) {
    let (job, name, attempt, took) =
        (&ended.lease().job, &ended.job().name, ended.lease().attempt, ended.took);
    if let Some(error) = refused {
        tracing::warn!(%job, %name, attempt, %error, "commit refused");
        return;
    }
    match ended.writes.last() {
        Some(Write::Settle(Settlement::Complete { .. })) => {
            tracing::debug!(%job, %name, attempt, ?took, "job completed");
        }
        Some(Write::Settle(Settlement::Retry { at, failure })) => {
            tracing::warn!(%job, %name, attempt, ?took, error = failure.message, retry_at = %at, "attempt failed");
        }
        Some(Write::Settle(Settlement::Fail { failure, .. })) => match failure.kind {
            FailureKind::Cancelled => {
                tracing::info!(%job, %name, attempt, reason = failure.message, "job cancelled");
            }
            kind => {
                let kind = kind.as_str();
                tracing::error!(%job, %name, attempt, ?took, kind, error = failure.message, "job failed for good");
            }
        },
        Some(Write::Settle(Settlement::Snooze { at })) => {
            tracing::debug!(%job, %name, attempt, until = %at, "job snoozed");
        }
        Some(Write::Settle(Settlement::AwaitChildren)) => {
            tracing::debug!(%job, %name, attempt, ?took, "job waits for its children");
        }
        _ => tracing::debug!(%job, %name, attempt, "job given back"),
    }
}
