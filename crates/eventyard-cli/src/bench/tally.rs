//! Counting how often each job was handled.

use std::{
    ops,
    sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
    time::Instant,
};

use bytes::Bytes;
use tokio::sync::watch;

use super::{Figure, Unit};

/// How often each job of a case was handled, and when the awaited number was reached.
#[derive(Debug)]
pub(super) struct Tally {
    /// By the job's number.
    handled: Vec<AtomicU8>,
    done: AtomicUsize,
    awaited: usize,
    reached: watch::Sender<Option<Instant>>,
}

impl Tally {
    /// Counts jobs numbered below `jobs`, and tells when `awaited` of them have been handled.
    pub(super) fn new(jobs: usize, awaited: usize) -> Self {
        Self {
            handled: (0..jobs).map(|_| AtomicU8::new(0)).collect(),
            done: AtomicUsize::new(0),
            awaited,
            reached: watch::Sender::new(None),
        }
    }

    /// Counts one run of the job with this payload.
    pub(super) fn count(&self, payload: &Bytes) {
        let number = payload.get(1..11).and_then(|digits| std::str::from_utf8(digits).ok());
        let number = number.and_then(|digits| digits.parse::<usize>().ok());
        if let Some(times) = number.and_then(|number| self.handled.get(number)) {
            times.fetch_add(1, Relaxed);
        }
        if self.done.fetch_add(1, Relaxed) + 1 == self.awaited {
            self.reached.send_replace(Some(Instant::now()));
        }
    }

    /// Waits until the awaited number of jobs has been handled; returns when that was.
    pub(super) async fn reached(&self) -> Instant {
        let mut reached = self.reached.subscribe();
        let instant = reached.wait_for(Option::is_some).await.map_or(None, |instant| *instant);
        instant.unwrap_or_else(Instant::now)
    }

    /// How many of the first `jobs` jobs were never handled, and how many more than once.
    pub(super) fn verdict(&self, jobs: usize) -> Verdict {
        let handled = self.handled.iter().take(jobs).map(|times| times.load(Relaxed));
        let (mut lost, mut doubled) = (0, 0);
        for times in handled {
            lost += u64::from(times == 0);
            doubled += u64::from(times > 1);
        }
        Verdict { lost, doubled }
    }
}

/// How many jobs were never handled, and how many more than once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Verdict {
    lost: u64,
    doubled: u64,
}

impl Verdict {
    pub(super) fn figures(self) -> [Figure; 2] {
        let figure =
            |value: u64, unit| Figure { case: "delivery-check", value: value as f64, unit };
        [figure(self.lost, Unit::Lost), figure(self.doubled, Unit::Doubled)]
    }
}

impl ops::Add for Verdict {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { lost: self.lost + other.lost, doubled: self.doubled + other.doubled }
    }
}
