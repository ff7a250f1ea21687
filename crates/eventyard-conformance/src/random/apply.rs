//! Carrying random operations out on one of the two stores.

use std::{fmt, sync::Arc, time::Duration};

use eventyard_core::{
    Clock, Commit, CommitError, Event, Keep, Lease, Leased, NewJob, Payload, Settlement,
    StoreError, Timestamp, Upkeep, Write,
};

use super::op::{CommitOp, JobOp, JobTime, Op, SettleOp, WriteOp};
use crate::{
    Fixture,
    given::{event, failure, job_with, key, ms, put_in, queue_name},
};

/// One of the two stores, with the leases that it gave out, the stale ones too.
pub(super) struct Side {
    pub(super) fixture: Fixture,
    leases: Vec<Lease>,
}

impl Side {
    pub(super) fn new(fixture: Fixture) -> Self {
        Self { fixture, leases: Vec::new() }
    }

    /// Carries an operation out; the answer as text, without what stores are free to choose.
    pub(super) async fn apply(&mut self, op: &Op) -> String {
        let store = &self.fixture.store;
        match op {
            Op::Commit(commits) => {
                let commits = commits.iter().map(|commit| self.commit(commit)).collect();
                answer(store.commit(commits).await.map(|answers| {
                    answers.into_iter().map(|a| a.map_err(plain)).collect::<Vec<_>>()
                }))
            }
            Op::Claim { queue, max, lease } => {
                let mut ask = self.fixture.ask(queue, *max, Duration::ZERO);
                ask.lease_for = *lease;
                let leased = store.claim(ask).await;
                if let Ok(leased) = &leased {
                    self.leases.extend(leased.iter().map(|l| l.lease.clone()));
                }
                answer(leased.map(|leased| leased.into_iter().map(tokenless).collect::<Vec<_>>()))
            }
            Op::Renew { leases, lease } => {
                let leases = leases.iter().filter_map(|index| self.lease(*index)).collect();
                answer(store.renew(leases, *lease).await)
            }
            Op::Maintain { limit, max_crashes, keep_events } => {
                let (limit, max_crashes, keep_events) = (*limit, *max_crashes, *keep_events);
                answer(store.maintain(Upkeep { limit, max_crashes, keep_events }).await)
            }
            Op::Advance(d) => {
                self.fixture.advance(*d);
                String::new()
            }
        }
    }

    /// Makes the store notice the jobs whose time has come.
    pub(super) async fn promote_due(&self) -> String {
        let ask = self.fixture.ask("nowhere", 1, Duration::ZERO);
        answer(self.fixture.store.claim(ask).await.map(|leased| leased.len()))
    }

    /// What each lease that was given out leads to now.
    pub(super) async fn leases_held(&self) -> String {
        let mut held = Vec::new();
        for lease in &self.leases {
            let leased = self.fixture.inspect.leased(lease.token).await;
            held.push(answer(leased.map(|leased| leased.map(tokenless))));
        }
        format!("{held:?}")
    }

    fn lease(&self, from_last: usize) -> Option<Lease> {
        let index = self.leases.len().checked_sub(1 + from_last % self.leases.len().max(1))?;
        Some(self.leases[index].clone())
    }

    fn now(&self) -> Timestamp {
        self.fixture.clock.now()
    }

    fn commit(&self, commit: &CommitOp) -> Commit {
        let lease = commit.lease.and_then(|index| self.lease(index));
        Commit { lease, writes: commit.writes.iter().map(|write| self.write(write)).collect() }
    }

    fn write(&self, write: &WriteOp) -> Write {
        match write {
            WriteOp::Publish { event, jobs } => Write::Publish {
                event: known_event(event),
                jobs: jobs.iter().map(|job| self.job(job)).collect(),
            },
            WriteOp::Enqueue(job) => Write::Enqueue(self.job(job)),
            WriteOp::Settle(settlement) => Write::Settle(self.settlement(settlement)),
            WriteOp::Progress(n) => Write::Progress(n.to_string().into()),
            WriteOp::Log(n) => Write::Log(n.to_string()),
            WriteOp::Put { collection, key, value, expected } => {
                put_in(collection, key, &value.to_string(), *expected)
            }
            WriteOp::Delete { collection, key } => {
                Write::Delete { collection: (*collection).to_owned(), key: (*key).to_owned() }
            }
            WriteOp::Retry(queue, id) => Write::Retry(key(queue, id)),
            WriteOp::Promote(queue, id) => Write::Promote(key(queue, id)),
            WriteOp::Remove(queue, id) => Write::Remove(key(queue, id)),
            WriteOp::Pause(queue, paused) => Write::Pause(queue_name(queue), *paused),
            WriteOp::Clean { queue, state, older_than, limit } => Write::Clean {
                queue: queue_name(queue),
                state: *state,
                older_than: *older_than,
                limit: *limit,
            },
            WriteOp::Forget(queue) => Write::Forget(queue_name(queue)),
        }
    }

    fn job(&self, op: &JobOp) -> NewJob {
        let mut job = job_with(op.queue, op.id, |options| {
            options.priority = op.priority;
            options.lifo = op.lifo.then_some(true);
            options.remove_on_fail = op.remove_on_fail;
            match op.time {
                JobTime::Now => {}
                JobTime::Delay(delay) => options.delay = Some(delay),
                JobTime::RunAt(at) => options.run_at = Some(self.instant(at)),
            }
        });
        if let Some(event) = op.event {
            job.payload = Payload::Event(known_event(event));
        }
        job
    }

    fn settlement(&self, op: &SettleOp) -> Settlement {
        match op {
            SettleOp::Complete { result, keep } => {
                let result = result.map(|n| n.to_string().into());
                Settlement::Complete { result, keep: *keep }
            }
            SettleOp::Retry { at } => {
                Settlement::Retry { at: self.instant(*at), failure: failure("again") }
            }
            SettleOp::Snooze { at } => Settlement::Snooze { at: self.instant(*at) },
            SettleOp::Release => Settlement::Release,
            SettleOp::Fail { keep } => fail(*keep),
        }
    }

    fn instant(&self, by: i64) -> Timestamp {
        if by < 0 { self.now() - ms(by.unsigned_abs()) } else { self.now() + ms(by.unsigned_abs()) }
    }
}

fn fail(keep: Keep) -> Settlement {
    Settlement::Fail { failure: failure("for good"), keep }
}

/// The one event with this id.
fn known_event(id: &str) -> Arc<Event> {
    let mut event = event(id, if id < "c" { "order.placed" } else { "order.paid" });
    event.correlation_id = (id > "a").then(|| "a".to_owned());
    Arc::new(event)
}

/// A job under a lease, without the token.
fn tokenless(leased: Leased) -> impl fmt::Debug {
    let Leased { job, lease, until } = leased;
    (lease.job, lease.attempt, until, job)
}

/// An error without what stores say in their own words.
fn plain(error: CommitError) -> CommitError {
    match error {
        CommitError::WrongState { job, state, .. } => {
            CommitError::WrongState { job, state, allowed: "" }
        }
        CommitError::Malformed(_) => CommitError::Malformed(""),
        other => other,
    }
}

fn answer(outcome: Result<impl fmt::Debug, StoreError>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("a store error of kind {:?}: {error}", error.kind()),
    }
}
