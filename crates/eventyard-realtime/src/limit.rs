//! How much clients may do: rates as buckets of tokens, without I/O.

use std::time::Duration;

use eventyard::model::Timestamp;

use crate::error::SetupError;

/// What clients may do at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest message of a client, in bytes. One that is larger is refused; one that is larger than twice that
    /// ends the connection.
    pub payload_bytes: usize,
    /// How many messages a connection may send in a second, on average.
    pub messages_per_second: u32,
    /// How many it may send at once after it was silent.
    pub burst: u32,
    /// How many connections one node holds.
    pub connections: usize,
    /// How many connections one user may have on one node.
    pub connections_per_user: usize,
    /// In how many rooms one user may be on one node, besides the own.
    pub rooms_per_user: usize,
    /// How many connections may be opened in the time that a client has to authenticate itself.
    pub handshakes: u32,
    /// How many messages may wait for a client that is slow to take them, before it has to catch up from what is
    /// remembered.
    pub buffer: usize,
    /// How long a client has to authenticate itself.
    pub handshake_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes: 100_000,
            messages_per_second: 50,
            burst: 100,
            connections: 50_000,
            connections_per_user: 20,
            rooms_per_user: 50,
            handshakes: 5_000,
            buffer: 128,
            handshake_time: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Checks that each leaves something possible.
    ///
    /// # Errors
    /// Names the limit, and what is allowed.
    pub fn check(&self) -> Result<(), SetupError> {
        let Self {
            payload_bytes,
            messages_per_second,
            burst,
            connections,
            connections_per_user,
            rooms_per_user: _,
            handshakes,
            buffer,
            handshake_time,
        } = *self;
        for (key, value, least) in [
            ("payload-bytes", payload_bytes, 1024),
            ("messages-per-second", messages_per_second as usize, 1),
            ("burst", burst as usize, 1),
            ("connections", connections, 1),
            ("connections-per-user", connections_per_user, 1),
            ("handshakes", handshakes as usize, 1),
            ("buffer", buffer, 16),
        ] {
            if value < least {
                let problem = format!("is {value}; use {least} or more");
                return Err(SetupError::new(format!("limits.{key}"), problem));
            }
        }
        if handshake_time.is_zero() {
            return Err(SetupError::new("limits.handshake-time", "is 0; use \"1s\" or more"));
        }
        Ok(())
    }
}

/// So many at once, and so many more as time passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    tokens: f64,
    at: Timestamp,
}

impl Bucket {
    /// A full one.
    pub(crate) fn full(size: u32, now: Timestamp) -> Self {
        Self { tokens: size.into(), at: now }
    }

    /// Takes one, if there is one. `size` fit in; `per_second` more come each second.
    pub(crate) fn take(&mut self, size: u32, per_second: f64, now: Timestamp) -> bool {
        let grown = now.since(self.at).as_secs_f64() * per_second;
        self.tokens = (self.tokens + grown).min(size.into());
        self.at = self.at.max(now);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_empty_until_time_fills_it() {
        let at = Timestamp::from_millis;
        let mut bucket = Bucket::full(2, at(0));
        let mut takes = |now: i64| bucket.take(2, 10.0, at(now));
        assert!(takes(0) && takes(0) && !takes(0));
        assert!(!takes(99));
        assert!(takes(100) && !takes(100));
        assert!(takes(10_000) && takes(10_000) && !takes(10_000), "no more than fit in");
        assert!(!takes(0), "time does not go back");
    }

    #[test]
    fn limits_leave_something_possible() {
        let check = |limits: Limits, expected: &str| {
            let error = limits.check().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with(expected), "{error}");
        };
        let limits = Limits::default();
        check(limits, "");
        check(Limits { burst: 0, ..limits }, "realtime.limits.burst is 0; use 1 or more");
        check(Limits { payload_bytes: 9, ..limits }, "realtime.limits.payload-bytes is 9");
        check(
            Limits { handshake_time: Duration::ZERO, ..limits },
            "realtime.limits.handshake-time",
        );
    }
}
