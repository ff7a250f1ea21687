//! The tokens of leases: 16 digits of the process, 8 of the claim, 8 of the lease in the claim. The last bit says whether
//! the job is plain, so that whoever settles it knows that nothing but the lock needs to be looked at: it has no key, no
//! parent, and stands for no others. `lua/claim.lua` gives them out.

use eventyard_core::LeaseToken;

/// What the tokens of a claim begin with.
pub(crate) fn prefix(process: u64, claim: u32) -> String {
    format!("{process:016x}{claim:08x}")
}

/// Whether the job of a lease is plain, if the lease holds.
pub(crate) fn is_plain(token: LeaseToken) -> bool {
    token.as_u128() & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bit_says_plain() {
        let token = |digits| format!("{}{digits}", prefix(u64::MAX, 7)).parse().unwrap();
        assert!(is_plain(token("00000003")));
        assert!(!is_plain(token("00000002")));
    }
}
