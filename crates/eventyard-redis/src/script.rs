//! The scripts that change the store: each is atomic with respect to every other client of the same Redis.

use std::sync::LazyLock;

use redis::Cmd;

/// What every script can do, in the order in which one part needs the other.
const PARTS: [&str; 12] = [
    include_str!("lua/context.lua"),
    include_str!("lua/journal.lua"),
    include_str!("lua/rate.lua"),
    include_str!("lua/lane.lua"),
    include_str!("lua/place.lua"),
    include_str!("lua/job.lua"),
    include_str!("lua/duplicate.lua"),
    include_str!("lua/flow.lua"),
    include_str!("lua/lease.lua"),
    include_str!("lua/record.lua"),
    include_str!("lua/upkeep.lua"),
    include_str!("lua/settle.lua"),
];

static COMMIT: LazyLock<Code> =
    LazyLock::new(|| Code::of(&[include_str!("lua/steer.lua"), include_str!("lua/commit.lua")]));
static CLAIM: LazyLock<Code> = LazyLock::new(|| Code::of(&[include_str!("lua/claim.lua")]));
static ITERATE: LazyLock<Code> = LazyLock::new(|| Code::of(&[include_str!("lua/iterate.lua")]));
static RENEW: LazyLock<Code> = LazyLock::new(|| Code::of(&[include_str!("lua/renew.lua")]));
static MAINTAIN: LazyLock<Code> = LazyLock::new(|| Code::of(&[include_str!("lua/maintain.lua")]));

/// A script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Applies commits.
    Commit,
    /// Leases jobs.
    Claim,
    /// Adds the next job of a scheduler of BullMQ's.
    Iterate,
    /// Makes leases hold longer.
    Renew,
    /// Does what time asks for.
    Maintain,
}

struct Code {
    text: String,
    hash: String,
}

impl Code {
    fn of(last: &[&str]) -> Self {
        let text = [&PARTS, last].concat().join("\n");
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }
}

impl Script {
    fn code(self) -> &'static Code {
        match self {
            Self::Commit => &COMMIT,
            Self::Claim => &CLAIM,
            Self::Iterate => &ITERATE,
            Self::Renew => &RENEW,
            Self::Maintain => &MAINTAIN,
        }
    }

    /// Calls the script by its hash. `key` tells a cluster where it runs.
    pub(crate) fn call(self, key: &str, argument: &[u8]) -> Cmd {
        let mut call = redis::cmd("EVALSHA");
        call.arg(&self.code().hash).arg(1).arg(key).arg(argument);
        call
    }

    /// Calls the script on a server that does not know it yet; it does afterwards.
    pub(crate) fn call_in_full(self, key: &str, argument: &[u8]) -> Cmd {
        let mut call = redis::cmd("EVAL");
        call.arg(&self.code().text).arg(1).arg(key).arg(argument);
        call
    }
}
