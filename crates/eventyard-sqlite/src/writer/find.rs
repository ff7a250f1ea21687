//! Finding a job by its key, and where it stands.

use eventyard_core::{JobKey, JobState, Timestamp, WorkerId};

use super::{
    Writer,
    pending::{LastRun, Run},
    place::runnable,
    run::FinishedRow,
    state::{LaneId, QueueId, Ticket},
};
use crate::{
    encoding::{NATURE, PARENT, TRACED, state_of_finished},
    error::corrupt_row,
};

/// A job that was found. Of a finished job the account is not read: whoever takes it up starts afresh.
pub(super) struct Found {
    pub(super) ticket: Ticket,
    pub(super) stand: Stand,
}

/// Where a job stands.
pub(super) enum Stand {
    Ready { run: Run },
    Delayed { due: i64, n: i64 },
    Awaiting { n: i64 },
    Active,
    Finished { run: FinishedRow, ran: Option<LastRun> },
}

impl Writer<'_> {
    /// The job with this key.
    pub(super) fn find(&mut self, key: &JobKey) -> rusqlite::Result<Option<Found>> {
        self.write_down()?;
        let Some(queue) = self.state.queue(&key.queue) else { return Ok(None) };
        let mut rows = self.sql.find_job.query((key.id.as_str(), queue.0))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (seq, priority, flags) = (row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? & NATURE);
        drop(rows);
        let lane = queue.lane();
        let ticket = Ticket { seq, queue, lane, priority, ord: 0, attempts: 0, crashes: 0, flags };
        if self.state.active(seq).is_some() {
            return Ok(Some(Found { ticket, stand: Stand::Active }));
        }
        if let Some(found) = self.find_finished(ticket)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.find_delayed(ticket)? {
            return Ok(Some(found));
        }
        if ticket.flags & PARENT != 0
            && let Some(found) = self.find_awaiting(ticket)?
        {
            return Ok(Some(found));
        }
        self.find_ready(ticket).map(Some)
    }

    fn find_awaiting(&mut self, ticket: Ticket) -> rusqlite::Result<Option<Found>> {
        let mut rows = self.sql.find_awaiting.query((ticket.seq,))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let stand = Stand::Awaiting { n: row.get(0)? };
        let (attempts, crashes, flags) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let ticket = Ticket { attempts, crashes, flags, ..ticket };
        Ok(Some(Found { ticket, stand }))
    }

    fn find_finished(&mut self, mut ticket: Ticket) -> rusqlite::Result<Option<Found>> {
        let mut rows = self.sql.find_finished.query((ticket.seq,))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let run = FinishedRow {
            queue: ticket.queue,
            state: row.get(0)?,
            ord: row.get(1)?,
            n: row.get(2)?,
            seq: row.get(3)?,
            flags: row.get(4)?,
        };
        if ticket.seq >= run.seq + run.n {
            return Ok(None);
        }
        ticket.flags |= run.flags & TRACED;
        let ran = match row.get_ref(6)?.as_str()? {
            "" => None,
            worker => Some(LastRun {
                worker: WorkerId::new(worker).map_err(|_| corrupt_row("the worker of a job"))?,
                started_at: Timestamp::from_millis(row.get(5)?),
            }),
        };
        let stand = Stand::Finished { run, ran };
        Ok(Some(Found { ticket, stand }))
    }

    fn find_delayed(&mut self, ticket: Ticket) -> rusqlite::Result<Option<Found>> {
        let mut rows = self.sql.find_delayed.query((ticket.seq,))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let stand = Stand::Delayed { due: row.get(0)?, n: row.get(1)? };
        let (attempts, crashes, flags) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let ticket = Ticket { attempts, crashes, flags, ord: row.get(5)?, ..ticket };
        Ok(Some(Found { ticket, stand }))
    }

    fn find_ready(&mut self, ticket: Ticket) -> rusqlite::Result<Found> {
        let run = self.sql.find_ready.query_row((ticket.seq,), |row| {
            let first = Ticket {
                seq: row.get(3)?,
                queue: ticket.queue,
                lane: LaneId(row.get(7)?),
                priority: row.get(0)?,
                ord: row.get(1)?,
                attempts: row.get(4)?,
                crashes: row.get(5)?,
                flags: row.get(6)?,
            };
            Ok(Run { first, n: row.get(2)? })
        })?;
        let behind = ticket.seq - run.first.seq;
        if behind >= run.n {
            return Err(corrupt_row("a job that stands nowhere"));
        }
        Ok(Found { ticket: run.behind(behind).first, stand: Stand::Ready { run } })
    }

    /// Takes a found job out of the table that says where it stands.
    pub(super) fn take_out(&mut self, found: &Found) -> rusqlite::Result<()> {
        let Ticket { seq, queue: QueueId(queue), .. } = found.ticket;
        match &found.stand {
            Stand::Active => unreachable!("an active job is left to its worker"),
            Stand::Ready { run } => self.take_ready(run, seq - run.first.seq, 1),
            Stand::Finished { run, .. } => self.take_finished(run, seq - run.seq, 1),
            Stand::Delayed { due, n } => {
                self.sql.delete_delayed.execute((queue, due, n))?;
                self.state.count(found.ticket.queue, JobState::Delayed, -1);
                Ok(())
            }
            Stand::Awaiting { n } => {
                self.sql.delete_awaiting.execute((queue, n))?;
                self.state.count(found.ticket.queue, JobState::WaitingChildren, -1);
                Ok(())
            }
        }
    }

    /// The state of a found job, a pause aside.
    pub(super) fn state_of(&self, found: &Found) -> JobState {
        match self.shown_state(found) {
            JobState::Paused => JobState::Waiting,
            state => state,
        }
    }

    /// The state of a found job as it is shown.
    pub(super) fn shown_state(&self, found: &Found) -> JobState {
        match &found.stand {
            Stand::Active => JobState::Active,
            Stand::Delayed { .. } => JobState::Delayed,
            Stand::Awaiting { .. } => JobState::WaitingChildren,
            Stand::Finished { run, .. } => state_of_finished(run.state),
            Stand::Ready { .. } => match runnable(found.ticket.priority) {
                JobState::Waiting if self.state.figures(found.ticket.queue).paused => {
                    JobState::Paused
                }
                state => state,
            },
        }
    }
}
