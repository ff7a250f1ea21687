//! Leases: the right to work on a job for a while.

use std::{fmt, str::FromStr};

use crate::{Job, JobKey, Timestamp};

/// The fencing token of a lease: chosen by the store, never given out twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseToken(u128);

impl LeaseToken {
    /// The token with this number; what the number means is the store's own affair.
    #[must_use]
    pub const fn from_u128(number: u128) -> Self {
        Self(number)
    }

    /// The token's number.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a lease token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lease token is 32 hexadecimal digits")]
pub struct InvalidToken;

impl FromStr for LeaseToken {
    type Err = InvalidToken;
    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidToken);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| InvalidToken)
    }
}

/// The right to work on one attempt of a job until it ends or is taken over. Every write in the job's
/// name carries it, and the store refuses one that is no longer held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job.
    pub job: JobKey,
    /// The number of the attempt; the first is 1.
    pub attempt: u32,
    /// What tells this lease from every other.
    pub token: LeaseToken,
}

/// A job under a lease.
#[derive(Debug, Clone, PartialEq)]
pub struct Leased {
    /// The job.
    pub job: Job,
    /// The lease on it.
    pub lease: Lease,
    /// When the lease ends unless it is renewed.
    pub until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_text() {
        for number in [0, 1, u128::MAX, 1 << 64] {
            let token = LeaseToken::from_u128(number);
            assert_eq!(token.to_string().parse(), Ok(token));
        }
        for bad in
            ["", "12", "+0000000000000000000000000000001", "g0000000000000000000000000000000"]
        {
            assert_eq!(bad.parse::<LeaseToken>(), Err(InvalidToken), "{bad}");
        }
    }
}
