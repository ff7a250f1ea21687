//! What time does to jobs and events.

use super::{
    entry::Outcome,
    state::{Deadlines, State},
};
use crate::{
    EventId, Failure, FailureKind, JobKey, JobState, Keep, Maintenance, QueueEventKind, Timestamp,
    Upkeep,
};

impl State {
    /// Does what the time has come for: fails jobs that should have begun, then makes delayed jobs runnable, by time
    /// and in the order of being delayed, then has the keys take turns whose rate allows it.
    pub(super) fn catch_up(&mut self, now: Timestamp) {
        while let Some(key) = first(&self.unbegun, now) {
            self.expire(&key, now);
        }
        while let Some(key) = first(&self.due, now) {
            self.rerun(&key, now);
        }
        self.update_turns(now);
        self.reopen_lanes(now);
    }

    /// Fails a job that has not begun in time.
    fn expire(&mut self, key: &JobKey, now: Timestamp) {
        let entry = self.take(key).expect("a listed job exists");
        let at = entry.expires_at.expect("it is in the list of those that expire");
        let message = format!(
            "no attempt began before {at}, the end of its time to live; retry it to run it"
        );
        let keep = entry.job.options.remove_on_fail.unwrap_or(Keep::FOREVER);
        self.finish(entry, Outcome::Failed(Failure::new(FailureKind::Expired, message)), keep, now);
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
            self.remove_job(&key, now);
            done.expired += 1;
        }
        self.forget_windows(upkeep.limit, now);
        let carries =
            |id: &EventId| self.queues.values().any(|queue| queue.jobs.contains_key(id.as_str()));
        for id in self.events.superfluous(upkeep.keep_events, upkeep.limit, now, carries) {
            self.events.remove(&id);
            done.forgotten_events += 1;
        }
        let most = (done.taken_over + done.buried).max(done.expired).max(done.forgotten_events);
        done.more = most >= upkeep.limit as u64;
        self.update_turns(now);
        self.forget_lanes(now);
        done
    }

    /// Takes a job from a worker that went silent; true if that buried it.
    fn take_over(&mut self, key: &JobKey, max_crashes: u32, now: Timestamp) -> bool {
        let mut entry = self.take(key).expect("a leased job exists");
        self.tell(&key.queue, now, QueueEventKind::Stalled { job: key.id.clone() });
        let attempt = entry.job.attempts_made + 1;
        let worker = entry.worker.as_ref().map_or("", |worker| worker.as_str());
        let message =
            format!("the worker `{worker}` stopped without a word during attempt {attempt}");
        entry.record(Failure::new(FailureKind::Crash, message), now);
        entry.job.crashes += 1;
        let crashes = entry.job.crashes;
        if crashes < max_crashes {
            self.run_again(&mut entry, now, now);
            self.tell_standing(&entry, Some(JobState::Active), now);
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
