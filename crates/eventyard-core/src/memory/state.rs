//! All that the store knows, and the few primitive changes to it.
//!
//! The jobs are the truth; lists and deadlines are derived from them by [`State::link`] and
//! [`State::unlink`], and by nothing else.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    duplicate::Spokesman,
    entry::{Entry, Rank, Standing},
    event_log::EventLog,
    lane::Lane,
    undo::Undo,
};
use crate::{
    Document, GroupKey, JobId, JobKey, JobState, LeaseToken, QueueEvent, QueueEventKind,
    QueueLimits, QueueName, Timestamp, fair::Turns, rate::RateWindow,
};

/// Jobs by an instant at which something happens to them, earliest first.
pub(super) type Deadlines = BTreeSet<(Timestamp, i64, JobKey)>;

/// What an operator or an application said about a queue.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Settings {
    pub(super) paused: bool,
    pub(super) paused_keys: BTreeSet<GroupKey>,
    pub(super) limits: Arc<QueueLimits>,
}

/// One queue.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Queue {
    pub(super) settings: Settings,
    pub(super) jobs: HashMap<JobId, Entry>,
    /// The jobs that could run or are active, by key.
    pub(super) lanes: BTreeMap<Option<GroupKey>, Lane>,
    /// The lanes that could give a job.
    pub(super) turns: Turns<Option<GroupKey>>,
    /// The jobs that began.
    pub(super) window: RateWindow,
    /// The jobs that stand for all that say the same, by what they say.
    pub(super) spokesmen: HashMap<GroupKey, Spokesman>,
    /// For each state the jobs in it, in order. Nothing is ever in the list of `Paused`.
    lists: [BTreeMap<Rank, JobId>; JobState::ALL.len()],
}

impl Queue {
    /// The lane that a job belongs to.
    fn lane(&mut self, entry: &Entry) -> &mut Lane {
        self.lanes.entry(entry.job.options.key.clone()).or_default()
    }

    /// The jobs in `state`, a pause aside, in order.
    pub(super) fn list(&self, state: JobState) -> &BTreeMap<Rank, JobId> {
        &self.lists[state as usize]
    }

    /// The list that is shown for `state`: while paused, the waiting jobs are shown as paused.
    pub(super) fn shown(&self, state: JobState) -> Option<&BTreeMap<Rank, JobId>> {
        match (state, self.settings.paused) {
            (JobState::Waiting, true) | (JobState::Paused, false) => None,
            (JobState::Paused, true) => Some(self.list(JobState::Waiting)),
            _ => Some(self.list(state)),
        }
    }
}

/// Everything.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub(super) queues: BTreeMap<QueueName, Queue>,
    /// Delayed jobs by the time they run.
    pub(super) due: Deadlines,
    /// Active jobs by the time their lease ends.
    pub(super) leases: Deadlines,
    /// Finished jobs by the time they are removed.
    pub(super) expiring: Deadlines,
    /// Jobs that have not begun, by the time at which they fail.
    pub(super) unbegun: Deadlines,
    /// The active job under each token.
    pub(super) tokens: HashMap<LeaseToken, JobKey>,
    pub(super) events: EventLog,
    /// Documents by collection and key. A collection without documents is absent.
    pub(super) documents: BTreeMap<String, BTreeMap<String, Document>>,
    /// The highest version that each collection has lost: whatever is new there has a higher one.
    pub(super) lost_versions: BTreeMap<String, u64>,
    /// What has to be undone if the commit under way fails; absent when nothing of it can fail.
    pub(super) undo: Option<Vec<Undo>>,
    /// The jobs that it puts back as they were: once each, however often they change.
    pub(super) remembered: HashSet<JobKey>,
    /// The queues whose waiting claims should look again.
    pub(super) ringing: BTreeSet<QueueName>,
    /// The lanes about which something changed.
    pub(super) touched: BTreeSet<(QueueName, Option<GroupKey>)>,
    /// What happened, if anyone wants to know.
    pub(super) news: Vec<QueueEvent>,
    pub(super) is_heard: bool,
    /// The leases whose jobs were cancelled.
    pub(super) cancelled: Vec<LeaseToken>,
    pub(super) sequence: i64,
    nonce: u64,
}

impl State {
    /// A store without anything in it. The nonce sets its tokens apart from those of other stores.
    pub(super) fn new(nonce: u64) -> Self {
        Self {
            queues: BTreeMap::new(),
            due: Deadlines::new(),
            leases: Deadlines::new(),
            expiring: Deadlines::new(),
            unbegun: Deadlines::new(),
            tokens: HashMap::new(),
            events: EventLog::default(),
            documents: BTreeMap::new(),
            lost_versions: BTreeMap::new(),
            undo: None,
            remembered: HashSet::new(),
            ringing: BTreeSet::new(),
            touched: BTreeSet::new(),
            news: Vec::new(),
            is_heard: false,
            cancelled: Vec::new(),
            sequence: 0,
            nonce,
        }
    }

    /// The next number of the one order that everything in the store has.
    pub(super) fn next(&mut self) -> i64 {
        self.sequence += 1;
        self.sequence
    }

    /// A lease token that was never given out.
    pub(super) fn next_token(&mut self) -> LeaseToken {
        let number = self.next().unsigned_abs();
        LeaseToken::from_u128(u128::from(self.nonce) << 64 | u128::from(number))
    }

    /// One job.
    pub(super) fn job(&self, key: &JobKey) -> Option<&Entry> {
        self.queues.get(&key.queue)?.jobs.get(&key.id)
    }

    /// Makes a queue known.
    pub(super) fn know(&mut self, name: &QueueName) -> &mut Queue {
        if !self.queues.contains_key(name) {
            self.remember(|| Undo::Queue(name.clone(), None));
        }
        self.queues.entry(name.clone()).or_default()
    }

    /// Adds a job whose key is free.
    pub(super) fn insert(&mut self, entry: Entry) {
        self.know(&entry.job.queue);
        self.remember_job(&entry.job.key(), None);
        self.put(entry);
    }

    /// Takes a job out, to change it and [`put`](Self::put) it back or to be rid of it.
    pub(super) fn take(&mut self, key: &JobKey) -> Option<Entry> {
        let entry = self.queues.get_mut(&key.queue)?.jobs.remove(&key.id)?;
        self.unlink(&entry);
        self.remember_job(key, Some(&entry));
        Some(entry)
    }

    /// Puts a job that was taken out back in.
    pub(super) fn put(&mut self, entry: Entry) {
        self.link(&entry);
        let queue = self.queues.get_mut(&entry.job.queue).expect("a job's queue is known");
        queue.jobs.insert(entry.job.id.clone(), entry);
    }

    fn link(&mut self, entry: &Entry) {
        let key = entry.job.key();
        let queue = self.queues.get_mut(&key.queue).expect("a job's queue is known");
        queue.lists[entry.state() as usize].insert(entry.rank(), key.id.clone());
        match entry.standing {
            Standing::Ready => {
                queue.lane(entry).ready.insert(entry.place, key.id.clone());
            }
            Standing::Active { .. } => queue.lane(entry).active += 1,
            Standing::Delayed { holds: true, .. } => queue.lane(entry).held += 1,
            _ => {}
        }
        self.look_again(entry);
        if let Some(at) = entry.expires_at {
            self.unbegun.insert((at, entry.number, key.clone()));
        }
        if let Standing::Active { token, .. } = entry.standing {
            self.tokens.insert(token, key.clone());
        }
        if let Some((deadlines, at, order)) = self.deadlines_of(entry) {
            deadlines.insert((at, order, key));
        }
    }

    fn unlink(&mut self, entry: &Entry) {
        let key = entry.job.key();
        let queue = self.queues.get_mut(&key.queue).expect("a job's queue is known");
        queue.lists[entry.state() as usize].remove(&entry.rank());
        match entry.standing {
            Standing::Ready => {
                queue.lane(entry).ready.remove(&entry.place);
            }
            Standing::Active { .. } => queue.lane(entry).active -= 1,
            Standing::Delayed { holds: true, .. } => queue.lane(entry).held -= 1,
            _ => {}
        }
        self.look_again(entry);
        if let Some(at) = entry.expires_at {
            self.unbegun.remove(&(at, entry.number, key.clone()));
        }
        if let Standing::Active { token, .. } = entry.standing {
            self.tokens.remove(&token);
        }
        if let Some((deadlines, at, order)) = self.deadlines_of(entry) {
            deadlines.remove(&(at, order, key));
        }
    }

    /// Has claims and turns look again at what a job that comes or goes may have changed.
    fn look_again(&mut self, entry: &Entry) {
        self.ringing.insert(entry.job.queue.clone());
        if matches!(
            entry.standing,
            Standing::Ready | Standing::Active { .. } | Standing::Delayed { holds: true, .. }
        ) {
            self.touch(&entry.job.queue, entry.job.options.key.as_ref());
        }
    }

    /// The deadlines that a job belongs into, and its place there.
    fn deadlines_of(&mut self, entry: &Entry) -> Option<(&mut Deadlines, Timestamp, i64)> {
        match entry.standing {
            Standing::Ready | Standing::WaitingChildren { .. } => None,
            Standing::Delayed { due, order, .. } => Some((&mut self.due, due, order)),
            Standing::Active { until, order, .. } => Some((&mut self.leases, until, order)),
            Standing::Finished { order, expires_at, .. } => {
                expires_at.map(|at| (&mut self.expiring, at, order))
            }
        }
    }

    /// Makes a job runnable behind the others of its priority, or before them if it is LIFO.
    pub(super) fn ready(&mut self, entry: &mut Entry) {
        let number = self.next();
        let order = if entry.job.options.lifo() { -number } else { number };
        entry.place = (entry.job.options.priority().into(), order);
        entry.standing = Standing::Ready;
    }

    /// Makes a job run at `at`: at once when that is not after `now`.
    pub(super) fn run_at(&mut self, entry: &mut Entry, at: Timestamp, now: Timestamp) {
        if at > now {
            entry.standing = Standing::Delayed { due: at, order: self.next(), holds: false };
        } else {
            self.ready(entry);
        }
    }

    /// Makes a job whose attempt did not end it run again at `at`. Where its key is ordered it keeps its place, and
    /// the others of its key wait for it.
    pub(super) fn run_again(&mut self, entry: &mut Entry, at: Timestamp, now: Timestamp) {
        if !self.is_ordered(entry) {
            self.run_at(entry, at, now);
        } else if at > now {
            entry.standing = Standing::Delayed { due: at, order: self.next(), holds: true };
        } else {
            entry.standing = Standing::Ready;
        }
    }

    /// Whether the jobs of the same key run one after the other.
    pub(super) fn is_ordered(&self, entry: &Entry) -> bool {
        entry.job.options.key.is_some()
            && self.queues[&entry.job.queue].settings.limits.keys.ordered
    }

    /// Notes something that happened.
    pub(super) fn tell(&mut self, queue: &QueueName, at: Timestamp, kind: QueueEventKind) {
        if self.is_heard {
            self.news.push(QueueEvent { queue: queue.clone(), at, kind });
        }
    }

    /// Notes where a job stands now.
    pub(super) fn tell_standing(&mut self, entry: &Entry, from: Option<JobState>, at: Timestamp) {
        let job = entry.job.id.clone();
        let kind = match entry.standing {
            Standing::Ready => QueueEventKind::Waiting { job, from },
            Standing::Delayed { due, .. } => {
                QueueEventKind::Delayed { job, until: due, failure: None }
            }
            Standing::WaitingChildren { .. } => QueueEventKind::WaitingChildren { job },
            Standing::Active { .. } | Standing::Finished { .. } => return,
        };
        self.tell(&entry.job.queue, at, kind);
    }
}
