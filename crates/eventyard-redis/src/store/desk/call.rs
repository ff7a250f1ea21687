//! From what is asked to the calls of scripts.

use eventyard_core::{
    Claim, Commit, CommitError, Maintenance, Renewal, Settlement, Timestamp, Write, fair::burst,
};

use super::{Answer, Claimed, Desk, Receipts, Request};
use crate::{
    script::Script,
    store::{
        reserved,
        wire::{self, Caller, ClaimArgs, MaintainArgs, RenewArgs, WireLease},
    },
};

/// The most commits in one call of the script: others wait while it runs.
const MAX_COMMITS: usize = 256;
/// The most bytes of payloads in one call, unless one request has more.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most jobs of one claim.
const MAX_CLAIM: usize = 10_000;
/// How often the jobs of Node's workers are looked at, over all processes. A look takes the place of one of theirs, so
/// it is not to be rarer than they would have it.
const STALLED_INTERVAL_MS: u32 = 5_000;

/// One call of a script, and what is done with its answer.
pub(super) struct Call {
    pub(super) script: Script,
    pub(super) argument: Vec<u8>,
    pub(super) then: Then,
}

pub(super) enum Then {
    /// The commits of several requests, and how many each has.
    Commits(Vec<(Vec<Commit>, Answer<Receipts>)>),
    Claim(Claim, Timestamp, Answer<Claimed>),
    Renew(Timestamp, usize, Answer<Vec<Renewal>>),
    Maintain(usize, Answer<Maintenance>),
    /// The next job of a scheduler, with what adds it.
    NextJob(Vec<u8>),
}

impl Desk {
    /// The calls that answer some requests; all commits up to a claim share one.
    pub(super) fn calls(
        &mut self,
        requests: impl Iterator<Item = Request>,
        now: Timestamp,
    ) -> Vec<Call> {
        let next_jobs = self.next_jobs.drain(..).chain(self.late_jobs.drain(..));
        let mut calls: Vec<_> = next_jobs
            .map(|argument| {
                let then = Then::NextJob(argument.clone());
                Call { script: Script::Iterate, argument, then }
            })
            .collect();
        let mut commits = Vec::new();
        let (mut count, mut bytes) = (0, 0);
        for request in requests {
            match request {
                Request::Commit(own, answer) => {
                    let own_bytes = own.iter().map(weight).sum::<usize>();
                    if count > 0
                        && (count + own.len() > MAX_COMMITS || bytes + own_bytes > MAX_BYTES)
                    {
                        calls.push(self.commit_call(std::mem::take(&mut commits), now));
                        (count, bytes) = (0, 0);
                    }
                    count += own.len();
                    bytes += own_bytes;
                    commits.push((own, answer));
                }
                Request::Claim(ask, answer) => {
                    if answer.is_closed() {
                        continue;
                    }
                    if !commits.is_empty() {
                        calls.push(self.commit_call(std::mem::take(&mut commits), now));
                        (count, bytes) = (0, 0);
                    }
                    let argument = self.claim_argument(&ask, now);
                    let then = Then::Claim(ask, now, answer);
                    calls.push(Call { script: Script::Claim, argument, then });
                }
                Request::Renew(leases, lease_for, answer) => {
                    let argument = wire::encode(&RenewArgs {
                        prefix: &self.prefix,
                        node: &self.node,
                        now: now.as_millis(),
                        grace: self.grace,
                        leases: leases.iter().map(WireLease::from).collect(),
                        lease: wire::millis(lease_for),
                    });
                    let then = Then::Renew(now + lease_for, leases.len(), answer);
                    calls.push(Call { script: Script::Renew, argument, then });
                }
                Request::Maintain(upkeep, answer) => {
                    let argument = wire::encode(&MaintainArgs {
                        prefix: &self.prefix,
                        node: &self.node,
                        now: now.as_millis(),
                        heard: self.feed.is_recording(),
                        grace: self.grace,
                        limit: upkeep.limit,
                        max_crashes: upkeep.max_crashes,
                        keep_events: upkeep.keep_events.into(),
                        stalled_interval: STALLED_INTERVAL_MS,
                        max_stalled: upkeep.max_crashes,
                    });
                    let then = Then::Maintain(upkeep.limit, answer);
                    calls.push(Call { script: Script::Maintain, argument, then });
                }
            }
        }
        if !commits.is_empty() {
            calls.push(self.commit_call(commits, now));
        }
        calls
    }

    fn commit_call(&self, requests: Vec<(Vec<Commit>, Answer<Receipts>)>, now: Timestamp) -> Call {
        let commits: Vec<_> = requests
            .iter()
            .flat_map(|(commits, _)| commits)
            .filter(|commit| check(commit).is_ok())
            .collect();
        let argument = wire::commits(self.caller(now), &commits);
        Call { script: Script::Commit, argument, then: Then::Commits(requests) }
    }

    fn caller(&self, now: Timestamp) -> Caller<'_> {
        let heard = self.feed.is_recording();
        Caller { prefix: &self.prefix, node: &self.node, now, heard, grace: self.grace }
    }

    fn claim_argument(&mut self, ask: &Claim, now: Timestamp) -> Vec<u8> {
        self.claims = self.claims.wrapping_add(1);
        let token = format!("{:016x}{:08x}", self.nonce, self.claims);
        wire::encode(&ClaimArgs {
            prefix: &self.prefix,
            node: &self.node,
            now: now.as_millis(),
            heard: self.feed.is_recording(),
            grace: self.grace,
            queue: ask.queue.as_str(),
            max: ask.max.min(MAX_CLAIM),
            burst: burst(ask.max),
            lease: wire::millis(ask.lease_for),
            worker: ask.worker.as_str(),
            token: &token,
        })
    }
}

/// The bytes of a commit that count.
fn weight(commit: &Commit) -> usize {
    let each = commit.writes.iter().map(|write| match write {
        Write::Publish { event, .. } => event.data.len(),
        Write::Enqueue(job) => job.payload.data().len(),
        Write::Put { value, .. } => value.len(),
        Write::Update { data, .. } => data.len(),
        Write::Settle(Settlement::Complete { result: Some(result), .. }) => result.len(),
        _ => 0,
    });
    each.sum()
}

/// Refuses what no state of the store could make right.
pub(super) fn check(commit: &Commit) -> Result<(), CommitError> {
    commit.check_form()?;
    reserved::check(commit)
}
