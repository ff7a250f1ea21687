//! What callers ask of the writer thread, and how they get their answers.

use std::{sync::Arc, time::Duration};

use eventyard_core::{
    Claim, Commit, CommitError, Lease, LeaseToken, Leased, Maintenance, QueueName, Receipt,
    Renewal, StoreError, Upkeep,
};
use tokio::sync::oneshot;

use crate::shared::Shared;

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;
/// The answer to a batch of commits: one entry for each.
pub(crate) type Receipts = Vec<Result<Receipt, CommitError>>;

/// One request to the writer thread.
#[derive(Debug)]
pub(crate) enum Request {
    /// Apply commits.
    Commit(Vec<Commit>, Reply<Receipts>),
    /// Lease jobs; wait for the first if `ask.wait` is not zero.
    Claim(Waiter),
    /// The claim's time is over: answer it, with what there is.
    Withdraw(QueueName, ClaimId),
    /// Make leases hold longer.
    Renew(Vec<Lease>, Duration, Reply<Vec<Renewal>>),
    /// Do what time asks for.
    Maintain(Upkeep, Reply<Maintenance>),
    /// Nobody took these leases: put their jobs back.
    Release(Vec<LeaseToken>),
    /// The time of a delayed job has come.
    Promote,
    /// Somebody reads the file: let it show what was acknowledged.
    Show(Reply<()>),
    /// Finish what is queued, then let go of the file.
    Close(oneshot::Sender<()>),
}

impl Request {
    /// How much work it is: about the number of jobs that it is about, and at least 1.
    pub(crate) fn work(&self) -> usize {
        let work = match self {
            Self::Commit(commits, _) => commits.iter().map(|commit| commit.writes.len()).sum(),
            Self::Claim(waiter) => waiter.ask.max,
            Self::Renew(leases, ..) => leases.len(),
            Self::Maintain(upkeep, _) => upkeep.limit,
            Self::Release(tokens) => tokens.len(),
            Self::Withdraw(..) | Self::Promote | Self::Show(_) | Self::Close(_) => 1,
        };
        work.max(1)
    }
}

/// What tells one claim from another.
pub(crate) type ClaimId = u64;

/// A claim on its way to its answer.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) id: ClaimId,
    pub(crate) ask: Claim,
    pub(crate) reply: Reply<Delivery>,
}

/// Leased jobs on their way to the claimer. Dropped undelivered, it gives them back.
#[derive(Debug)]
pub(crate) struct Delivery {
    leased: Vec<Leased>,
    shared: Arc<Shared>,
}

impl Delivery {
    pub(crate) fn new(leased: Vec<Leased>, shared: Arc<Shared>) -> Self {
        Self { leased, shared }
    }

    /// The jobs, which are the claimer's from here on.
    pub(crate) fn take(mut self) -> Vec<Leased> {
        std::mem::take(&mut self.leased)
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if !self.leased.is_empty() {
            let tokens = self.leased.iter().map(|leased| leased.lease.token).collect();
            self.shared.inbox.push_now(Request::Release(tokens));
        }
    }
}

/// Withdraws a claim whose future is dropped while it waits.
#[derive(Debug)]
pub(crate) struct Withdrawal<'a> {
    shared: &'a Shared,
    claim: Option<(QueueName, ClaimId)>,
}

impl<'a> Withdrawal<'a> {
    pub(crate) fn new(shared: &'a Shared, queue: QueueName, id: ClaimId) -> Self {
        Self { shared, claim: Some((queue, id)) }
    }

    /// Withdraws the claim now.
    pub(crate) fn send(&mut self) {
        if let Some((queue, id)) = self.claim.take() {
            self.shared.inbox.push_now(Request::Withdraw(queue, id));
        }
    }

    /// The claim was answered.
    pub(crate) fn answered(mut self) {
        self.claim = None;
    }
}

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        self.send();
    }
}
