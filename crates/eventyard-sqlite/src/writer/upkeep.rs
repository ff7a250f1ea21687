//! What time does to jobs and events.

use eventyard_core::{Failure, FailureKind, Keep, Maintenance, Timestamp, Upkeep};

use super::{Writer, settle::Outcome, state::Active};
use crate::encoding::OptionsReader;

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
        self.write_pending()?;
        done.expired = self.remove_expired(i64::try_from(upkeep.limit).unwrap_or(i64::MAX))?;
        self.write_pending()?;
        done.forgotten_events = self.forget_events(upkeep.keep_events, upkeep.limit)?;
        let most = (done.taken_over + done.buried).max(done.expired).max(done.forgotten_events);
        done.more = most >= upkeep.limit as u64;
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
        let attempt = job.ticket.attempts + 1;
        let message =
            format!("the worker `{}` stopped without a word during attempt {attempt}", job.worker);
        self.record(&mut job, &Failure::new(FailureKind::Crash, message))?;
        job.ticket.crashes += 1;
        let crashes = job.ticket.crashes;
        if crashes < i64::from(max_crashes) {
            self.remember_run(&mut job)?;
            self.put_at_back(&mut job.ticket)?;
            return Ok(false);
        }
        let message = format!(
            "attempt {attempt} was the {} whose worker crashed; \
             find out what the job does to its workers, then retry it",
            ordinal(crashes)
        );
        let failure = Failure::new(FailureKind::Crash, message);
        let keep = self.keep_failed(&job)?;
        self.finish_job(&job, Outcome::Failed(failure), keep)?;
        Ok(true)
    }

    fn keep_failed(&mut self, job: &Active) -> rusqlite::Result<Keep> {
        let mut rows = self.sql.job_options.query((job.ticket.seq,))?;
        let Some(row) = rows.next()? else { return Ok(Keep::FOREVER) };
        let options = OptionsReader::default().read(row.get_ref(0)?.as_str_or_null()?);
        Ok(options.remove_on_fail.unwrap_or(Keep::FOREVER))
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
