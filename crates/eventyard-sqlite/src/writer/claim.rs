//! Claims: handing out runnable jobs under leases.

use eventyard_core::{Claim, JobState, Lease, Leased};

use super::{
    Writer,
    place::runnable,
    state::{Active, QueueId, Ticket},
};
use crate::encoding::token::token;

/// The most jobs that one claim hands out.
const MAX_CLAIMED: usize = 1000;

/// Jobs that follow one another in the run order.
struct Run {
    priority: i64,
    first: i64,
    last: i64,
    jobs: i64,
}

impl Writer<'_> {
    /// Whether a claim of this queue would find a job.
    pub(super) fn has_runnable(&self, queue: QueueId) -> bool {
        let figures = self.state.figures(queue);
        let runnable = figures.counts.get(JobState::Waiting) + figures.counts.get(JobState::Prioritized);
        !figures.paused && runnable > 0
    }

    /// Leases up to `max` runnable jobs of a queue, in order.
    pub(super) fn claim(&mut self, queue: QueueId, ask: &Claim) -> rusqlite::Result<Vec<Leased>> {
        self.begin()?;
        let until = self.now + ask.lease_for;
        let max = ask.max.min(MAX_CLAIMED);
        let (mut leased, mut runs) = (Vec::with_capacity(max), Vec::<Run>::new());
        let max = i64::try_from(max).expect("a small number");
        let mut rows = self.sql.claim.query((queue.0, max))?;
        while let Some(row) = rows.next()? {
            let ticket = Ticket {
                seq: row.get(0)?,
                queue,
                priority: row.get(1)?,
                ord: row.get(2)?,
                attempts: row.get(3)?,
                crashes: row.get(4)?,
                flags: row.get(5)?,
            };
            let account = (ticket.attempts, ticket.crashes);
            let job = self.jobs.read(row, 6, &ask.queue, account)?;
            let fence = self.numbers.steps.next(&mut self.sql.set_meta)?;
            let attempt = job.attempts_made + 1;
            let lease = Lease { job: job.key(), attempt, token: token(ticket.seq, fence) };
            self.sql.insert_active.execute((
                ticket.seq,
                queue.0,
                ticket.priority,
                ticket.ord,
                ticket.attempts,
                ticket.crashes,
                ticket.flags,
                fence,
                self.now.as_millis(),
                until.as_millis(),
                ask.worker.as_str(),
            ))?;
            match runs.last_mut() {
                Some(run) if run.priority == ticket.priority => {
                    run.last = ticket.ord;
                    run.jobs += 1;
                }
                _ => runs.push(Run {
                    priority: ticket.priority,
                    first: ticket.ord,
                    last: ticket.ord,
                    jobs: 1,
                }),
            }
            self.state.lease(Active {
                ticket,
                id: job.id.clone(),
                fence,
                worker: ask.worker.clone(),
                started_at: self.now,
                until,
            });
            leased.push(Leased { job, lease, until });
        }
        drop(rows);
        for Run { priority, first, last, jobs } in runs {
            self.sql.delete_ready.execute((queue.0, priority, first, last))?;
            self.state.count(queue, runnable(priority), -jobs);
        }
        Ok(leased)
    }
}
