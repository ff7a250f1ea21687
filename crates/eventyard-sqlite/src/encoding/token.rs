//! Lease tokens: the number of the job, and a number that no other lease has.

use eventyard_core::LeaseToken;

/// The token of the lease number `fence` on the job number `seq`.
pub(crate) fn token(seq: i64, fence: i64) -> LeaseToken {
    let half = |number: i64| u128::from(number.unsigned_abs());
    LeaseToken::from_u128(half(seq) << 64 | half(fence))
}

/// The numbers of the job and of the lease, if the token can be one of this store.
pub(crate) fn split(token: LeaseToken) -> Option<(i64, i64)> {
    let number = token.as_u128();
    Some((i64::try_from(number >> 64).ok()?, i64::try_from(number & u128::from(u64::MAX)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_apart_again() {
        for pair in [(0, 0), (1, 2), (i64::MAX, i64::MAX)] {
            assert_eq!(split(token(pair.0, pair.1)), Some(pair));
        }
        assert_eq!(split(LeaseToken::from_u128(u128::MAX)), None);
    }
}
