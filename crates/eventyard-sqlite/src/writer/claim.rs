//! Claims: handing out runnable jobs under leases.

use eventyard_core::{Claim, Lease, Leased};

use super::{
    Writer,
    pending::Run,
    state::{Active, LaneId, QueueId, Ticket},
};
use crate::encoding::{EXPIRES, token::token};

/// The most jobs that one claim hands out.
const MAX_CLAIMED: usize = 10_000;

/// A run of which the first jobs were taken, and the fence of the first.
struct Taken {
    run: Run,
    taken: i64,
    fence: i64,
}

impl Writer<'_> {
    /// Leases up to `max` runnable jobs of a queue: the keys by turns, the jobs of each in order.
    pub(super) fn claim(&mut self, queue: QueueId, ask: &Claim) -> rusqlite::Result<Vec<Leased>> {
        self.begin()?;
        let picks = self.pick(queue, ask, MAX_CLAIMED)?;
        let mut leased = Vec::with_capacity(picks.iter().map(|(_, picked)| picked).sum());
        for (lane, count) in picks {
            self.claim_in_lane(queue, lane, count, ask, &mut leased)?;
        }
        self.update_turns()?;
        if self.state.limits(queue).rate.is_some() {
            self.find_reopening(queue);
        }
        if self.is_heard && !leased.is_empty() {
            self.tell_claimed(queue, ask, &leased);
        }
        Ok(leased)
    }

    fn claim_in_lane(
        &mut self,
        queue: QueueId,
        lane: LaneId,
        count: usize,
        ask: &Claim,
        leased: &mut Vec<Leased>,
    ) -> rusqlite::Result<()> {
        let until = self.now + ask.lease_for;
        let mut runs = Vec::<Taken>::new();
        let mut began = Vec::new();
        let mut rows = self.sql.claim.query((lane.0, count as i64))?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let fence = self.numbers.steps.next(&mut self.sql.set_meta)?;
            let run = match runs.last_mut() {
                Some(last) if (0..last.run.n).contains(&(seq - last.run.first.seq)) => last,
                _ => {
                    let first = Ticket {
                        seq: row.get(4)?,
                        queue,
                        lane,
                        priority: row.get(1)?,
                        ord: row.get(2)?,
                        attempts: row.get(5)?,
                        crashes: row.get(6)?,
                        flags: row.get(7)?,
                    };
                    runs.push(Taken { run: Run { first, n: row.get(3)? }, taken: 0, fence });
                    runs.last_mut().expect("one was pushed")
                }
            };
            let mut ticket = run.run.behind(run.taken).first;
            run.taken += 1;
            if ticket.flags & EXPIRES != 0 {
                ticket.flags &= !EXPIRES;
                began.push(seq);
            }
            let job = self.jobs.read(row, 8, &ask.queue, (ticket.attempts, ticket.crashes))?;
            let (id, attempt) = (job.id.clone(), job.attempts_made + 1);
            let lease = Lease { job: job.key(), attempt, token: token(seq, fence) };
            leased.push(Leased { job, lease, until });
            let (row, worker, started_at) = (run.fence, ask.worker.clone(), self.now);
            self.state.lease(Active { ticket, id, fence, row, worker, started_at, until });
        }
        drop(rows);
        for seq in began {
            self.sql.delete_unbegun.execute((seq, seq))?;
        }
        self.take_runs(&runs)
    }

    fn take_runs(&mut self, runs: &[Taken]) -> rusqlite::Result<()> {
        // Runs of one priority follow one another: nothing else stands in between.
        for runs in runs.chunk_by(|a, b| a.run.first.priority == b.run.first.priority) {
            let (first, last) = (&runs[0].run.first, &runs[runs.len() - 1].run.first);
            let range = (first.lane.0, first.priority, first.ord, last.ord);
            self.sql.delete_ready.execute(range)?;
            let taken: i64 = runs.iter().map(|run| run.taken).sum();
            self.state.count_runnable(first, -taken);
        }
        for Taken { run, taken, .. } in runs {
            let first = self.state.active(run.first.seq).expect("it was just leased").clone();
            self.insert_lease(&first, *taken)?;
            if *taken < run.n {
                self.insert_ready(&run.behind(*taken))?;
            }
        }
        Ok(())
    }
}
