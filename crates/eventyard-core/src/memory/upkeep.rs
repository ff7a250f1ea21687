//! What time does to jobs and events.

use super::{
    entry::Outcome,
    state::{Deadlines, State},
};
use crate::{EventId, Failure, FailureKind, JobKey, Keep, Maintenance, Timestamp, Upkeep};

impl State {
    /// Makes every delayed job runnable whose time has come: by time, then in the order of being delayed.
    pub(super) fn promote_due(&mut self, now: Timestamp) {
        while let Some(key) = first(&self.due, now) {
            self.rerun(&key, false);
        }
    }

    /// Takes over ended leases, then removes what is old: jobs first, then the events that none carries.
    pub(super) fn maintain(&mut self, upkeep: &Upkeep, now: Timestamp) -> Maintenance {
        let mut done = Maintenance::default();
        for key in ended(&self.leases, now, upkeep.limit) {
            if self.take_over(&key, upkeep.max_crashes, now) {
                done.buried += 1;
            } else {
                done.taken_over += 1;
            }
        }
        for key in ended(&self.expiring, now, upkeep.limit) {
            self.take(&key);
            done.expired += 1;
        }
        let carries =
            |id: &EventId| self.queues.values().any(|queue| queue.jobs.contains_key(id.as_str()));
        for id in self.events.superfluous(upkeep.keep_events, upkeep.limit, now, carries) {
            self.events.remove(&id);
            done.forgotten_events += 1;
        }
        let most = (done.taken_over + done.buried).max(done.expired).max(done.forgotten_events);
        done.more = most >= upkeep.limit as u64;
        done
    }

    /// Takes a job from a worker that went silent; true if that buried it.
    fn take_over(&mut self, key: &JobKey, max_crashes: u32, now: Timestamp) -> bool {
        let mut entry = self.take(key).expect("a leased job exists");
        let attempt = entry.job.attempts_made + 1;
        let worker = entry.worker.as_ref().map_or("", |worker| worker.as_str());
        let message =
            format!("the worker `{worker}` stopped without a word during attempt {attempt}");
        entry.record(Failure::new(FailureKind::Crash, message), now);
        entry.job.crashes += 1;
        let crashes = entry.job.crashes;
        if crashes < max_crashes {
            self.ready(&mut entry);
            self.put(entry);
            return false;
        }
        let message = format!(
            "attempt {attempt} was the {} whose worker crashed; \
             find out what the job does to its workers, then retry it",
            ordinal(crashes)
        );
        let failure = Failure::new(FailureKind::Crash, message);
        let keep = entry.job.options.remove_on_fail.unwrap_or(Keep::FOREVER);
        self.finish(entry, Outcome::Failed(failure), keep, now);
        true
    }
}

/// The first job whose deadline is over.
fn first(deadlines: &Deadlines, now: Timestamp) -> Option<JobKey> {
    let (at, _, key) = deadlines.first()?;
    (*at <= now).then(|| key.clone())
}

/// The jobs whose deadline is over, earliest first, up to `limit`.
fn ended(deadlines: &Deadlines, now: Timestamp, limit: usize) -> Vec<JobKey> {
    deadlines
        .iter()
        .take_while(|(at, ..)| *at <= now)
        .take(limit)
        .map(|(.., key)| key.clone())
        .collect()
}

fn ordinal(n: u32) -> String {
    let suffix = match (n % 10, n % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals() {
        for (n, text) in
            [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
        {
            assert_eq!(ordinal(n), text);
        }
    }
}
