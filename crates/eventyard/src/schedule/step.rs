//! What a schedule does now, as a pure function of where it stands and of the time.

use eventyard_core::Timestamp;

use super::{CatchUp, GRACE, entry::Entry};
use crate::FieldError;

/// The most jobs that one commit adds.
const MOST: usize = 1000;
/// The most bytes of data that the jobs of one commit carry together, if there is more than one.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// One step of a schedule: what it adds, and where it stands then.
#[derive(Debug)]
pub(crate) struct Step {
    /// The times that add a job each, in order.
    pub(crate) runs: Vec<Timestamp>,
    /// Where it stands then.
    pub(crate) entry: Entry,
}

/// What `entry` does at `now`; nothing when it is not due.
///
/// # Errors
/// When its pattern or its time zone cannot be used.
pub(crate) fn step(mut entry: Entry, now: Timestamp) -> Result<Option<Step>, FieldError> {
    let Some(next) = entry.next.filter(|next| *next <= now) else {
        return Ok(None);
    };
    let times = entry.plan.times(entry.anchor)?;
    let end = entry.plan.end.unwrap_or(Timestamp::from_millis(i64::MAX));
    let mut runs = Vec::new();
    match entry.plan.catch_up {
        CatchUp::Skip => {
            let on_time = now - GRACE;
            let first = if next > on_time { Some(next) } else { times.after(on_time) };
            let first = first.filter(|first| *first <= now.min(end));
            runs.extend(first.map(|first| times.last(first, now.min(end))));
        }
        CatchUp::One => runs.push(next),
        CatchUp::All => {
            let left = entry.plan.limit.map_or(u64::MAX, |limit| limit - entry.runs.min(limit));
            let most = (MOST_BYTES / entry.plan.data_bytes().max(1)).clamp(1, MOST);
            let most = most.min(usize::try_from(left).unwrap_or(MOST));
            let due = std::iter::successors(Some(next), |time| times.after(*time));
            runs.extend(due.take_while(|time| *time <= now.min(end)).take(most));
        }
    }
    entry.runs += runs.len() as u64;
    entry.last = runs.last().copied().or(entry.last);
    let passed = match entry.plan.catch_up {
        CatchUp::All => runs.last().copied().unwrap_or(now),
        CatchUp::Skip | CatchUp::One => now,
    };
    entry.next = entry.next_after(passed)?;
    Ok(Some(Step { runs, entry }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        JobRequest,
        schedule::{Schedule, entry::Plan},
        secs,
    };

    fn entry(change: impl FnOnce(Schedule) -> Schedule) -> Entry {
        let schedule = Schedule::every("s", secs(100)).job(JobRequest::new("q", "n"));
        let plan = Plan::of(change(schedule)).unwrap();
        Entry::new(plan, false, Timestamp::default()).unwrap()
    }

    fn seconds(times: impl IntoIterator<Item = Timestamp>) -> Vec<i64> {
        times.into_iter().map(|time| time.as_millis() / 1000).collect()
    }

    #[test]
    fn each_way_to_catch_up() {
        let check = |catch_up, now: u64, runs: &[i64], next: i64| {
            let entry = entry(|schedule| schedule.catch_up(catch_up));
            let step = step(entry, Timestamp::default() + secs(now)).unwrap();
            let found = step.map(|step| (seconds(step.runs), seconds(step.entry.next)));
            assert_eq!(found, Some((runs.to_vec(), vec![next])), "{catch_up:?} at {now} s");
        };
        for catch_up in [CatchUp::Skip, CatchUp::One, CatchUp::All] {
            check(catch_up, 100, &[100], 200);
            check(catch_up, 159, &[100], 200);
        }
        check(CatchUp::Skip, 160, &[], 200);
        check(CatchUp::Skip, 1050, &[1000], 1100);
        check(CatchUp::Skip, 1060, &[], 1100);
        check(CatchUp::One, 1060, &[100], 1100);
        check(CatchUp::All, 560, &[100, 200, 300, 400, 500], 600);
        let none = step(entry(|schedule| schedule), Timestamp::default() + secs(99)).unwrap();
        assert!(none.is_none(), "{none:?}");
    }

    #[test]
    fn ends_and_limits_hold_while_catching_up() {
        let check = |change: fn(Schedule) -> Schedule, runs: &[i64]| {
            let step = step(entry(change), Timestamp::default() + secs(1010)).unwrap().unwrap();
            assert_eq!((seconds(step.runs), step.entry.next), (runs.to_vec(), None));
        };
        let at = |s| Timestamp::default() + secs(s);
        check(|schedule| schedule.catch_up(CatchUp::All).limit(2), &[100, 200]);
        check(|schedule| schedule.catch_up(CatchUp::One).limit(1), &[100]);
        check(|schedule| schedule.limit(1), &[1000]);
        let ended = entry(|schedule| schedule.catch_up(CatchUp::All).end(at(300)));
        assert_eq!(seconds(step(ended, at(1010)).unwrap().unwrap().runs), [100, 200, 300]);
        let ended = entry(|schedule| schedule.end(at(999)));
        assert_eq!(seconds(step(ended, at(1010)).unwrap().unwrap().runs), [0; 0]);
    }

    #[test]
    fn a_long_absence_is_caught_up_in_steps() {
        let mut entry = entry(|schedule| schedule.catch_up(CatchUp::All));
        let mut sizes = Vec::new();
        while let Some(done) = step(entry.clone(), Timestamp::default() + secs(250_000)).unwrap() {
            sizes.push(done.runs.len());
            entry = done.entry;
        }
        assert_eq!((sizes, entry.runs), (vec![MOST, MOST, 500], 2500));
    }

    #[test]
    fn another_plan_keeps_the_time_unless_it_is_another_time() {
        let now = Timestamp::default() + secs(130);
        let amended = |plan: Schedule, paused| {
            let entry = step(entry(|schedule| schedule), Timestamp::default() + secs(100));
            let entry = entry.unwrap().unwrap().entry;
            let (entry, changed) = entry.amended(Plan::of(plan).unwrap(), paused, now).unwrap();
            changed.then(|| (seconds(entry.next), entry.runs))
        };
        let job = || JobRequest::new("q", "n");
        let same = || Schedule::every("s", secs(100)).job(job());
        assert_eq!(amended(same(), None), None);
        assert_eq!(amended(same(), Some(true)), Some((vec![], 1)));
        assert_eq!(amended(same().job(job().attempts(9)), None), Some((vec![200], 1)));
        assert_eq!(amended(same().limit(1), None), Some((vec![], 1)));
        assert_eq!(amended(same().end(now), None), Some((vec![], 1)));
        let other = Schedule::every("s", Duration::from_secs(50)).job(job());
        assert_eq!(amended(other, None), Some((vec![180], 1)));
        let cron = Schedule::cron("s", "* * * * *").job(job());
        assert_eq!(amended(cron, None), Some((vec![180], 1)));
    }
}
