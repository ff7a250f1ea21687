//! What the queues did lately, as far as this process saw it: counted where jobs are added and settled.
//!
//! It costs a few additions a job and a fixed piece of memory a queue: an hour of minutes, a minute of seconds. What other
//! processes do on the same store is in their meters.

mod ring;
mod spread;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eventyard_core::{
    Effect, Enqueued, Job, Lease, LeaseToken, Leased, QueueName, Receipt, Settlement, Timestamp,
};

use ring::{Ring, Slot};
pub use spread::Spread;

/// How many minutes are remembered, the present one included.
pub const MINUTES: usize = 60;
/// How many seconds are remembered, the present one included.
const SECONDS: usize = 60;
/// Over how many whole seconds the present rates are taken.
const RATE_SECONDS: i64 = 5;
/// The most jobs of workers outside whose beginning is remembered.
const MAX_CLAIMED: usize = 10_000;
/// When a beginning makes room for others.
const OLD_CLAIM: Duration = Duration::from_secs(10 * 60);

/// How many jobs of a queue took which turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Were added.
    pub added: u64,
    /// Were completed.
    pub completed: u64,
    /// Failed for good.
    pub failed: u64,
    /// Failed and run again.
    pub retried: u64,
}

/// One minute of a queue.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Minute {
    /// How many jobs took which turn.
    pub tally: Tally,
    /// How long first attempts were waited for, from when the job could have run.
    pub wait: Spread,
    /// How long attempts ran.
    pub run: Spread,
}

/// What a queue did lately.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Since the process began.
    pub total: Tally,
    /// In the last few whole seconds, and how many those are.
    pub recent: (Tally, Duration),
    /// The last minutes with when they began, oldest first; those in which nothing happened are left out.
    pub minutes: Vec<(Timestamp, Minute)>,
}

/// The counters of every declared queue.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    queues: BTreeMap<QueueName, Mutex<Lately>>,
    /// When workers outside got what they work on.
    claimed: Mutex<HashMap<LeaseToken, Timestamp>>,
}

#[derive(Debug, Default)]
struct Lately {
    total: Tally,
    seconds: Ring<Tally>,
    minutes: Ring<Minute>,
}

/// An attempt that was settled, as it is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran<'a> {
    pub(crate) job: &'a Job,
    pub(crate) settlement: &'a Settlement,
    /// How long it ran, where that is known.
    pub(crate) took: Option<Duration>,
}

impl Slot for Tally {}
impl Slot for Minute {}

impl Meter {
    pub(crate) fn of<'a>(queues: impl IntoIterator<Item = &'a QueueName>) -> Self {
        let queues = queues.into_iter().map(|name| (name.clone(), Mutex::default()));
        Self { queues: queues.collect(), claimed: Mutex::default() }
    }

    /// Counts the jobs that a commit has added.
    pub(crate) fn added(&self, receipt: &Receipt, now: Timestamp) {
        for effect in receipt {
            let jobs = match effect {
                Effect::Published { jobs, .. } => jobs.as_slice(),
                Effect::Enqueued(job) => std::slice::from_ref(job),
                _ => continue,
            };
            for Enqueued { queue, duplicate, .. } in jobs {
                if let Some(mut lately) = self.lock(queue).filter(|_| !duplicate) {
                    lately.count(now, |tally| tally.added += 1);
                }
            }
        }
    }

    /// Remembers when workers outside got these jobs, as far as there is room.
    pub(crate) fn claimed(&self, leased: &[Leased], now: Timestamp) {
        if leased.is_empty() {
            return;
        }
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        if claimed.len() + leased.len() > MAX_CLAIMED {
            // Most of those that are old have lost their lease.
            claimed.retain(|_, at| now.since(*at) < OLD_CLAIM);
        }
        let room = MAX_CLAIMED.saturating_sub(claimed.len());
        claimed.extend(leased.iter().take(room).map(|leased| (leased.lease.token, now)));
    }

    /// How long a worker outside has had a job.
    pub(crate) fn took(&self, lease: &Lease, now: Timestamp) -> Option<Duration> {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.remove(&lease.token).map(|at| now.since(at))
    }

    /// Counts attempts of one queue that were settled.
    pub(crate) fn settled<'a>(
        &self,
        queue: &QueueName,
        all: impl IntoIterator<Item = Ran<'a>>,
        now: Timestamp,
    ) {
        let Some(mut lately) = self.lock(queue) else { return };
        for ran in all {
            lately.settled(ran, now);
        }
    }

    /// What a queue did lately; nothing for one that is not declared.
    pub(crate) fn read(&self, queue: &QueueName, now: Timestamp) -> Option<Reading> {
        let lately = self.lock(queue)?;
        let (second, minute) = (second(now), minute(now));
        let mut recent = Tally::default();
        for (_, tally) in lately.seconds.since(second - RATE_SECONDS, second - 1, SECONDS) {
            recent.add(tally);
        }
        let first = minute - (MINUTES as i64 - 1);
        let minutes = lately
            .minutes
            .since(first, minute, MINUTES)
            .map(|(number, minute)| (Timestamp::from_millis(number * 60_000), minute.clone()));
        Some(Reading {
            total: lately.total,
            recent: (recent, Duration::from_secs(RATE_SECONDS as u64)),
            minutes: minutes.collect(),
        })
    }

    fn lock(&self, queue: &QueueName) -> Option<MutexGuard<'_, Lately>> {
        let lately = self.queues.get(queue)?;
        Some(lately.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lately {
    fn count(&mut self, now: Timestamp, count: impl Fn(&mut Tally)) {
        count(&mut self.total);
        count(self.seconds.at(second(now), SECONDS));
        count(&mut self.minutes.at(minute(now), MINUTES).tally);
    }

    fn settled(&mut self, Ran { job, settlement, took }: Ran<'_>, now: Timestamp) {
        match settlement {
            Settlement::Complete { .. } => self.count(now, |tally| tally.completed += 1),
            Settlement::Fail { .. } => self.count(now, |tally| tally.failed += 1),
            Settlement::Retry { .. } => self.count(now, |tally| tally.retried += 1),
            Settlement::Snooze { .. } | Settlement::AwaitChildren | Settlement::Release => return,
        }
        let Some(took) = took else { return };
        let minute = self.minutes.at(minute(now), MINUTES);
        minute.run.add(took);
        // Since when a later attempt could have run is not known here.
        if job.attempts_made == 0 {
            let due = job.options.due(job.created_at);
            minute.wait.add(now.since(due).saturating_sub(took));
        }
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        let Self { added, completed, failed, retried } = other;
        self.added += added;
        self.completed += completed;
        self.failed += failed;
        self.retried += retried;
    }
}

fn second(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

fn minute(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(60_000)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use eventyard_core::{JobId, JobOptions, Keep, Payload};

    use super::*;

    fn job(queue: &QueueName, created_at: i64) -> Job {
        Job {
            queue: queue.clone(),
            id: JobId::new("j").unwrap(),
            name: "n".into(),
            payload: Payload::Data(bytes::Bytes::new()),
            options: Arc::new(JobOptions::default()),
            created_at: Timestamp::from_millis(created_at),
            attempts_made: 0,
            crashes: 0,
        }
    }

    #[test]
    fn what_happened_is_read_back_for_an_hour() {
        let queue = QueueName::new("q").unwrap();
        let meter = Meter::of([&queue]);
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let enqueued = |duplicate| {
            Effect::Enqueued(Enqueued {
                queue: queue.clone(),
                id: JobId::new("j").unwrap(),
                duplicate,
            })
        };
        meter.added(&vec![enqueued(false), enqueued(true), Effect::Done], at(59));
        let done = Settlement::Complete { result: None, keep: Keep::default() };
        let ran = job(&queue, 59_000);
        let took = Some(Duration::from_secs(1));
        meter.settled(&queue, [Ran { job: &ran, settlement: &done, took }], at(64));

        let reading = meter.read(&queue, at(65)).unwrap();
        let tally = Tally { added: 1, completed: 1, ..Tally::default() };
        assert_eq!((reading.total, reading.recent.0.completed), (tally, 1));
        let starts: Vec<_> = reading.minutes.iter().map(|(at, _)| at.as_millis()).collect();
        assert_eq!(starts, [0, 60_000]);
        let (_, minute) = &reading.minutes[1];
        assert_eq!(minute.wait.count(), 1);
        assert!(minute.wait.at(0.5).unwrap() >= Duration::from_secs(3), "{:?}", minute.wait);

        let later = meter.read(&queue, at(70)).unwrap();
        assert_eq!(later.recent.0, Tally::default());
        let hour = meter.read(&queue, at(60 * 60 + 60)).unwrap();
        assert_eq!((hour.minutes.len(), hour.total), (0, tally));
        assert_eq!(meter.read(&QueueName::new("other").unwrap(), at(0)), None);
    }
}
