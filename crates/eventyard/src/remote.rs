//! Workers outside of this process: they claim jobs and settle them by lease token.

use std::time::Duration;

use bytes::Bytes;
use eventyard_core::{
    Claim, Commit, Lease, LeaseToken, Leased, QueueName, Renewal, StepName, Timestamp, WorkerId,
    Write, inspect::SavedStep,
};

use crate::{Error, JobError, Outcome, Yard, context::check_result, decide, meter::Ran};

impl Yard {
    /// Leases up to `max` jobs of a queue to a worker outside; waits up to `wait` for the first.
    ///
    /// # Errors
    /// When the queue is not declared or the store cannot answer.
    pub async fn claim(
        &self,
        queue: QueueName,
        max: usize,
        lease_for: Duration,
        worker: WorkerId,
        wait: Duration,
    ) -> Result<Vec<Leased>, Error> {
        self.bus().declared(&queue)?;
        let claim = Claim { queue, max, lease_for, worker, wait };
        let leased = self.bus().store.claim(claim).await?;
        self.bus().meter.claimed(&leased, self.clock().now());
        Ok(leased)
    }

    /// Ends an attempt by its token: done with a result, snoozed, or failed. Returns what became of the job.
    ///
    /// # Errors
    /// When the lease does not hold, or the store cannot take it.
    pub async fn settle(
        &self,
        token: LeaseToken,
        ending: Result<Outcome, JobError>,
    ) -> Result<eventyard_core::Settlement, Error> {
        let Leased { job, lease, .. } = self.leased(token).await?;
        let backoff_fn =
            self.bus().declared(&job.queue).ok().and_then(|d| d.queue.backoff_fn.clone());
        let settlement = decide::settle(&job, ending, backoff_fn.as_ref(), self.clock().now());
        let write = Write::Settle(settlement.clone());
        self.commit(Commit::under(lease.clone(), [write])).await?;
        let now = self.clock().now();
        let took = self.bus().meter.took(&lease, now);
        let ran = Ran { job: &job, settlement: &settlement, took };
        self.bus().meter.settled(&job.queue, [ran], now);
        Ok(settlement)
    }

    /// Makes a lease hold for `lease_for` from now; returns when it will end.
    ///
    /// # Errors
    /// When the lease does not hold, or the store cannot answer.
    pub async fn renew(&self, token: LeaseToken, lease_for: Duration) -> Result<Timestamp, Error> {
        let lease = self.lease(token).await?;
        match self.bus().store.renew(vec![lease], lease_for).await?.pop() {
            Some(Renewal::Until(until)) => Ok(until),
            Some(Renewal::Lost) | None => Err(Error::NoSuchLease(token.to_string())),
        }
    }

    /// Replaces the progress of the job under a lease; JSON.
    ///
    /// # Errors
    /// When the lease does not hold, or the store cannot take it.
    pub async fn set_progress(&self, token: LeaseToken, progress: Bytes) -> Result<(), Error> {
        self.write_under(token, Write::Progress(progress)).await
    }

    /// Adds a line to the log of the job under a lease.
    ///
    /// # Errors
    /// When the lease does not hold, or the store cannot take it.
    pub async fn add_log(&self, token: LeaseToken, line: String) -> Result<(), Error> {
        self.write_under(token, Write::Log(line)).await
    }

    /// Saves a step of the job under a lease, for when the job runs again; JSON.
    ///
    /// # Errors
    /// When the result is too large, the lease does not hold, or the store cannot take it.
    pub async fn save_step(
        &self,
        token: LeaseToken,
        name: StepName,
        result: Bytes,
    ) -> Result<(), Error> {
        check_result(&result)?;
        self.write_under(token, Write::Step { name, result }).await
    }

    /// The saved steps of the job under a lease, in the order in which they were saved first.
    ///
    /// # Errors
    /// When the lease does not hold, or the store cannot answer.
    pub async fn saved_steps(&self, token: LeaseToken) -> Result<Vec<SavedStep>, Error> {
        let lease = self.lease(token).await?;
        Ok(self.inspect().steps(&lease.job).await?)
    }

    async fn write_under(&self, token: LeaseToken, write: Write) -> Result<(), Error> {
        let lease = self.lease(token).await?;
        self.commit(Commit::under(lease, [write])).await.map(drop)
    }

    async fn lease(&self, token: LeaseToken) -> Result<Lease, Error> {
        self.leased(token).await.map(|leased| leased.lease)
    }

    async fn leased(&self, token: LeaseToken) -> Result<Leased, Error> {
        let leased = self.inspect().leased(token).await?;
        leased.ok_or_else(|| Error::NoSuchLease(token.to_string()))
    }
}
