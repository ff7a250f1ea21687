//! Putting jobs where they stand: runnable, delayed, or nowhere.

use eventyard_core::{JobState, Timestamp};

use super::{
    Writer,
    state::{LaneId, NEVER, QueueId, Ticket},
};
use crate::encoding::{HOLDS, KEYED, LIFO};

/// The most delayed jobs that one group makes runnable; the next one goes on.
const MAX_PROMOTED: i64 = 10_000;
/// How many numbers are set aside for a queue at once.
const BLOCK: i64 = 4096;
/// How many are set aside at once for a key of which jobs wait, when so many keys are known: the more, the more of its
/// jobs stand together. But each key adds jobs at a place of its own, and those of thousands must be few pages in all.
fn lane_block(lanes: usize) -> i64 {
    i64::try_from(4096 / lanes.max(1)).unwrap_or(i64::MAX).clamp(8, 256)
}

/// The state of a runnable job with this priority, on a queue that is not paused.
pub(super) const fn runnable(priority: i64) -> JobState {
    if priority == 0 { JobState::Waiting } else { JobState::Prioritized }
}

impl Writer<'_> {
    /// The next number of a job of a lane, or of a place in its run order.
    ///
    /// Jobs with consecutive numbers cost one row together. So numbers are set aside in blocks: for the jobs without
    /// a key, and for a key that has many jobs.
    pub(super) fn next_job(&mut self, queue: QueueId, lane: LaneId) -> rusqlite::Result<i64> {
        if let Some(number) = self.state.numbers_mut(queue, lane).next() {
            return Ok(number);
        }
        let size = match self.state.lanes.get(&lane) {
            None => BLOCK,
            Some(lane) if lane.waiting == 0 => 1,
            Some(_) => lane_block(self.state.lanes.len()),
        };
        let mut block = self.numbers.jobs.take(size, &mut self.sql.set_meta)?;
        let number = block.next().expect("a block is not empty");
        *self.state.numbers_mut(queue, lane) = block;
        Ok(number)
    }

    /// The next number of a lease, of an end, or of a delay.
    pub(super) fn next_step(&mut self) -> rusqlite::Result<i64> {
        self.numbers.steps.next(&mut self.sql.set_meta)
    }

    /// Makes a job runnable at the place that its ticket says.
    pub(super) fn put_ready(&mut self, job: &mut Ticket) -> rusqlite::Result<()> {
        self.resolve_lane(job)?;
        self.pending.ready(job);
        self.state.count_runnable(job, 1);
        Ok(())
    }

    /// Makes a job runnable behind the others of its priority, or before them if it is LIFO.
    pub(super) fn put_at_back(&mut self, job: &mut Ticket) -> rusqlite::Result<()> {
        self.resolve_lane(job)?;
        let number = self.next_job(job.queue, job.lane)?;
        job.ord = place(number, job.flags);
        self.put_ready(job)
    }

    /// Makes a job whose attempt did not end it run again at `at`. Where its key is ordered it keeps its place, and
    /// the others of its key wait for it.
    pub(super) fn run_again(&mut self, job: &mut Ticket, at: Timestamp) -> rusqlite::Result<()> {
        if job.flags & KEYED == 0 || !self.state.limits(job.queue).keys.ordered {
            self.run_at(job, at)
        } else if at > self.now {
            job.flags |= HOLDS;
            self.put_delayed(job, at)
        } else {
            self.put_ready(job)
        }
    }

    /// Makes a job runnable that was delayed: at the back, or where it was if it held its key.
    pub(super) fn end_delay(&mut self, job: &mut Ticket) -> rusqlite::Result<()> {
        if job.flags & HOLDS == 0 {
            return self.put_at_back(job);
        }
        self.resolve_lane(job)?;
        self.state.change_lane(job.lane, |lane| lane.held -= 1);
        job.flags &= !HOLDS;
        self.put_ready(job)
    }

    /// Makes a job run at `at`: at once when that is not after the present.
    pub(super) fn run_at(&mut self, job: &mut Ticket, at: Timestamp) -> rusqlite::Result<()> {
        if at > self.now { self.put_delayed(job, at) } else { self.put_at_back(job) }
    }

    /// Makes a job wait until `due`.
    pub(super) fn put_delayed(&mut self, job: &mut Ticket, due: Timestamp) -> rusqlite::Result<()> {
        if job.flags & HOLDS != 0 {
            self.resolve_lane(job)?;
            self.state.change_lane(job.lane, |lane| lane.held += 1);
        }
        let n = self.next_step()?;
        let QueueId(queue) = job.queue;
        self.sql.insert_delayed.execute((
            queue,
            due.as_millis(),
            n,
            job.seq,
            job.priority,
            job.attempts,
            job.crashes,
            job.flags,
            job.ord,
        ))?;
        self.state.count(job.queue, JobState::Delayed, 1);
        let next = self.state.figures(job.queue).next_due.min(due);
        self.state.set_next_due(job.queue, next);
        Ok(())
    }

    /// Makes the delayed jobs runnable whose time has come: by time, then in the order of being delayed.
    pub(super) fn promote_due(&mut self) -> rusqlite::Result<()> {
        let mut room = MAX_PROMOTED;
        for queue in self.state.due(self.now) {
            self.begin()?;
            let (due, last) = self.due_jobs(queue, room)?;
            for mut job in due.iter().copied() {
                self.end_delay(&mut job)?;
                self.tell_runnable(&job, Some(JobState::Delayed))?;
            }
            let promoted = i64::try_from(due.len()).expect("bounded by the room");
            if let Some((due, n)) = last {
                self.sql.delete_delayed_until.execute((queue.0, due, n))?;
                self.state.count(queue, JobState::Delayed, -promoted);
            }
            self.find_next_due(queue)?;
            room -= promoted;
            if room == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    #[expect(clippy::type_complexity, reason = "jobs, and the key of the last one; used once")]
    fn due_jobs(
        &mut self,
        queue: QueueId,
        most: i64,
    ) -> rusqlite::Result<(Vec<Ticket>, Option<(i64, i64)>)> {
        let mut rows = self.sql.due_delayed.query((queue.0, self.now.as_millis(), most))?;
        let (mut due, mut last) = (Vec::new(), None);
        while let Some(row) = rows.next()? {
            due.push(Ticket {
                seq: row.get(0)?,
                queue,
                lane: queue.lane(),
                priority: row.get(1)?,
                ord: row.get(7)?,
                attempts: row.get(2)?,
                crashes: row.get(3)?,
                flags: row.get(4)?,
            });
            last = Some((row.get(5)?, row.get(6)?));
        }
        Ok((due, last))
    }

    fn find_next_due(&mut self, queue: QueueId) -> rusqlite::Result<()> {
        let mut rows = self.sql.next_due.query((queue.0,))?;
        let next = match rows.next()? {
            Some(row) => Timestamp::from_millis(row.get(0)?),
            None => NEVER,
        };
        self.state.set_next_due(queue, next);
        Ok(())
    }
}

/// The place in the run order of the job that became runnable as number `number`.
pub(super) const fn place(number: i64, flags: i64) -> i64 {
    if flags & LIFO == 0 { number } else { -number }
}
