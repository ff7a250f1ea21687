//! News: what happens on the queues, for those who listen.

use bytes::Bytes;
use eventyard_core::{
    Claim, Failure, JobId, JobState, Leased, NewJob, QueueEvent, QueueEventKind, Timestamp,
};

use super::{
    Writer,
    settle::Outcome,
    state::{Active, QueueId, Ticket},
};
use crate::error::corrupt_row;

impl Writer<'_> {
    pub(super) fn tell(&mut self, queue: QueueId, kind: impl FnOnce() -> QueueEventKind) {
        if self.is_heard {
            let queue = self.state.name(queue).clone();
            self.news.push(QueueEvent { queue, at: self.now, kind: kind() });
        }
    }

    pub(super) fn tell_added(&mut self, queue: QueueId, job: &NewJob) {
        self.tell(queue, || QueueEventKind::Added { job: job.id.clone(), name: job.name.clone() });
    }

    pub(super) fn tell_waiting(&mut self, queue: QueueId, job: &JobId, from: Option<JobState>) {
        self.tell(queue, || QueueEventKind::Waiting { job: job.clone(), from });
    }

    pub(super) fn tell_until(&mut self, queue: QueueId, job: &JobId, until: Timestamp) {
        self.tell(queue, || QueueEventKind::Delayed { job: job.clone(), until, failure: None });
    }

    pub(super) fn tell_delayed(&mut self, job: &Active, until: Timestamp, failure: Failure) {
        self.tell(job.ticket.queue, || QueueEventKind::Delayed {
            job: job.id.clone(),
            until,
            failure: Some(failure),
        });
    }

    pub(super) fn tell_awaiting(&mut self, queue: QueueId, job: &JobId) {
        self.tell(queue, || QueueEventKind::WaitingChildren { job: job.clone() });
    }

    /// Tells that a job is runnable of which only the number is known.
    pub(super) fn tell_runnable(
        &mut self,
        job: &Ticket,
        from: Option<JobState>,
    ) -> rusqlite::Result<()> {
        if self.is_heard {
            for id in self.ids(job.seq, 1)? {
                self.tell_waiting(job.queue, &id, from);
            }
        }
        Ok(())
    }

    pub(super) fn tell_claimed(&mut self, queue: QueueId, ask: &Claim, leased: &[Leased]) {
        for Leased { lease, .. } in leased {
            self.tell(queue, || QueueEventKind::Active {
                job: lease.job.id.clone(),
                attempt: lease.attempt,
                worker: ask.worker.clone(),
            });
        }
        let counts = &self.state.figures(queue).counts;
        let states = [JobState::Waiting, JobState::Prioritized, JobState::Delayed];
        if states.into_iter().all(|state| counts.get(state) == 0) {
            self.tell(queue, || QueueEventKind::Drained);
        }
    }

    pub(super) fn tell_progress(&mut self, seq: i64, progress: &Bytes) {
        let active = self.state.active(seq).expect("the lease was checked");
        let (queue, job) = (active.ticket.queue, active.id.clone());
        self.tell(queue, || QueueEventKind::Progress { job, progress: progress.clone() });
    }

    pub(super) fn tell_finished(&mut self, queue: QueueId, job: &JobId, outcome: &Outcome) {
        self.tell(queue, || match outcome {
            Outcome::Completed(result) => {
                QueueEventKind::Completed { job: job.clone(), result: result.clone() }
            }
            Outcome::Failed(failure) => {
                QueueEventKind::Failed { job: job.clone(), failure: failure.clone() }
            }
        });
    }

    pub(super) fn tell_removed(&mut self, queue: QueueId, job: &JobId, from: JobState) {
        self.tell(queue, || QueueEventKind::Removed { job: job.clone(), from });
    }

    /// The ids of `n` jobs with consecutive numbers.
    pub(super) fn ids(&mut self, seq: i64, n: i64) -> rusqlite::Result<Vec<JobId>> {
        let ids = self.sql.job_ids.query_map((seq, seq + n - 1), |row| {
            JobId::new(row.get_ref(0)?.as_str()?).map_err(|_| corrupt_row("the id of a job"))
        })?;
        ids.collect()
    }
}
