//! Answers that wait until what they tell is durable.

use std::sync::Arc;

use eventyard_core::{LeaseToken, Leased, Maintenance, QueueEvent, Renewal, StoreError};

use crate::{
    request::{Delivery, Receipts, Reply, Waiter},
    shared::Shared,
};

/// The answers of one group, and the claims that it has not served yet.
#[derive(Debug, Default)]
pub(super) struct Answers {
    ready: Vec<Answer>,
    pub(super) claims: Vec<Waiter>,
    /// What happened, for those who listen.
    pub(super) news: Vec<QueueEvent>,
    /// The leases whose jobs were cancelled.
    pub(super) cancelled: Vec<LeaseToken>,
}

/// One answer and where it goes.
#[derive(Debug)]
pub(super) enum Answer {
    Commit(Reply<Receipts>, Receipts),
    Claim(Reply<Delivery>, Vec<Leased>),
    Renew(Reply<Vec<Renewal>>, Vec<Renewal>),
    Maintain(Reply<Maintenance>, Maintenance),
}

impl Answers {
    /// Adds an answer. If there is none because of an error, its caller is refused with the others.
    pub(super) fn add<T: Default>(
        &mut self,
        outcome: rusqlite::Result<T>,
        answer: impl FnOnce(T) -> Answer,
    ) -> rusqlite::Result<()> {
        let (value, error) = match outcome {
            Ok(value) => (value, Ok(())),
            Err(error) => (T::default(), Err(error)),
        };
        self.ready.push(answer(value));
        error
    }

    /// How many callers are to be answered.
    pub(super) fn len(&self) -> usize {
        self.ready.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Tells what happened to those who listen: in the order of the commits, so before anyone else may commit.
    pub(super) fn announce(&mut self, shared: &Shared) {
        if !self.news.is_empty() {
            shared.feed.tell(std::mem::take(&mut self.news));
        }
        for token in self.cancelled.drain(..) {
            // Nobody needs to listen.
            let _ = shared.cancelled.send(token);
        }
    }

    /// Tells everyone who asked. A caller that has gone needs no answer; leases that it was to get go back.
    pub(super) fn deliver(self, shared: &Arc<Shared>) {
        if self.len() > 1 {
            let own = shared.clone();
            shared.postman.send(move || self.tell(&own));
        } else {
            self.tell(shared);
        }
    }

    fn tell(self, shared: &Arc<Shared>) {
        for answer in self.ready {
            match answer {
                Answer::Commit(reply, receipts) => drop(reply.send(Ok(receipts))),
                Answer::Claim(reply, leased) => {
                    drop(reply.send(Ok(Delivery::new(leased, shared.clone()))));
                }
                Answer::Renew(reply, renewals) => drop(reply.send(Ok(renewals))),
                Answer::Maintain(reply, done) => drop(reply.send(Ok(done))),
            }
        }
    }

    /// Tells everyone that it is not known whether it was done, and why. Leases that nobody gets go back.
    pub(super) fn lose(mut self, error: &StoreError, shared: &Arc<Shared>) {
        if !self.news.is_empty() {
            shared.feed.miss();
        }
        for answer in &mut self.ready {
            if let Answer::Claim(_, leased) = answer {
                drop(Delivery::new(std::mem::take(leased), shared.clone()));
            }
        }
        self.refuse(error);
    }

    /// Tells everyone that nothing was done, and why.
    pub(super) fn refuse(self, error: &StoreError) {
        for answer in self.ready {
            match answer {
                Answer::Commit(reply, _) => drop(reply.send(Err(error.share()))),
                Answer::Claim(reply, _) => drop(reply.send(Err(error.share()))),
                Answer::Renew(reply, _) => drop(reply.send(Err(error.share()))),
                Answer::Maintain(reply, _) => drop(reply.send(Err(error.share()))),
            }
        }
        for waiter in self.claims {
            drop(waiter.reply.send(Err(error.share())));
        }
    }
}
