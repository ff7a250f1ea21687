//! How long to wait between tries to connect.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Waits that double from 50 ms to 2 s, a quarter of each at random so that many clients do not come at once.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    failures: u32,
}

impl Pace {
    /// The wait after one more failure.
    pub fn next_wait(&mut self) -> Duration {
        let wait = step(self.failures, RandomState::new().hash_one(self.failures));
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// Starts anew, after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

fn step(failures: u32, random: u64) -> Duration {
    let full = FIRST.saturating_mul(1 << failures.min(10)).min(LONGEST);
    let share = u32::try_from(random % 256).unwrap_or_default();
    full - full / 4 * share / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let check = |failures, random, ms| {
            assert_eq!(step(failures, random), Duration::from_millis(ms), "{failures} {random}");
        };
        check(0, 0, 50);
        check(1, 0, 100);
        check(5, 0, 1600);
        check(6, 0, 2000);
        check(u32::MAX, 0, 2000);
        check(6, 128, 1750);
    }
}
