//! The desk: one task through which everything goes that changes the store.
//!
//! What has come while the last calls were under way leaves together: all commits as one call of the script, then
//! the claims and the rest, in one round trip. So concurrent callers share the cost of a call, what settles jobs
//! travels with what claims the next, and what is told keeps the order in which it happened.

use std::sync::Arc;

use bytes::Bytes;
use eventyard_core::{
    Claim, Clock, Commit, CommitError, Feed, Lease, LeaseToken, Leased, Maintenance, QueueName,
    Receipt, Renewal, StoreError, StoreErrorKind, Timestamp, Upkeep, fair::burst,
};
use redis::{Pipeline, ServerErrorKind, Value, aio::ConnectionLike};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{
    answer::{self, Committed, Maintained, Told},
    leased, news, scheduler,
    wire::{self, Caller, ClaimArgs, MaintainArgs, RenewArgs, Updates, WireLease},
};
use crate::{connect, script::Script};

/// The most requests that leave together.
const MAX_REQUESTS: usize = 1024;
/// The most commits in one call of the script: others wait while it runs.
const MAX_COMMITS: usize = 256;
/// The most jobs of one claim.
const MAX_CLAIM: usize = 10_000;
/// How often the jobs of Node's workers are looked at, over all processes. A look takes the place of one of theirs, so
/// it is not to be rarer than they would have it.
const STALLED_INTERVAL_MS: u32 = 5_000;

pub(crate) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What is asked of the store.
pub(crate) enum Request {
    Commit(Vec<(Commit, Updates)>, Answer<Vec<Result<Receipt, CommitError>>>),
    Claim(Claim, Answer<Claimed>),
    Renew(Vec<Lease>, std::time::Duration, Answer<Vec<Renewal>>),
    Maintain(Upkeep, Answer<Maintenance>),
}

/// The jobs of a claim, and when another may get what this one does not.
pub(crate) struct Claimed {
    pub(crate) jobs: Vec<Leased>,
    pub(crate) opens: Option<Timestamp>,
}

/// What the desk works with.
pub(crate) struct Desk {
    pub(crate) connection: connect::Shared,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) prefix: Arc<str>,
    /// What tells this process's entries in the event streams from those of others.
    pub(crate) node: Arc<str>,
    pub(crate) feed: Feed,
    pub(crate) cancelled: broadcast::Sender<LeaseToken>,
    /// The first half of every token of this process.
    pub(crate) nonce: u64,
    pub(crate) claims: u32,
    /// How many milliseconds longer Redis keeps what it forgets by its own clock.
    pub(crate) grace: u32,
}

/// One call of a script, and what is done with its answer.
struct Call {
    script: Script,
    argument: Vec<u8>,
    then: Then,
}

enum Then {
    /// The commits of several requests, and how many each has.
    Commits(Vec<(Vec<(Commit, Updates)>, Answer<Vec<Result<Receipt, CommitError>>>)>),
    Claim(Claim, Timestamp, Answer<Claimed>),
    Renew(Timestamp, usize, Answer<Vec<Renewal>>),
    Maintain(usize, Answer<Maintenance>),
}

impl Desk {
    /// Works until nobody can ask any more.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        let mut waiting = Vec::new();
        while requests.recv_many(&mut waiting, MAX_REQUESTS).await > 0 {
            let now = self.clock.now();
            let calls = self.calls(waiting.drain(..), now);
            let answers = self.send(&calls).await;
            for (call, answer) in calls.into_iter().zip(answers) {
                self.hand_out(call.then, answer, now);
            }
        }
    }

    fn calls(&mut self, requests: impl Iterator<Item = Request>, now: Timestamp) -> Vec<Call> {
        let mut calls = Vec::new();
        let mut commits = Vec::new();
        let mut count = 0;
        for request in requests {
            match request {
                Request::Commit(own, answer) => {
                    if count > 0 && count + own.len() > MAX_COMMITS {
                        calls.push(self.commit_call(std::mem::take(&mut commits), now));
                        count = 0;
                    }
                    count += own.len();
                    commits.push((own, answer));
                }
                Request::Claim(ask, answer) => {
                    if answer.is_closed() {
                        continue;
                    }
                    if !commits.is_empty() {
                        calls.push(self.commit_call(std::mem::take(&mut commits), now));
                        count = 0;
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

    fn commit_call(
        &self,
        requests: Vec<(Vec<(Commit, Updates)>, Answer<Vec<Result<Receipt, CommitError>>>)>,
        now: Timestamp,
    ) -> Call {
        let commits: Vec<_> = requests
            .iter()
            .flat_map(|(commits, _)| commits.iter().map(|(commit, updates)| (commit, updates)))
            .filter(|(commit, _)| check(commit).is_ok())
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

    /// Makes the calls in one round trip. One that the server does not know is made again in full.
    async fn send(&mut self, calls: &[Call]) -> Vec<Result<Bytes, StoreError>> {
        let key = self.routing_key();
        let mut pipeline = Pipeline::with_capacity(calls.len());
        for Call { script, argument, .. } in calls {
            pipeline.add_command(script.call(&key, argument));
        }
        let values = self.connection.req_packed_commands(&pipeline, 0, calls.len()).await;
        let values = match values {
            Ok(values) => values,
            Err(error) => {
                let error = StoreError::from(connect::Error::from(error));
                return calls.iter().map(|_| Err(error.share())).collect();
            }
        };
        let mut answers = Vec::with_capacity(calls.len());
        for (value, Call { script, argument, .. }) in values.into_iter().zip(calls) {
            let value = if is_unknown(&value) {
                let call = script.call_in_full(&key, argument);
                self.connection.req_packed_command(&call).await
            } else {
                Ok(value)
            };
            answers.push(value.and_then(Value::extract_error).map_err(connect::Error::from).map_err(
                StoreError::from,
            ).and_then(bytes_of));
        }
        answers
    }

    fn hand_out(&self, then: Then, answer: Result<Bytes, StoreError>, now: Timestamp) {
        match then {
            Then::Commits(requests) => self.hand_out_commits(requests, answer, now),
            Then::Claim(ask, now, to) => {
                let claimed = answer.and_then(|answer| self.read_claim(&ask, &answer, now));
                // A claim that nobody waits for any more is given back by whoever made it.
                let _ = to.send(claimed);
            }
            Then::Renew(until, count, to) => {
                let renewed = answer.and_then(|answer| answer::read::<Vec<u8>>(&answer));
                let renewed = renewed.map(|answers| {
                    let renewal = |held| if held == 1 { Renewal::Until(until) } else { Renewal::Lost };
                    answers.into_iter().take(count).map(renewal).collect()
                });
                let _ = to.send(renewed);
            }
            Then::Maintain(limit, to) => {
                let done = answer.and_then(|answer| {
                    let (work, told) = answer::read::<Maintained<'_>>(&answer)?;
                    self.tell(&told, now);
                    Ok(work.maintenance(limit))
                });
                let _ = to.send(done);
            }
        }
    }

    fn hand_out_commits(
        &self,
        requests: Vec<(Vec<(Commit, Updates)>, Answer<Vec<Result<Receipt, CommitError>>>)>,
        answer: Result<Bytes, StoreError>,
        now: Timestamp,
    ) {
        let verdicts = answer.and_then(|answer| {
            let (verdicts, told, cancelled) = answer::read::<Committed<'_>>(&answer)?;
            self.tell(&told, now);
            for token in cancelled.iter().filter_map(|token| token.text().parse().ok()) {
                // Nobody needs to listen.
                let _ = self.cancelled.send(token);
            }
            let mut verdicts = verdicts.into_iter();
            let mut receipts = Vec::with_capacity(requests.len());
            for (commits, _) in &requests {
                let own: Option<Vec<_>> = commits
                    .iter()
                    .map(|(commit, _)| match check(commit) {
                        Err(malformed) => Some(Err(malformed)),
                        Ok(()) => {
                            let (_, verdict) = verdicts.next()?;
                            Some(answer::receipt(commit, verdict, &self.prefix))
                        }
                    })
                    .collect();
                receipts.push(own.ok_or_else(|| {
                    StoreError::new(StoreErrorKind::Corrupt, "a script answered too few commits")
                }));
            }
            Ok(receipts)
        });
        match verdicts {
            Ok(receipts) => {
                for ((_, to), receipts) in requests.into_iter().zip(receipts) {
                    let _ = to.send(receipts);
                }
            }
            Err(error) => {
                for (_, to) in requests {
                    let _ = to.send(Err(error.share()));
                }
            }
        }
    }

    fn read_claim(
        &self,
        ask: &Claim,
        answer: &Bytes,
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let (jobs, opens, told) = answer::read::<answer::Claimed<'_>>(answer)?;
        self.tell(&told, now);
        let until = now + ask.lease_for;
        let mut claimed = Claimed { jobs: Vec::with_capacity(jobs.len()), opens: opens.instant() };
        for (id, token, fields) in &jobs {
            let read =
                leased::read(&ask.queue, id, token, fields, answer, until, &self.prefix);
            let Some((leased, row)) = read else { continue };
            let caller = (&*self.prefix, &*self.node);
            if let Some(next) = scheduler::argument(&row, caller, &ask.queue, id.text(), now) {
                self.iterate(next);
            }
            claimed.jobs.push(leased);
        }
        Ok(claimed)
    }

    /// Adds the next job of a scheduler. Should that fail, the worker that takes the job after a takeover does it.
    fn iterate(&self, argument: Vec<u8>) {
        let (mut connection, key) = (self.connection.clone(), self.routing_key());
        tokio::spawn(async move {
            let call = Script::Iterate.call_in_full(&key, &argument);
            if let Err(error) = connection.req_packed_command(&call).await {
                tracing::error!(%error, "the next job of a scheduler was not added");
            }
        });
    }

    /// A key that is where all are.
    fn routing_key(&self) -> String {
        format!("{}::eventyard:queues", self.prefix)
    }

    fn tell(&self, told: &[Told<'_>], now: Timestamp) {
        if told.is_empty() {
            return;
        }
        let events = told.iter().filter_map(|(queue, name, fields)| {
            news::event(&QueueName::new(queue.text()).ok()?, now, name.text(), fields)
        });
        self.feed.tell(events);
    }
}

/// Refuses what no state of the store could make right.
fn check(commit: &Commit) -> Result<(), CommitError> {
    commit.check_form()?;
    super::reserved::check(commit)
}

fn is_unknown(value: &Value) -> bool {
    matches!(value, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
}

fn bytes_of(value: Value) -> Result<Bytes, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes.into()),
        other => {
            let message = format!("a script answered with {}", kind_of(&other));
            Err(StoreError::new(StoreErrorKind::Corrupt, message))
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::Array(_) => "a list",
        _ => "something else than bytes",
    }
}
