//! From what is asked to the calls of scripts.

use eventyard_core::{
    Claim, Commit, CommitError, Leased, Maintenance, NewJob, QueueName, Renewal, Settlement,
    Timestamp, Write, fair::burst,
};

use super::{Answer, Claimed, Desk, Receipts, Request};
use crate::{
    script::Script,
    store::{
        reserved, tokens,
        wire::{
            self, Caller, Lists, MaintainArgs, RenewArgs, Shared, WireClaim, WireLease, WirePart,
            WorkArgs,
        },
    },
};

/// The most writes in one call of the script, unless one commit has more: others wait while it runs.
const MAX_WRITES: usize = 256;
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
    Work(Vec<Part>),
    Renew(Timestamp, usize, Answer<Vec<Renewal>>),
    Maintain(usize, Answer<Maintenance>),
    /// The next job of a scheduler, with what adds it.
    NextJob(Vec<u8>),
}

/// What is asked for together with more.
pub(super) enum Part {
    /// The commits of some requests, one after the other.
    Commits(Vec<Committing>),
    /// What the tokens of its leases begin with.
    Claim(Claim, String, Answer<Claimed>),
}

/// The commits of one request, and who is told; nobody waits for those that give jobs back.
pub(super) type Committing = (Vec<Commit>, Option<Answer<Receipts>>);

/// Parts that are to share a call, and how much they are.
#[derive(Default)]
struct Gathered {
    parts: Vec<Part>,
    writes: usize,
    bytes: usize,
}

impl Gathered {
    /// Whether there is room for commits.
    fn has_room(&self, commits: &[Commit]) -> bool {
        self.writes == 0
            || self.writes + writes(commits) <= MAX_WRITES
                && self.bytes + commits.iter().map(weight).sum::<usize>() <= MAX_BYTES
    }

    fn add(&mut self, commits: Vec<Commit>, answer: Option<Answer<Receipts>>) {
        self.writes += writes(&commits);
        self.bytes += commits.iter().map(weight).sum::<usize>();
        match self.parts.last_mut() {
            Some(Part::Commits(requests)) => requests.push((commits, answer)),
            _ => self.parts.push(Part::Commits(vec![(commits, answer)])),
        }
    }
}

impl Desk {
    /// The calls that answer some requests; commits and claims share one as far as that is not too large.
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
        let mut gathered = Gathered::default();
        for request in requests {
            match request {
                Request::Commit(commits, answer) => {
                    if !gathered.has_room(&commits) {
                        let full = std::mem::take(&mut gathered);
                        calls.push(self.work_call(full.parts, now));
                    }
                    let claims = self.claims_for(&commits);
                    gathered.add(commits, Some(answer));
                    gathered.parts.extend(claims);
                }
                Request::Claim(ask, answer) => {
                    if !answer.is_closed() {
                        gathered.parts.push(Part::Claim(ask, self.next_tokens(), answer));
                    }
                }
                Request::GiveBack(jobs) => gathered.add(give_back(jobs), None),
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
        if !gathered.parts.is_empty() {
            calls.push(self.work_call(gathered.parts, now));
        }
        calls
    }

    /// The claims that stand and that commits may have jobs for.
    fn claims_for(&mut self, commits: &[Commit]) -> Vec<Part> {
        let mut added: Vec<(&QueueName, usize)> = Vec::new();
        for job in commits.iter().flat_map(|commit| &commit.writes).flat_map(added_by) {
            let options = &job.options;
            if options.delay.is_some() || options.run_at.is_some() || job.awaits_children {
                continue;
            }
            match added.iter_mut().find(|(queue, _)| *queue == &job.queue) {
                Some((_, jobs)) => *jobs += 1,
                None => added.push((&job.queue, 1)),
            }
        }
        let claims = added.into_iter().flat_map(|(queue, jobs)| self.standing.take(queue, jobs));
        let claims: Vec<_> = claims.collect();
        let part = |(ask, answer)| Part::Claim(ask, self.next_tokens(), answer);
        claims.into_iter().map(part).collect()
    }

    fn work_call(&self, parts: Vec<Part>, now: Timestamp) -> Call {
        let mut asked = Vec::with_capacity(parts.len());
        let mut shared = Shared::default();
        for part in &parts {
            asked.push(match part {
                Part::Commits(requests) => {
                    let caller = Caller { prefix: &self.prefix, now };
                    let mut lists = Lists::default();
                    for (commits, _) in requests {
                        let sound = commits.iter().filter(|commit| check(commit).is_ok());
                        lists.add(sound, caller, &mut shared);
                    }
                    WirePart::Commits(lists)
                }
                Part::Claim(ask, token, _) => WirePart::Claim(WireClaim {
                    queue: ask.queue.as_str(),
                    max: ask.max.min(MAX_CLAIM),
                    burst: burst(ask.max),
                    lease: wire::millis(ask.lease_for),
                    worker: ask.worker.as_str(),
                    token,
                }),
            });
        }
        let (texts, keeps) = shared.into_lists();
        let argument = wire::encode(&WorkArgs {
            prefix: &self.prefix,
            node: &self.node,
            now: now.as_millis(),
            heard: self.feed.is_recording(),
            grace: self.grace,
            texts,
            keeps,
            parts: asked,
        });
        Call { script: Script::Work, argument, then: Then::Work(parts) }
    }

    /// What the tokens of the next claim begin with.
    fn next_tokens(&mut self) -> String {
        self.claims = self.claims.wrapping_add(1);
        tokens::prefix(self.nonce, self.claims)
    }
}

/// The jobs that a write may add.
fn added_by(write: &Write) -> &[NewJob] {
    match write {
        Write::Publish { jobs, .. } => jobs,
        Write::Enqueue(job) => std::slice::from_ref(job),
        _ => &[],
    }
}

/// What releases jobs: the last that was taken goes back first, so that all come to their places.
fn give_back(jobs: Vec<Leased>) -> Vec<Commit> {
    let release =
        |leased: Leased| Commit::under(leased.lease, [Write::Settle(Settlement::Release)]);
    jobs.into_iter().rev().map(release).collect()
}

/// How much commits ask for: the time that it takes goes by their jobs.
fn writes(commits: &[Commit]) -> usize {
    let each = commits.iter().flat_map(|commit| &commit.writes);
    each.map(|write| added_by(write).len().max(1)).sum()
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
