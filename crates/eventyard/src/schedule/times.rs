//! When a schedule is due.

use std::time::Duration;

use eventyard_core::Timestamp;

use super::cron::Cron;

/// When a schedule is due.
#[derive(Debug, Clone)]
pub(crate) enum Times {
    /// By the calendar.
    Cron(Box<Cron>),
    /// At `anchor`, and each `every` after it.
    Every { every: Duration, anchor: Timestamp },
}

impl Times {
    /// The first time after `after`.
    pub(crate) fn after(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.after(after),
            Self::Every { every, anchor } => {
                if after < *anchor {
                    return Some(*anchor);
                }
                let every = length(*every);
                let passed = after.as_millis().checked_sub(anchor.as_millis())? / every;
                let ms = every.checked_mul(passed + 1)?.checked_add(anchor.as_millis())?;
                Some(Timestamp::from_millis(ms))
            }
        }
    }

    /// The last time from `from` to `until`, of which `from` is one.
    pub(crate) fn last(&self, from: Timestamp, until: Timestamp) -> Timestamp {
        if let Self::Every { every, .. } = self {
            let every = length(*every);
            let n = until.as_millis().saturating_sub(from.as_millis()) / every;
            return Timestamp::from_millis(from.as_millis().saturating_add(n * every));
        }
        let mut last = from;
        while let Some(next) = self.after(last).filter(|next| *next <= until) {
            last = next;
        }
        last
    }
}

fn length(every: Duration) -> i64 {
    i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_count_from_their_anchor() {
        let ts = Timestamp::from_millis;
        let times = Times::Every { every: Duration::from_millis(100), anchor: ts(1_050) };
        for (after, next) in [(0, 1_050), (1_049, 1_050), (1_050, 1_150), (1_149, 1_150)] {
            assert_eq!(times.after(ts(after)), Some(ts(next)), "{after}");
        }
        for (until, last) in [(1_050, 1_050), (1_149, 1_050), (1_150, 1_150), (1_999, 1_950)] {
            assert_eq!(times.last(ts(1_050), ts(until)), ts(last), "{until}");
        }
        assert_eq!(times.after(ts(i64::MAX)), None);
    }
}
