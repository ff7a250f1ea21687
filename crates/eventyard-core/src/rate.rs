//! Counting what began, so that no period of a rate has too many.

use crate::{Rate, Timestamp};

/// How many slots a period is divided into.
const SLOTS: i64 = 64;

/// How many jobs began, slot by slot.
///
/// The period is divided into slots that slide: a slot counts until all of it is older than the period. So no
/// period ever has more than the rate allows, and a steady stream gets at most one slot in 64 less than that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RateWindow {
    /// The last millisecond of each slot that still counts, and how many jobs began in it; oldest first.
    slots: std::collections::VecDeque<(i64, u32)>,
    /// Their sum.
    total: u64,
}

impl RateWindow {
    /// How many jobs may begin `now`.
    pub fn room(&mut self, rate: Rate, now: Timestamp) -> usize {
        self.forget(rate, now);
        usize::try_from(u64::from(rate.max).saturating_sub(self.total)).unwrap_or(usize::MAX)
    }

    /// Counts jobs that begin `now`.
    pub fn count(&mut self, rate: Rate, now: Timestamp, jobs: usize) {
        let jobs = u32::try_from(jobs).unwrap_or(u32::MAX);
        if jobs == 0 {
            return;
        }
        // A clock that goes back counts into the slot it came from.
        let end = slot_end(rate, now).max(self.slots.back().map_or(i64::MIN, |(end, _)| *end));
        match self.slots.back_mut() {
            Some((last, count)) if *last == end => *count = count.saturating_add(jobs),
            _ => self.slots.push_back((end, jobs)),
        }
        self.total += u64::from(jobs);
    }

    /// The slots that count, as the last millisecond of each and how many jobs began in it; oldest first.
    pub fn slots(&self) -> impl DoubleEndedIterator<Item = (Timestamp, u32)> {
        self.slots.iter().map(|(end, jobs)| (Timestamp::from_millis(*end), *jobs))
    }

    /// When jobs may begin again, if none may now.
    #[must_use]
    pub fn opens(&self, rate: Rate) -> Option<Timestamp> {
        if self.total < u64::from(rate.max) {
            return None;
        }
        let (oldest, _) = self.slots.front()?;
        Some(Timestamp::from_millis(*oldest) + rate.per)
    }

    /// Whether nothing of the window counts any more.
    pub fn is_empty(&mut self, rate: Rate, now: Timestamp) -> bool {
        self.forget(rate, now);
        self.slots.is_empty()
    }

    /// Takes up a slot of a window that was kept elsewhere. Slots come oldest first.
    pub fn restore(&mut self, (end, jobs): (Timestamp, u32)) {
        self.slots.push_back((end.as_millis(), jobs));
        self.total += u64::from(jobs);
    }

    fn forget(&mut self, rate: Rate, now: Timestamp) {
        while let Some((end, count)) = self.slots.front()
            && Timestamp::from_millis(*end) + rate.per <= now
        {
            self.total -= u64::from(*count);
            self.slots.pop_front();
        }
    }
}

/// The last millisecond of the slot that an instant falls into: inside of a period that begins with it, and out of
/// every later one.
fn slot_end(rate: Rate, at: Timestamp) -> i64 {
    let width = width(rate);
    (at.as_millis().div_euclid(width) + 1) * width - 1
}

/// The length of a slot in milliseconds.
fn width(rate: Rate) -> i64 {
    let millis = i64::try_from(rate.per.as_millis()).unwrap_or(i64::MAX);
    (millis / SLOTS).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Begins as many jobs as allowed, every `step` ms for `total` ms; returns when each began.
    fn run(rate: Rate, step: i64, total: i64) -> Vec<i64> {
        let mut window = RateWindow::default();
        let mut begun = Vec::new();
        for at in (1_000_000..1_000_000 + total).step_by(usize::try_from(step).unwrap()) {
            let now = Timestamp::from_millis(at);
            let room = window.room(rate, now);
            window.count(rate, now, room);
            begun.extend(std::iter::repeat_n(at, room));
        }
        begun
    }

    #[test]
    fn no_period_has_too_many_and_few_have_less() {
        for (max, per, step) in
            [(100, 1000, 1), (100, 1000, 7), (3, 50, 1), (1, 1, 1), (10, 60_000, 5)]
        {
            let rate = Rate::new(max, Duration::from_millis(per));
            let per = i64::try_from(per).unwrap();
            let total = per * 20;
            let begun = run(rate, step, total);
            for (i, first) in begun.iter().enumerate() {
                let inside = begun[i..].iter().take_while(|at| **at < first + per).count();
                assert!(inside <= max as usize, "{rate:?}: {inside} from {first}");
            }
            let expected = i64::from(max) * 20;
            let short = expected - i64::try_from(begun.len()).unwrap();
            // One slot in 64, and what a coarse step adds to it.
            assert!(short * per <= expected * (per / 64 + step), "{rate:?}: {short} too few");
        }
    }

    #[test]
    fn it_tells_when_it_opens() {
        let rate = Rate::new(2, Duration::from_millis(640));
        let mut window = RateWindow::default();
        let now = Timestamp::from_millis(6400);
        assert_eq!(window.room(rate, now), 2);
        window.count(rate, now, 2);
        let opens = window.opens(rate).unwrap();
        assert_eq!(opens.as_millis(), 6400 + 9 + 640);
        assert_eq!(window.room(rate, Timestamp::from_millis(opens.as_millis() - 1)), 0);
        assert_eq!(window.room(rate, opens), 2);
    }

    #[test]
    fn another_rate_counts_what_began_before() {
        let (short, long) = (Rate::new(1, Duration::from_millis(5)), Rate::per_second(1));
        let mut window = RateWindow::default();
        let now = Timestamp::from_millis(10_000);
        window.count(short, now, 1);
        assert_eq!(window.room(long, now), 0);
        assert_eq!(window.opens(long), Some(now + Duration::from_secs(1)));
        assert_eq!(window.room(long, now + Duration::from_secs(1)), 1);
    }

    #[test]
    fn a_window_that_was_kept_elsewhere_goes_on() {
        let rate = Rate::new(5, Duration::from_millis(640));
        let mut window = RateWindow::default();
        for (at, jobs) in [(6400, 2), (6405, 1), (6420, 2)] {
            window.count(rate, Timestamp::from_millis(at), jobs);
        }
        let mut restored = RateWindow::default();
        window.slots().for_each(|slot| restored.restore(slot));
        assert_eq!(restored, window);
        assert_eq!(restored.opens(rate), Some(Timestamp::from_millis(6409 + 640)));
    }

    #[test]
    fn a_clock_that_goes_back_opens_nothing() {
        let rate = Rate::per_second(1);
        let mut window = RateWindow::default();
        let now = Timestamp::from_millis(10_000);
        window.count(rate, now, 1);
        assert_eq!(window.room(rate, Timestamp::from_millis(5000)), 0);
    }
}
