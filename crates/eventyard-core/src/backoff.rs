//! How long to wait before a failed job runs again.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};

use crate::JobId;

/// The shape of the waits between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackoffKind {
    /// The same wait every time.
    Fixed,
    /// The delay, then twice, four times, eight times it, and so on.
    Exponential,
}

/// The waits between the attempts of a job: N attempts have N−1 waits.
///
/// In JSON `{"type": "exponential", "delay": 2000, "jitter": 0.5, "max": 60000}`, or a bare number of
/// milliseconds for a fixed wait, as in BullMQ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Backoff {
    /// The shape of the waits.
    #[serde(rename = "type")]
    pub kind: BackoffKind,
    /// The first wait.
    #[serde(with = "crate::time::serde_millis")]
    pub delay: Duration,
    /// The share of each wait that is random, from 0 (none) to 1 (all of it).
    #[serde(skip_serializing_if = "is_zero")]
    pub jitter: f64,
    /// The longest wait.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::time::serde_millis::option")]
    pub max: Option<Duration>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(jitter: &f64) -> bool {
    *jitter == 0.0
}

impl<'de> Deserialize<'de> for Backoff {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Wire)
    }
}

/// Reads both forms.
struct Wire;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    #[serde(rename = "type")]
    kind: BackoffKind,
    delay: u64,
    #[serde(default)]
    jitter: f64,
    #[serde(default)]
    max: Option<u64>,
}

impl<'de> Visitor<'de> for Wire {
    type Value = Backoff;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a number of milliseconds or {type, delay, jitter, max}")
    }

    fn visit_u64<E: de::Error>(self, ms: u64) -> Result<Backoff, E> {
        Ok(Backoff::fixed(Duration::from_millis(ms)))
    }

    fn visit_i64<E: de::Error>(self, ms: i64) -> Result<Backoff, E> {
        let unexpected = |_| E::invalid_value(Unexpected::Signed(ms), &self);
        let ms = ms.try_into().map_err(unexpected)?;
        self.visit_u64(ms)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Backoff, A::Error> {
        let Full { kind, delay, jitter, max } = Full::deserialize(MapAccessDeserializer::new(map))?;
        if !(0.0..=1.0).contains(&jitter) {
            let message = format!("backoff.jitter is {jitter}; use a share from 0 to 1");
            return Err(de::Error::custom(message));
        }
        let (delay, max) = (Duration::from_millis(delay), max.map(Duration::from_millis));
        Ok(Backoff { kind, delay, jitter, max })
    }
}

impl Backoff {
    /// Waits `delay` before each retry.
    #[must_use]
    pub const fn fixed(delay: Duration) -> Self {
        Self { kind: BackoffKind::Fixed, delay, jitter: 0.0, max: None }
    }

    /// Waits `delay`, then twice, four times, eight times it, and so on.
    #[must_use]
    pub const fn exponential(delay: Duration) -> Self {
        Self { kind: BackoffKind::Exponential, delay, jitter: 0.0, max: None }
    }

    /// Makes a share of each wait random, so that jobs that failed together do not return together.
    #[must_use]
    pub const fn jitter(mut self, share: f64) -> Self {
        self.jitter = share.clamp(0.0, 1.0);
        self
    }

    /// Never waits longer than `max`.
    #[must_use]
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = Some(max);
        self
    }

    /// The wait after attempt number `attempt` (the first is 1) of the job failed.
    ///
    /// The random share is drawn from the job's id and the attempt, so the same failure always
    /// waits the same time, in every process.
    #[must_use]
    pub fn wait(&self, job: &JobId, attempt: u32) -> Duration {
        let full = match self.kind {
            BackoffKind::Fixed => self.delay,
            BackoffKind::Exponential => {
                let factor = 2_u32.checked_pow(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
                self.delay.saturating_mul(factor)
            }
        };
        let full = self.max.map_or(full, |max| full.min(max));
        if self.jitter == 0.0 {
            return full;
        }
        let ms = full.as_secs_f64() * 1000.0;
        Duration::from_millis((ms * (1.0 - self.jitter * (1.0 - draw(job, attempt)))) as u64)
    }
}

/// A number in [0, 1) that depends on the job and the attempt alone.
fn draw(job: &JobId, attempt: u32) -> f64 {
    let mut hasher = DefaultHasher::new();
    (job, attempt).hash(&mut hasher);
    (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(backoff: Backoff, attempts: u32) -> Vec<u64> {
        let job = JobId::new("j").unwrap();
        (1..attempts).map(|n| backoff.wait(&job, n).as_millis() as u64).collect()
    }

    #[test]
    fn the_timelines_of_the_booking_queues() {
        let secs = Duration::from_secs;
        let check = |backoff, attempts, expected: &[u64]| {
            assert_eq!(waits(backoff, attempts), expected, "{backoff:?}");
        };
        check(Backoff::exponential(secs(2)), 5, &[2000, 4000, 8000, 16000]);
        check(Backoff::exponential(secs(1)), 3, &[1000, 2000]);
        check(Backoff::fixed(secs(5)), 3, &[5000, 5000]);
        check(Backoff::exponential(secs(2)).max(secs(5)), 5, &[2000, 4000, 5000, 5000]);
    }

    #[test]
    fn huge_attempts_saturate() {
        let wait = Backoff::exponential(Duration::MAX).wait(&JobId::new("j").unwrap(), u32::MAX);
        assert_eq!(wait, Duration::MAX);
    }

    #[test]
    fn jitter_takes_away_at_most_its_share() {
        let backoff = Backoff::fixed(Duration::from_secs(10)).jitter(0.5);
        let waits = waits(backoff, 200);
        assert!(waits.iter().all(|ms| (5000..=10_000).contains(ms)));
        assert!(waits.iter().any(|ms| *ms < 6000) && waits.iter().any(|ms| *ms > 9000));
    }

    #[test]
    fn json_is_bullmqs() {
        let check = |json, expected| {
            assert_eq!(serde_json::from_str::<Backoff>(json).unwrap(), expected, "{json}");
        };
        let ms = Duration::from_millis;
        check("1500", Backoff::fixed(ms(1500)));
        check(r#"{"type":"exponential","delay":2000}"#, Backoff::exponential(ms(2000)));
        check(r#"{"type":"fixed","delay":1,"jitter":0.5}"#, Backoff::fixed(ms(1)).jitter(0.5));
        for (bad, reason) in [
            (r#"{"type":"cubic","delay":1}"#, "unknown variant `cubic`"),
            (r#"{"type":"fixed"}"#, "missing field `delay`"),
            (r#"{"type":"fixed","delay":1,"jitter":2}"#, "use a share from 0 to 1"),
            (r#"{"type":"fixed","delay":1,"maximum":2}"#, "unknown field `maximum`"),
            ("-5", "integer `-5`, expected a number of milliseconds or {type"),
        ] {
            let error = serde_json::from_str::<Backoff>(bad).unwrap_err().to_string();
            assert!(error.contains(reason), "{bad}: {error}");
        }
        let text = serde_json::to_string(&Backoff::exponential(ms(2000))).unwrap();
        assert_eq!(text, r#"{"type":"exponential","delay":2000}"#);
    }
}
