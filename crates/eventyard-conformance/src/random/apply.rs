//! Carrying random operations out on one of the two stores.

use std::{fmt, time::Duration};

use eventyard_core::{
    Clock, Commit, Lease, LeaseToken, Leased, QueueEvent, StoreError, Upkeep,
    feed::{Heard, Subscription},
};
use tokio::sync::broadcast::{self, error::TryRecvError};

use super::{
    build::Builder,
    op::{CommitOp, Op},
};
use crate::{
    Fixture,
    plain::{plain_error, plain_event},
};

/// One of the two stores, with the leases that it gave out, the stale ones too, and those who listen to it.
pub(super) struct Side {
    pub(super) fixture: Fixture,
    leases: Vec<Lease>,
    feed: Subscription,
    cancellations: broadcast::Receiver<LeaseToken>,
}

impl Side {
    pub(super) fn new(fixture: Fixture) -> Self {
        let feed = fixture.store.feed().subscribe(None);
        let cancellations = fixture.store.cancellations();
        Self { fixture, leases: Vec::new(), feed, cancellations }
    }

    /// Carries an operation out; the answer as text, without what stores are free to choose.
    pub(super) async fn apply(&mut self, op: &Op) -> String {
        let store = &self.fixture.store;
        match op {
            Op::Commit(commits) => {
                let commits = commits.iter().map(|commit| self.commit(commit)).collect();
                answer(store.commit(commits).await.map(|answers| {
                    answers.into_iter().map(|a| a.map_err(plain_error)).collect::<Vec<_>>()
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
                // Some stores notice the time by themselves, others at the next call: now both have.
                self.promote_due().await
            }
        }
    }

    /// Makes the store notice the jobs whose time has come.
    pub(super) async fn promote_due(&self) -> String {
        let ask = self.fixture.ask("nowhere", 1, Duration::ZERO);
        answer(self.fixture.store.claim(ask).await.map(|leased| leased.len()))
    }

    /// What was told since the last time: the events, queue by queue, and the leases that ended by a cancellation.
    pub(super) fn heard(&mut self) -> String {
        let mut text = String::new();
        let mut events = Vec::new();
        while let Some(heard) = self.feed.try_next() {
            match heard {
                Heard::Event(_, event) => events.push(plain_event(QueueEvent::clone(&event))),
                Heard::Missed => text += "\n        something is missing",
            }
        }
        // Nothing is said about the order of what happens on different queues.
        events.sort_by(|a, b| a.queue.cmp(&b.queue));
        for event in events {
            text += &format!("\n        {event:?}");
        }
        loop {
            match self.cancellations.try_recv() {
                Ok(token) => {
                    let place = self.leases.iter().position(|lease| lease.token == token);
                    let lease = place.map(|place| (&self.leases[place].job, place));
                    text += &format!("\n        cancelled: {lease:?}");
                }
                Err(TryRecvError::Empty) => return text,
                Err(gone) => return text + &format!("\n        no cancellations: {gone}"),
            }
        }
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

    fn commit(&self, commit: &CommitOp) -> Commit {
        let lease = commit.lease.and_then(|index| self.lease(index));
        Builder { now: self.fixture.clock.now(), lease }.commit(&commit.writes)
    }
}

/// A job under a lease, without the token.
fn tokenless(leased: Leased) -> impl fmt::Debug {
    let Leased { job, lease, until } = leased;
    (lease.job, lease.attempt, until, job)
}

fn answer(outcome: Result<impl fmt::Debug, StoreError>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("a store error of kind {:?}: {error}", error.kind()),
    }
}
