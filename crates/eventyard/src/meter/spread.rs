//! How times are spread, in buckets that grow with them.

use std::time::Duration;

/// Two buckets an octave, from 64 µs to nine hours; what is longer counts as that.
const BUCKETS: usize = 60;
/// The octave at which the buckets begin: 2⁶ µs.
const FIRST_OCTAVE: u32 = 6;

/// How times are spread, to a fourth of their length.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    buckets: [u32; BUCKETS],
}

impl Default for Spread {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS] }
    }
}

impl Spread {
    pub(super) fn add(&mut self, time: Duration) {
        let bucket = &mut self.buckets[bucket(time)];
        *bucket = bucket.saturating_add(1);
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.buckets.iter_mut().zip(other.buckets) {
            *own = own.saturating_add(other);
        }
    }

    /// How many times it holds.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|count| u64::from(*count)).sum()
    }

    /// The time that this share of them does not exceed: 0.5 for the median; nothing when it is empty.
    #[must_use]
    pub fn at(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        let rank = ((count as f64 * share).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|count| {
            seen += u64::from(*count);
            seen >= rank
        });
        bucket.map(middle)
    }
}

fn bucket(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let Some(octave) = micros.checked_ilog2().and_then(|octave| octave.checked_sub(FIRST_OCTAVE))
    else {
        return 0;
    };
    let upper = micros >> (octave + FIRST_OCTAVE - 1) & 1;
    let place = 2 * octave as usize + upper as usize + 1;
    place.min(BUCKETS - 1)
}

/// The middle of a bucket; of the first, which holds all that is shorter, its end.
fn middle(bucket: usize) -> Duration {
    let Some(place) = bucket.checked_sub(1) else {
        return Duration::from_micros(1 << FIRST_OCTAVE);
    };
    let octave = 1_u64 << (FIRST_OCTAVE as usize + place / 2);
    let begin = octave + octave / 2 * (place as u64 % 2);
    Duration::from_micros(begin + octave / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_a_fourth_of_their_length() {
        for micros in [64, 100, 1_000, 1_500, 60_000_000, 3_600_000_000] {
            let mut spread = Spread::default();
            spread.add(Duration::from_micros(micros));
            let told = spread.at(0.5).unwrap().as_micros() as f64;
            assert!((told / micros as f64 - 1.0).abs() <= 0.26, "{micros}: {told}");
        }
        assert_eq!(Spread::default().at(0.5), None);
    }

    #[test]
    fn shares_are_by_rank() {
        let mut spread = Spread::default();
        for _ in 0..98 {
            spread.add(Duration::from_millis(10));
        }
        spread.add(Duration::from_secs(10));
        spread.add(Duration::from_secs(100_000));
        assert!(spread.at(0.95).unwrap() < Duration::from_millis(20));
        assert!(spread.at(0.99).unwrap() > Duration::from_secs(5));
        assert!(spread.at(1.0).unwrap() > Duration::from_secs(10_000));
        assert_eq!(spread.count(), 100);
    }
}
