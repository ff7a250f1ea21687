//! Workers: claim jobs of a queue, run their handlers, settle them.
//!
//! One task per queue does the bookkeeping; each attempt is a task of its own. Ended attempts are settled
//! in batches while the next jobs are claimed, so that both share one durable write of the store.

mod attempt;
mod bundle;
mod hand;
mod settle;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use eventyard_core::{Claim, Lease, LeaseToken, Leased, Renewal, StoreError, WorkerId};
use tokio::{
    runtime::Handle,
    sync::{
        broadcast::{self, error::RecvError},
        mpsc,
    },
};
use tokio_util::sync::CancellationToken;

use self::{
    attempt::{Attempt, Ended},
    hand::Hand,
    settle::{Settled, settle},
};
use crate::{
    bus::{Bus, Declared},
    dep::Deps,
    handler::Handlers,
    secs,
};

/// How long one claim waits for a job before it is asked again.
const CLAIM_WAIT: Duration = secs(30);
/// The waits after a store that could not answer: the first, and the longest.
pub(crate) const STORE_WAITS: (Duration, Duration) = (Duration::from_millis(50), secs(5));

/// A worker for one queue, not yet running.
pub(crate) struct Worker {
    pub(crate) bus: Arc<Bus>,
    pub(crate) deps: Arc<Deps>,
    pub(crate) handlers: Arc<Handlers>,
    pub(crate) declared: Arc<Declared>,
    pub(crate) id: WorkerId,
    pub(crate) queue: eventyard_core::QueueName,
    /// Cancelled: claims no more, and ends when what it has in hand is settled.
    pub(crate) stop: CancellationToken,
    /// Cancelled: interrupts what it has in hand and gives it back.
    pub(crate) kill: CancellationToken,
}

type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Waits for a task that may not be there.
async fn ready<T>(task: &mut Option<Task<T>>) -> T {
    let output = match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    };
    *task = None;
    output
}

/// Waits for the next cancellation, if the store still tells of any.
async fn hear(
    cancellations: &mut Option<broadcast::Receiver<LeaseToken>>,
) -> Result<LeaseToken, RecvError> {
    match cancellations {
        Some(cancellations) => cancellations.recv().await,
        None => std::future::pending().await,
    }
}

impl Worker {
    pub(crate) async fn run(self) {
        let concurrency = self.declared.queue.concurrency;
        let mut hand = Hand::new(concurrency);
        let (ended_tx, mut ended_rx) = mpsc::channel::<Vec<Ended>>(2 * concurrency);
        let mut just_ended = Vec::new();
        let mut ended: Vec<Ended> = Vec::new();
        let mut claiming: Option<Task<Result<Vec<Leased>, StoreError>>> = None;
        let mut settling: Option<Task<Option<Vec<Settled>>>> = None;
        let mut renewing: Option<Task<Vec<(Lease, Renewal)>>> = None;
        let mut tick: Option<Task<()>> = Some(self.renewal_time());
        let (stop, kill) = (self.stop.clone(), self.kill.clone());
        let (mut stop, mut kill) = (Box::pin(stop.cancelled()), Box::pin(kill.cancelled()));
        let (mut stopping, mut killed) = (false, false);
        let mut cancellations = Some(self.bus.store.cancellations());
        // Cancellations were missed: all leases are asked about, to find those that ended; and once more when the
        // claim has brought its own that was under way.
        let (mut missed, mut missed_in_claim) = (false, false);

        loop {
            // Settling comes before claiming, so that one durable write can carry both.
            if settling.is_none() && !ended.is_empty() {
                let mut batch = std::mem::take(&mut ended);
                // Tokens are in the order in which the store has the jobs: what lies together costs less together.
                batch.sort_unstable_by_key(|ended| ended.lease().token);
                settling = Some(Box::pin(settle(Arc::clone(&self.bus), batch)));
            }
            if stopping {
                claiming = None;
                ended.extend(hand.take_waiting().map(Ended::released));
                if hand.is_empty() && ended.is_empty() && settling.is_none() {
                    return;
                }
                if settling.is_none() && !ended.is_empty() {
                    continue;
                }
            } else if claiming.is_none() && hand.room() > 0 {
                claiming = Some(self.claim(hand.room()));
            }
            if missed && renewing.is_none() {
                missed = false;
                renewing = Some(self.renew(hand.leases()));
            }
            tokio::select! {
                biased;
                _ = ended_rx.recv_many(&mut just_ended, 2 * concurrency) => {
                    just_ended.iter().flatten().for_each(|ended| hand.ended(ended));
                    ended.extend(just_ended.drain(..).flatten());
                    self.drop_lost(&mut hand, &mut ended);
                    self.start(&mut hand, &ended_tx);
                }
                settled = ready(&mut settling) => match settled {
                    Some(settled) => self.account(settled, &mut hand, &mut ended),
                    None => return,
                },
                leased = ready(&mut claiming) => match leased {
                    Ok(leased) => {
                        hand.take(leased);
                        missed |= std::mem::take(&mut missed_in_claim);
                        self.start(&mut hand, &ended_tx);
                    }
                    Err(error) if error.is_retryable() => {
                        tracing::warn!(queue = %self.queue, %error, "cannot claim; trying again");
                        claiming = Some(self.claim_later(hand.room()));
                    }
                    Err(_) => stopping = true,
                },
                renewals = ready(&mut renewing) => hand.renewed(renewals),
                heard = hear(&mut cancellations) => match heard {
                    Ok(token) => if let Some(dropped) = hand.cancelled(token, claiming.is_some()) {
                        self.tell_settled(&dropped);
                    },
                    Err(RecvError::Lagged(_)) => (missed, missed_in_claim) = (true, claiming.is_some()),
                    Err(RecvError::Closed) => cancellations = None,
                },
                () = ready(&mut tick) => {
                    if renewing.is_none() && !hand.is_empty() {
                        renewing = Some(self.renew(hand.leases()));
                    }
                    tick = Some(self.renewal_time());
                }
                () = &mut stop, if !stopping => stopping = true,
                () = &mut kill, if !killed => {
                    killed = true;
                    hand.cancel_all();
                }
            }
        }
    }

    /// Starts waiting jobs while there are free slots.
    fn start(&self, hand: &mut Hand, ended: &mpsc::Sender<Vec<Ended>>) {
        let next = std::iter::from_fn(|| hand.start_next());
        let attempts: Vec<_> = next
            .map(|(leased, cancelled)| Attempt {
                bus: Arc::clone(&self.bus),
                deps: Arc::clone(&self.deps),
                handlers: Arc::clone(&self.handlers),
                declared: Arc::clone(&self.declared),
                leased,
                cancelled,
            })
            .collect();
        let processors = || Handle::current().metrics().num_workers();
        let tasks = if hand.is_quick() { processors() } else { attempts.len() };
        bundle::start(attempts, tasks, ended);
    }

    /// Notes what was settled. A commit that was refused for what the handler wrote fails its attempt.
    fn account(&self, settled: Vec<Settled>, hand: &mut Hand, ended: &mut Vec<Ended>) {
        for Settled { ended: done, refused } in settled {
            match refused {
                Some(error) => {
                    ended.push(done.refused(&error, &self.declared, self.bus.clock.now()));
                }
                None => {
                    hand.forget(done.lease());
                    self.tell_settled(done.lease());
                }
            }
        }
    }

    /// Drops the attempts that ended without their lease: the store would refuse what they wrote.
    fn drop_lost(&self, hand: &mut Hand, ended: &mut Vec<Ended>) {
        if !hand.has_lost() {
            return;
        }
        let lost: Vec<_> = ended.extract_if(.., |ended| hand.is_lost(ended.lease())).collect();
        for lost in lost {
            hand.forget(lost.lease());
            self.tell_settled(lost.lease());
        }
    }

    /// Tells those who wait for a job that an attempt of it has ended.
    fn tell_settled(&self, lease: &Lease) {
        if let Some(settled) = &self.bus.settled {
            settled.tell(&lease.job);
        }
    }

    fn claim(&self, max: usize) -> Task<Result<Vec<Leased>, StoreError>> {
        let store = Arc::clone(&self.bus.store);
        let claim = Claim {
            queue: self.queue.clone(),
            max,
            lease_for: self.declared.queue.lease,
            worker: self.id.clone(),
            wait: CLAIM_WAIT,
        };
        Box::pin(async move { store.claim(claim).await })
    }

    fn claim_later(&self, max: usize) -> Task<Result<Vec<Leased>, StoreError>> {
        let (clock, claim) = (Arc::clone(&self.bus.clock), self.claim(max.max(1)));
        Box::pin(async move {
            clock.sleep(STORE_WAITS.0).await;
            claim.await
        })
    }

    /// The time to renew leases: three chances before one ends.
    fn renewal_time(&self) -> Task<()> {
        let (clock, wait) = (Arc::clone(&self.bus.clock), self.declared.queue.lease / 3);
        Box::pin(async move { clock.sleep(wait).await })
    }

    fn renew(&self, leases: Vec<Lease>) -> Task<Vec<(Lease, Renewal)>> {
        let (store, lease_for) = (Arc::clone(&self.bus.store), self.declared.queue.lease);
        let queue = self.queue.clone();
        Box::pin(async move {
            match store.renew(leases.clone(), lease_for).await {
                Ok(renewals) => leases.into_iter().zip(renewals).collect(),
                Err(error) => {
                    tracing::warn!(%queue, %error, "cannot renew leases; trying again");
                    Vec::new()
                }
            }
        })
    }
}
