//! What a worker has in hand: jobs under lease, waiting for a slot or running.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use eventyard_core::{Lease, LeaseToken, Leased, Renewal};
use tokio_util::sync::CancellationToken;

use super::attempt::Ended;

/// A worker claims ahead what its slots get done within this time, about that of a claim: with quick handlers the
/// slots are not empty while the store answers, and with slow ones no job waits here that others could take.
const AHEAD: Duration = Duration::from_millis(2);
/// The most jobs that are claimed ahead.
const MAX_AHEAD: usize = 512;

/// Attempts that take less than this share tasks.
const QUICK: Duration = Duration::from_micros(20);

/// The most cancelled tokens that are remembered while a claim is under way.
const MAX_EARLY: usize = 1024;

#[derive(Debug)]
pub(super) struct Hand {
    concurrency: usize,
    running: usize,
    waiting: VecDeque<Arc<Leased>>,
    leases: HashMap<LeaseToken, Held>,
    /// How many of the leases are lost.
    lost: usize,
    /// The last tokens that were cancelled before the answer of the claim that may hand them out.
    early: VecDeque<LeaseToken>,
    /// A moving average of how long attempts take.
    mean: Duration,
}

/// A lease in hand.
#[derive(Debug)]
struct Held {
    lease: Lease,
    /// Tells the handler to stop.
    interrupt: CancellationToken,
    /// Whether it is known not to hold any more: nothing of the attempt is committed.
    lost: bool,
}

impl Hand {
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            concurrency,
            running: 0,
            waiting: VecDeque::new(),
            leases: HashMap::new(),
            lost: 0,
            early: VecDeque::new(),
            // Slow until shown otherwise.
            mean: 500 * AHEAD,
        }
    }

    /// How many more jobs to claim.
    pub(super) fn room(&self) -> usize {
        let quickness = AHEAD.as_secs_f64() / self.mean.as_secs_f64().max(f64::MIN_POSITIVE);
        let ahead = MAX_AHEAD.min((self.concurrency as f64 * quickness) as usize);
        (self.concurrency + ahead).saturating_sub(self.running + self.waiting.len())
    }

    /// Whether attempts mostly take less than it costs to start a task for each.
    pub(super) fn is_quick(&self) -> bool {
        self.mean < QUICK
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    pub(super) fn take(&mut self, leased: Vec<Leased>) {
        let early = std::mem::take(&mut self.early);
        for leased in leased.into_iter().filter(|leased| !early.contains(&leased.lease.token)) {
            let lease = leased.lease.clone();
            let held = Held { interrupt: CancellationToken::new(), lost: false, lease };
            self.leases.insert(held.lease.token, held);
            self.waiting.push_back(Arc::new(leased));
        }
    }

    /// The next job to run, if there is one and a slot for it.
    pub(super) fn start_next(&mut self) -> Option<(Arc<Leased>, CancellationToken)> {
        if self.running >= self.concurrency {
            return None;
        }
        let leased = self.waiting.pop_front()?;
        let interrupt = self.leases.get(&leased.lease.token)?.interrupt.clone();
        self.running += 1;
        Some((leased, interrupt))
    }

    /// Takes the jobs that have not been started, to give them back.
    pub(super) fn take_waiting(&mut self) -> impl Iterator<Item = Arc<Leased>> + use<> {
        std::mem::take(&mut self.waiting).into_iter()
    }

    pub(super) fn ended(&mut self, ended: &Ended) {
        self.running -= 1;
        self.mean = (self.mean * 7 + ended.took) / 8;
    }

    /// Lets go of a lease that was settled or lost.
    pub(super) fn forget(&mut self, lease: &Lease) {
        if let Some(held) = self.leases.remove(&lease.token) {
            self.lost -= usize::from(held.lost);
        }
    }

    /// Whether there is any lease that is lost.
    pub(super) fn has_lost(&self) -> bool {
        self.lost > 0
    }

    /// Whether a lease is known not to hold any more.
    pub(super) fn is_lost(&self, lease: &Lease) -> bool {
        self.leases.get(&lease.token).is_some_and(|held| held.lost)
    }

    pub(super) fn leases(&self) -> Vec<Lease> {
        self.leases.values().map(|held| held.lease.clone()).collect()
    }

    /// Interrupts the attempts whose lease is lost, and does not start those that waited.
    pub(super) fn renewed(&mut self, renewals: Vec<(Lease, Renewal)>) {
        let lost = renewals.into_iter().filter(|(_, renewal)| *renewal == Renewal::Lost);
        for (lease, _) in lost {
            // One that was settled, or found to be lost, in the meantime is no news.
            if self.leases.get(&lease.token).is_some_and(|held| !held.lost) {
                tracing::warn!(job = %lease.job, attempt = lease.attempt, "lease lost");
                self.lose(&lease);
            }
        }
    }

    /// Interrupts the attempt whose job was cancelled; one that had not started is dropped and returned. While a
    /// claim is under way, the token may be one that it is about to bring.
    pub(super) fn cancelled(&mut self, token: LeaseToken, claiming: bool) -> Option<Lease> {
        let Some(held) = self.leases.get(&token) else {
            if claiming {
                self.early.push_back(token);
                if self.early.len() > MAX_EARLY {
                    self.early.pop_front();
                }
            }
            return None;
        };
        if held.lost {
            return None;
        }
        let lease = held.lease.clone();
        tracing::info!(job = %lease.job, attempt = lease.attempt, "job cancelled; its attempt is dropped");
        self.lose(&lease).then_some(lease)
    }

    /// Drops a job that has not started, or interrupts its attempt; true if it had not started.
    fn lose(&mut self, lease: &Lease) -> bool {
        let waits = |leased: &Arc<Leased>| leased.lease.token == lease.token;
        if let Some(place) = self.waiting.iter().position(waits) {
            self.waiting.remove(place);
            self.forget(lease);
            return true;
        }
        if let Some(held) = self.leases.get_mut(&lease.token)
            && !held.lost
        {
            held.lost = true;
            held.interrupt.cancel();
            self.lost += 1;
        }
        false
    }

    pub(super) fn cancel_all(&self) {
        for held in self.leases.values() {
            held.interrupt.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use eventyard_core::{Job, JobId, JobOptions, Payload, QueueName, Timestamp};

    use super::*;

    fn token(number: u128) -> LeaseToken {
        LeaseToken::from_u128(number)
    }

    fn leased(number: u128) -> Leased {
        let job = Job {
            queue: QueueName::new("q").unwrap(),
            id: JobId::new(number.to_string()).unwrap(),
            name: "n".into(),
            payload: Payload::Data(bytes::Bytes::new()),
            options: Arc::new(JobOptions::default()),
            created_at: Timestamp::default(),
            attempts_made: 0,
            crashes: 0,
        };
        let lease = Lease { job: job.key(), attempt: 1, token: token(number) };
        Leased { job, lease, until: Timestamp::default() }
    }

    #[test]
    fn what_is_cancelled_is_interrupted_or_never_starts() {
        let mut hand = Hand::new(1);
        hand.take(vec![leased(1), leased(2)]);
        let (running, interrupt) = hand.start_next().unwrap();

        let dropped = hand.cancelled(token(2), false).unwrap();
        assert_eq!(dropped.token, token(2), "it waited");
        assert!(!hand.has_lost());
        assert_eq!(hand.cancelled(token(1), false), None, "it runs");
        assert!(interrupt.is_cancelled() && hand.is_lost(&running.lease));

        hand.forget(&running.lease);
        assert!(!hand.has_lost() && hand.is_empty());
    }

    #[test]
    fn a_cancellation_may_come_before_the_claim_that_it_concerns() {
        let mut hand = Hand::new(5);
        assert_eq!(hand.cancelled(token(1), true), None);
        assert_eq!(hand.cancelled(token(2), false), None, "no claim can bring it");
        hand.take(vec![leased(1), leased(2), leased(3)]);
        assert_eq!(hand.leases().len(), 2);
        hand.take(vec![leased(1)]);
        assert_eq!(hand.leases().len(), 3, "what was remembered is for one claim only");
        for number in 0..2 * MAX_EARLY as u128 {
            hand.cancelled(token(100 + number), true);
        }
        assert_eq!(hand.early.len(), MAX_EARLY);
    }
}
