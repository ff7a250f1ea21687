//! The desk: what waits for the writer, and outlives its connection.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use eventyard_core::{QueueName, StoreError};
use tokio::sync::oneshot;

use crate::{
    request::{Request, Waiter},
    shared::Shared,
};

/// Requests on their way through the writer.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Those that were taken from the inbox and not yet served, in order.
    pub(super) requests: VecDeque<Request>,
    /// Claims that found nothing, by queue, longest waiting first.
    pub(super) waiters: HashMap<QueueName, VecDeque<Waiter>>,
    /// Who asked for the store to be closed.
    pub(super) closing: Vec<oneshot::Sender<()>>,
}

impl Desk {
    /// Takes what is in the inbox, when it is `enough`, when something else happened, or when it is time.
    pub(super) fn take(&mut self, shared: &Shared, enough: usize, limit: Option<Instant>) {
        shared.inbox.take(&mut self.requests, enough, limit);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.requests.iter().any(|request| matches!(request, Request::Close(_)))
    }

    /// Whether everything that came before the closing is served.
    pub(super) fn is_done(&self) -> bool {
        !self.closing.is_empty() && self.requests.is_empty()
    }

    /// Answers everybody with an error.
    pub(super) fn refuse(&mut self, error: &StoreError) {
        self.refuse_requests(error);
        for waiter in self.waiters.drain().flat_map(|(_, waiters)| waiters) {
            drop(waiter.reply.send(Err(error.share())));
        }
    }

    /// Answers the requests that were not served with an error.
    pub(super) fn refuse_requests(&mut self, error: &StoreError) {
        // A caller that is refused may have gone; then nobody needs to know.
        for request in self.requests.drain(..) {
            match request {
                Request::Commit(_, reply) => drop(reply.send(Err(error.share()))),
                Request::Claim(waiter) => drop(waiter.reply.send(Err(error.share()))),
                Request::Renew(_, _, reply) => drop(reply.send(Err(error.share()))),
                Request::Maintain(_, reply) => drop(reply.send(Err(error.share()))),
                Request::Show(reply) => drop(reply.send(Err(error.share()))),
                Request::Close(reply) => self.closing.push(reply),
                Request::Withdraw(..) | Request::Release(_) | Request::Promote => {}
            }
        }
    }
}
