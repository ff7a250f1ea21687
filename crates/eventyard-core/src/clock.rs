//! The one source of time. The engine, the stores and the schedules read a [`Clock`]; nothing
//! calls the system's clock on its own.

use std::{
    fmt,
    sync::Mutex,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::Timestamp;

/// Reads the time and waits for it.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present. It never goes back.
    fn now(&self) -> Timestamp;

    /// Returns once [`now`](Clock::now) is at or after `deadline`.
    async fn sleep_until(&self, deadline: Timestamp);

    /// Returns once `d` has passed.
    async fn sleep(&self, d: Duration) {
        self.sleep_until(self.now() + d).await;
    }
}

/// The machine's clock, kept from going back.
///
/// When the wall clock is set back, this clock goes on by the monotonic one, so that delays keep
/// their length; when it is set forward, this clock follows.
#[derive(Debug)]
pub struct SystemClock {
    anchor: Mutex<(Instant, Timestamp)>,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { anchor: Mutex::new((Instant::now(), wall())) }
    }
}

fn wall() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::default() + since_epoch
}

/// The later of the wall clock and of what the monotonic clock makes of the anchor; a wall clock
/// that ran ahead becomes the new anchor.
fn read(anchor: &mut (Instant, Timestamp), instant: Instant, wall: Timestamp) -> Timestamp {
    let steady = anchor.1 + instant.duration_since(anchor.0);
    if wall > steady {
        *anchor = (instant, wall);
        return wall;
    }
    steady
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut anchor = self.anchor.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        read(&mut anchor, Instant::now(), wall())
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        loop {
            let left = deadline.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}

/// A clock that moves only when it is told to: for tests of stores and schedules.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { now: watch::Sender::new(start) }
    }

    /// Moves the clock on and wakes the sleepers whose time has come.
    pub fn advance(&self, d: Duration) {
        self.now.send_modify(|now| *now = *now + d);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        // The sender lives in `self`, so the wait cannot end in a closed channel.
        let _ = self.now.subscribe().wait_for(|now| *now >= deadline).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_does_not_go_back() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let ts = Timestamp::from_millis;
        let mut anchor = (start, ts(100_000));
        assert_eq!(read(&mut anchor, at(1), ts(101_000)), ts(101_000));
        assert_eq!(read(&mut anchor, at(2), ts(1_000)), ts(102_000), "set back: runs on");
        assert_eq!(read(&mut anchor, at(3), ts(500_000)), ts(500_000), "set forward: follows");
        assert_eq!(read(&mut anchor, at(4), ts(104_000)), ts(501_000), "and stays there");
    }
}
