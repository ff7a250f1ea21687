//! What time does to jobs and events.

use eventyard_core::{
    Failure, FailureKind, JobId, JobKey, JobState, Keep, Maintenance, QueueEventKind, QueueName,
    Timestamp, Upkeep,
};
use rusqlite::OptionalExtension;

use super::{
    Writer,
    settle::Outcome,
    state::{NEVER, Ticket},
};
use crate::{encoding::EXPIRES, error::corrupt_row};

/// The fewest events that one call looks at, although it may remove fewer.
const MIN_EVENTS_SEEN: usize = 1000;

impl Writer<'_> {
    /// Takes over ended leases, then removes what is old: jobs first, then the events that none carries.
    pub(super) fn maintain(&mut self, upkeep: &Upkeep) -> rusqlite::Result<Maintenance> {
        self.begin()?;
        let mut done = Maintenance::default();
        for seq in self.ended_leases(upkeep.limit) {
            if self.take_over(seq, upkeep.max_crashes)? {
                done.buried += 1;
            } else {
                done.taken_over += 1;
            }
        }
        self.write_down()?;
        done.expired = self.remove_expired(i64::try_from(upkeep.limit).unwrap_or(i64::MAX))?;
        self.write_pending()?;
        self.forget_windows(upkeep.limit)?;
        done.forgotten_events = self.forget_events(upkeep.keep_events, upkeep.limit)?;
        let most = (done.taken_over + done.buried).max(done.expired).max(done.forgotten_events);
        done.more = most >= upkeep.limit as u64;
        self.update_turns()?;
        self.forget_lanes()?;
        Ok(done)
    }

    fn ended_leases(&self, limit: usize) -> Vec<i64> {
        let ended = self.state.all_active().filter(|active| active.until <= self.now);
        let mut ended: Vec<_> =
            ended.map(|active| (active.until, active.fence, active.ticket.seq)).collect();
        ended.sort_unstable();
        ended.into_iter().take(limit).map(|(.., seq)| seq).collect()
    }

    /// Takes a job from a worker that went silent; true if that buried it.
    fn take_over(&mut self, seq: i64, max_crashes: u32) -> rusqlite::Result<bool> {
        let mut job = self.end_lease(seq);
        self.tell(job.ticket.queue, || QueueEventKind::Stalled { job: job.id.clone() });
        let attempt = job.ticket.attempts + 1;
        let message =
            format!("the worker `{}` stopped without a word during attempt {attempt}", job.worker);
        self.record(&mut job, &Failure::new(FailureKind::Crash, message))?;
        job.ticket.crashes += 1;
        let crashes = job.ticket.crashes;
        if crashes < i64::from(max_crashes) {
            self.remember_run(&mut job)?;
            let now = self.now;
            self.run_again(&mut job.ticket, now)?;
            self.tell_waiting(job.ticket.queue, &job.id, Some(JobState::Active));
            return Ok(false);
        }
        let message = format!(
            "attempt {attempt} was the {} whose worker crashed; \
             find out what the job does to its workers, then retry it",
            ordinal(crashes)
        );
        let failure = Failure::new(FailureKind::Crash, message);
        let keep = self.keep_failed(seq)?;
        self.finish_active(&job, Outcome::Failed(failure), keep)?;
        Ok(true)
    }

    /// Does what the time has come for: fails jobs that should have begun, makes delayed jobs runnable, and has the
    /// keys take turns whose rate allows it.
    pub(super) fn catch_up(&mut self) -> rusqlite::Result<()> {
        self.expire_unbegun()?;
        self.promote_due()?;
        self.update_turns()?;
        self.reopen_lanes()
    }

    /// Fails the jobs that have not begun in time: by time, then in the order of being added.
    fn expire_unbegun(&mut self) -> rusqlite::Result<()> {
        while self.state.next_expiry <= self.now {
            self.begin()?;
            let next = self
                .sql
                .next_unbegun
                .query_row((NEVER.as_millis(),), |row| Ok((row.get(0)?, row.get(1)?)));
            let (at, seq) = next.optional()?.unwrap_or((NEVER.as_millis(), 0));
            let at = Timestamp::from_millis(at);
            self.state.set_next_expiry(at);
            if at <= self.now {
                self.expire(at, seq)?;
            }
        }
        Ok(())
    }

    /// Has a job fail at `at` unless an attempt has begun.
    pub(super) fn expire_at(&mut self, job: &mut Ticket, at: Timestamp) -> rusqlite::Result<()> {
        let known = self.sql.find_unbegun.query_row((job.seq,), |row| row.get(0)).optional()?;
        let n = match known {
            Some(n) => {
                self.sql.delete_unbegun.execute((job.seq, job.seq))?;
                n
            }
            None => self.next_step()?,
        };
        job.flags |= EXPIRES;
        self.sql.insert_unbegun.execute((at.as_millis(), n, job.seq))?;
        self.state.set_next_expiry(at.min(self.state.next_expiry));
        Ok(())
    }

    /// Counts the time to live of a job that has not begun from another time at which it could.
    pub(super) fn expire_later(
        &mut self,
        job: &mut Ticket,
        due: Timestamp,
    ) -> rusqlite::Result<()> {
        if job.flags & EXPIRES != 0
            && let Some(ttl) = self.options_of(job.seq)?.ttl
        {
            self.expire_at(job, due + ttl)?;
        }
        Ok(())
    }

    fn expire(&mut self, at: Timestamp, seq: i64) -> rusqlite::Result<()> {
        self.sql.delete_unbegun.execute((seq, seq))?;
        let key = self
            .sql
            .key_of_job
            .query_row((seq,), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let key = JobKey {
            queue: QueueName::new(key.0).map_err(|_| corrupt_row("the name of a queue"))?,
            id: JobId::new(key.1).map_err(|_| corrupt_row("the id of a job"))?,
        };
        let Some(mut found) = self.find(&key)? else { return Ok(()) };
        let message = format!(
            "no attempt began before {at}, the end of its time to live; retry it to run it"
        );
        let failure = Failure::new(FailureKind::Expired, message);
        found.ticket.flags &= !EXPIRES;
        self.fail_unfinished(&found, &key.id, failure)
    }

    /// Removes the oldest events that are not to be kept and that no job carries.
    ///
    /// Events that stay because of their jobs are passed over, a bounded number in each call; the next call
    /// goes on behind them.
    fn forget_events(&mut self, keep: Keep, limit: usize) -> rusqlite::Result<u64> {
        if keep == Keep::FOREVER || self.state.events == 0 {
            return Ok(0);
        }
        let (after, mut older) = std::mem::take(&mut self.events_left);
        let most = i64::try_from(limit.max(MIN_EVENTS_SEEN)).unwrap_or(i64::MAX);
        let seen = self.sql.oldest_events.query_map((after, most), |row| {
            Ok((row.get(0)?, Timestamp::from_millis(row.get(1)?), row.get(2)?))
        })?;
        let seen: Vec<(i64, Timestamp, Box<str>)> = seen.collect::<Result<_, _>>()?;
        let (seen_all, last) = ((seen.len() as i64) < most, seen.last().map(|(seq, ..)| *seq));
        let mut forgotten = 0;
        for (seq, recorded_at, id) in seen {
            let is_old = keep.age.is_some_and(|age| recorded_at + age <= self.now);
            let is_beyond = keep.count.is_some_and(|count| self.state.events - older > count);
            if (!is_old && !is_beyond) || forgotten == limit as u64 {
                return Ok(forgotten);
            }
            if self.sql.has_job.exists((&*id,))? {
                older += 1;
                continue;
            }
            self.sql.delete_event.execute((seq,))?;
            self.state.set_events(self.state.events - 1);
            forgotten += 1;
        }
        if !seen_all {
            self.events_left = (last.unwrap_or(after), older);
        }
        Ok(forgotten)
    }
}

fn ordinal(n: i64) -> String {
    let suffix = match (n % 10, n % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}
