//! Finding a job by its key, and where it stands.

use eventyard_core::{JobKey, JobState, Timestamp, WorkerId};

use super::{
    Writer,
    place::runnable,
    state::{QueueId, Ticket},
};
use crate::{
    encoding::{LIFO, TRACED, state_of_finished},
    error::corrupt_row,
};

/// A job that was found. Of a finished job the account is not read: whoever takes it up starts afresh.
pub(super) struct Found {
    pub(super) ticket: Ticket,
    pub(super) stand: Stand,
}

/// Where a job stands, with the key of its row there.
pub(super) enum Stand {
    Ready,
    Delayed { due: i64, n: i64 },
    Active,
    Finished { state: i64, ord: i64, started_at: Timestamp, worker: WorkerId },
}

impl Writer<'_> {
    /// The job with this key.
    pub(super) fn find(&mut self, key: &JobKey) -> rusqlite::Result<Option<Found>> {
        self.clear_leftovers()?;
        let Some(queue) = self.state.queue(&key.queue) else { return Ok(None) };
        let mut rows = self.sql.find_job.query((key.id.as_str(), queue.0))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (seq, priority, flags) = (row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? & LIFO);
        drop(rows);
        let ticket = Ticket { seq, queue, priority, ord: 0, attempts: 0, crashes: 0, flags };
        if self.state.active(seq).is_some() {
            return Ok(Some(Found { ticket, stand: Stand::Active }));
        }
        if let Some(found) = self.find_finished(ticket)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.find_delayed(ticket)? {
            return Ok(Some(found));
        }
        self.find_ready(ticket).map(Some)
    }

    fn find_finished(&mut self, mut ticket: Ticket) -> rusqlite::Result<Option<Found>> {
        let mut rows = self.sql.find_finished.query((ticket.seq,))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        ticket.flags |= row.get::<_, i64>(2)? & TRACED;
        let worker = WorkerId::new(row.get_ref(4)?.as_str()?);
        let stand = Stand::Finished {
            state: row.get(0)?,
            ord: row.get(1)?,
            started_at: Timestamp::from_millis(row.get(3)?),
            worker: worker.map_err(|_| corrupt_row("the worker of a job"))?,
        };
        Ok(Some(Found { ticket, stand }))
    }

    fn find_delayed(&mut self, ticket: Ticket) -> rusqlite::Result<Option<Found>> {
        let mut rows = self.sql.find_delayed.query((ticket.seq,))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let stand = Stand::Delayed { due: row.get(0)?, n: row.get(1)? };
        let (attempts, crashes, flags) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let ticket = Ticket { attempts, crashes, flags, ..ticket };
        Ok(Some(Found { ticket, stand }))
    }

    fn find_ready(&mut self, ticket: Ticket) -> rusqlite::Result<Found> {
        let QueueId(queue) = ticket.queue;
        self.sql.find_ready.query_row((ticket.seq, queue, ticket.priority), |row| {
            let (ord, attempts, crashes, flags) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let ticket = Ticket { ord, attempts, crashes, flags, ..ticket };
            Ok(Found { ticket, stand: Stand::Ready })
        })
    }

    /// Takes a found job out of the table that says where it stands.
    pub(super) fn take_out(&mut self, found: &Found) -> rusqlite::Result<()> {
        let Ticket { queue, priority, ord, .. } = found.ticket;
        let state = match found.stand {
            Stand::Active => unreachable!("an active job is left to its worker"),
            Stand::Ready => {
                self.sql.delete_ready.execute((queue.0, priority, ord, ord))?;
                runnable(priority)
            }
            Stand::Delayed { due, n } => {
                self.sql.delete_delayed.execute((queue.0, due, n))?;
                JobState::Delayed
            }
            Stand::Finished { state, ord, .. } => {
                self.sql.delete_finished.execute((queue.0, state, ord, ord))?;
                state_of_finished(state)
            }
        };
        self.state.count(queue, state, -1);
        Ok(())
    }

    /// The state of a found job as it is shown.
    pub(super) fn shown_state(&self, found: &Found) -> JobState {
        match found.stand {
            Stand::Active => JobState::Active,
            Stand::Delayed { .. } => JobState::Delayed,
            Stand::Finished { state, .. } => state_of_finished(state),
            Stand::Ready => match runnable(found.ticket.priority) {
                JobState::Waiting if self.state.figures(found.ticket.queue).paused => {
                    JobState::Paused
                }
                state => state,
            },
        }
    }
}
