//! What the writer keeps in memory: the queues with their counts, and the active jobs.
//!
//! The file is the truth. This mirrors the small part of it that every group needs; it is loaded
//! when the file is opened, and a group that fails is undone here as it is there.

mod lane;
mod row;
mod undo;

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
};

use eventyard_core::{
    GroupKey, JobState, QueueLimits, QueueName, Timestamp,
    fair::Turns,
    inspect::{Counts, QueueStatus},
    rate::RateWindow,
};
use rustc_hash::{FxHashMap, FxHashSet};

use self::undo::Undo;
pub(super) use self::{
    lane::{Lane, size},
    row::{Active, Figures, LaneId, LeaseRow, NEVER, QueueId, Ticket},
    undo::Mark,
};

#[derive(Debug)]
pub(super) struct Queue {
    name: QueueName,
    figures: Figures,
    /// Numbers set aside for the queue's next jobs, so that jobs of one queue have consecutive numbers
    /// also when those of others come in between.
    numbers: Range<i64>,
    /// The last epoch in which its figures were noted for an undo.
    noted_in: u64,
    pub(super) limits: Arc<QueueLimits>,
    pub(super) paused_keys: BTreeSet<GroupKey>,
    /// The jobs that began.
    pub(super) window: RateWindow,
    /// Whose turn it is; absent while there are only jobs without a key.
    pub(super) turns: Option<Box<Turns<LaneId>>>,
}

/// The mirror. Numbers are hashed quickly: the store gives them out, so nobody can choose them to collide.
#[derive(Debug)]
pub(super) struct State {
    queues: Vec<Option<Queue>>,
    by_name: HashMap<QueueName, QueueId>,
    active: FxHashMap<i64, Active>,
    rows: FxHashMap<i64, LeaseRow>,
    /// How many events the log has.
    pub(super) events: u64,
    undo: Vec<Undo>,
    epoch: u64,
    touched: Vec<QueueName>,
    due_moved: bool,
    pub(super) lanes: FxHashMap<LaneId, Lane>,
    pub(super) lanes_by_key: HashMap<(QueueId, GroupKey), LaneId>,
    /// The lanes that may have to join or leave the turns of their queues.
    pub(super) touched_lanes: FxHashSet<(QueueId, LaneId)>,
    /// The keys that were changed since the last [`settle`](Self::settle).
    changed_keys: Vec<(QueueId, GroupKey)>,
    /// No job fails before this for not having begun.
    pub(super) next_expiry: Timestamp,
}

impl Default for State {
    fn default() -> Self {
        Self {
            queues: Vec::new(),
            by_name: HashMap::new(),
            active: FxHashMap::default(),
            rows: FxHashMap::default(),
            events: 0,
            undo: Vec::new(),
            epoch: 0,
            touched: Vec::new(),
            due_moved: false,
            lanes: FxHashMap::default(),
            lanes_by_key: HashMap::new(),
            touched_lanes: FxHashSet::default(),
            changed_keys: Vec::new(),
            next_expiry: NEVER,
        }
    }
}

impl State {
    /// The queue with this name.
    pub(super) fn queue(&self, name: &QueueName) -> Option<QueueId> {
        self.by_name.get(name).copied()
    }

    /// The queue with the name in a text.
    pub(super) fn queue_by_text(&self, name: &str) -> Option<QueueId> {
        self.by_name.get(name).copied()
    }

    /// A queue's name, if it was not forgotten.
    pub(super) fn name_if_known(&self, id: QueueId) -> Option<&QueueName> {
        Some(&self.queues.get(index(id))?.as_ref()?.name)
    }

    /// A queue's name.
    pub(super) fn name(&self, id: QueueId) -> &QueueName {
        &self.slot(id).name
    }

    /// A queue's figures.
    pub(super) fn figures(&self, id: QueueId) -> &Figures {
        &self.slot(id).figures
    }

    /// What a queue allows at once.
    pub(super) fn limits(&self, id: QueueId) -> &Arc<QueueLimits> {
        &self.slot(id).limits
    }

    /// Replaces what a queue allows at once.
    pub(super) fn set_limits(&mut self, id: QueueId, limits: Arc<QueueLimits>) {
        self.figures_mut(id);
        let before = std::mem::replace(&mut self.slot_mut(id).limits, limits);
        self.undo.push(Undo::Limits(id, before));
    }

    /// Whether the jobs of a key are not handed out.
    pub(super) fn is_key_paused(&self, id: QueueId, key: &GroupKey) -> bool {
        self.slot(id).paused_keys.contains(key)
    }

    /// Stops or goes on handing out the jobs of a key.
    pub(super) fn pause_key(&mut self, id: QueueId, key: &GroupKey, paused: bool) {
        self.figures_mut(id);
        let keys = &mut self.slot_mut(id).paused_keys;
        let before = if paused { !keys.insert(key.clone()) } else { keys.remove(key) };
        self.undo.push(Undo::PausedKey(id, key.clone(), before));
        self.changed_keys.push((id, key.clone()));
    }

    /// Says that no job fails before `at` for not having begun.
    pub(super) fn set_next_expiry(&mut self, at: Timestamp) {
        if self.next_expiry != at {
            self.undo.push(Undo::Expiry(std::mem::replace(&mut self.next_expiry, at)));
            self.due_moved = true;
        }
    }

    pub(super) fn slot_mut(&mut self, id: QueueId) -> &mut Queue {
        self.queues[index(id)].as_mut().expect("a queue in use is known")
    }

    /// Every queue.
    pub(super) fn queue_ids(&self) -> Vec<QueueId> {
        self.by_name.values().copied().collect()
    }

    pub(super) fn slot(&self, id: QueueId) -> &Queue {
        self.queues[index(id)].as_ref().expect("a queue in use is known")
    }

    /// A queue's figures, to be changed.
    pub(super) fn figures_mut(&mut self, id: QueueId) -> &mut Figures {
        let queue = self.queues[index(id)].as_mut().expect("a queue in use is known");
        if queue.noted_in != self.epoch {
            queue.noted_in = self.epoch;
            self.undo.push(Undo::Figures(id, queue.figures));
            self.touched.push(queue.name.clone());
        }
        &mut queue.figures
    }

    /// The numbers that are set aside for the next jobs of a lane.
    pub(super) fn numbers_mut(&mut self, id: QueueId, lane: LaneId) -> &mut Range<i64> {
        let queue = self.queues[index(id)].as_mut().expect("a queue in use is known");
        self.lanes.get_mut(&lane).map_or(&mut queue.numbers, |lane| &mut lane.numbers)
    }

    /// Forgets all numbers that are set aside.
    pub(super) fn drop_numbers(&mut self) {
        for queue in self.queues.iter_mut().flatten() {
            queue.numbers = 0..0;
        }
        for lane in self.lanes.values_mut() {
            lane.numbers = 0..0;
        }
    }

    /// Counts `by` more jobs of a queue in a state.
    pub(super) fn count(&mut self, id: QueueId, state: JobState, by: i64) {
        let count = self.figures_mut(id).counts.get_mut(state);
        *count = count.checked_add_signed(by).expect("no state has fewer than no jobs");
    }

    /// A number that no queue has.
    pub(super) fn free_queue_id(&self) -> QueueId {
        let free = self.queues.iter().position(Option::is_none).unwrap_or(self.queues.len());
        QueueId(i64::try_from(free).expect("there are fewer queues than numbers"))
    }

    /// Adds a queue under a number that none has.
    pub(super) fn add_queue(&mut self, id: QueueId, name: QueueName, paused: bool) {
        let at = index(id);
        if self.queues.len() <= at {
            self.queues.resize_with(at + 1, || None);
        }
        let figures = Figures {
            paused,
            counts: Counts::default(),
            keyed: 0,
            next_due: NEVER,
            reopens: NEVER,
            has_ties: false,
        };
        self.by_name.insert(name.clone(), id);
        self.touched.push(name.clone());
        self.queues[at] = Some(Queue {
            name,
            figures,
            numbers: 0..0,
            noted_in: self.epoch,
            limits: Arc::default(),
            paused_keys: BTreeSet::new(),
            window: RateWindow::default(),
            turns: None,
        });
        self.undo.push(Undo::Added(id));
    }

    /// Forgets a queue.
    pub(super) fn remove_queue(&mut self, id: QueueId) {
        let queue = self.queues[index(id)].take().expect("a queue in use is known");
        self.by_name.remove(&queue.name);
        self.touched.push(queue.name.clone());
        self.undo.push(Undo::Removed(id, queue));
    }

    /// The active job with this number.
    pub(super) fn active(&self, seq: i64) -> Option<&Active> {
        self.active.get(&seq)
    }

    /// Every active job.
    pub(super) fn all_active(&self) -> impl Iterator<Item = &Active> {
        self.active.values()
    }

    /// The row of leases with this number.
    pub(super) fn row(&self, row: i64) -> LeaseRow {
        self.rows[&row]
    }

    /// Changes what is known of a row of leases.
    pub(super) fn set_row(&mut self, number: i64, row: Option<LeaseRow>) {
        let before = match row {
            Some(row) => self.rows.insert(number, row),
            None => self.rows.remove(&number),
        };
        self.undo.push(Undo::Row(number, before));
    }

    /// Puts a job under a lease of a row that is known.
    pub(super) fn lease(&mut self, active: Active) {
        let Ticket { seq, queue, lane, .. } = active.ticket;
        let before = self.active.insert(seq, active);
        self.undo.push(Undo::Active(seq, before));
        self.count(queue, JobState::Active, 1);
        if lane.has_key() {
            // Whoever counts it as no longer runnable touches the lane.
            self.alter_lane(lane, |lane| lane.active += 1);
        }
    }

    /// Ends the lease on a job; the job is nowhere then.
    pub(super) fn end_lease(&mut self, seq: i64) -> Active {
        let active = self.active.remove(&seq).expect("the lease was checked");
        self.undo.push(Undo::Active(seq, Some(active.clone())));
        let Ticket { queue, lane: id, .. } = active.ticket;
        self.count(queue, JobState::Active, -1);
        if id.has_key() {
            let is_empty = self.alter_lane(id, |lane| lane.active -= 1).waiting == 0;
            // Otherwise it goes on taking turns as before.
            if is_empty || self.limits(queue).keys.active() < u32::MAX {
                self.touch_lane(queue, id);
            }
        }
        active
    }

    /// An active job, to be changed.
    pub(super) fn active_mut(&mut self, seq: i64) -> &mut Active {
        let active = self.active.get_mut(&seq).expect("the lease was checked");
        self.undo.push(Undo::Active(seq, Some(active.clone())));
        active
    }

    /// Sets the number of events in the log.
    pub(super) fn set_events(&mut self, events: u64) {
        self.undo.push(Undo::Events(std::mem::replace(&mut self.events, events)));
    }

    /// The queues that were changed since the last [`settle`](Self::settle).
    pub(super) fn touched(&self) -> &[QueueName] {
        &self.touched
    }

    /// Makes what was done final, and hands out the status of each queue that it concerned; absent for
    /// one that was forgotten.
    pub(super) fn settle(&mut self, mut publish: impl FnMut(QueueName, Option<QueueStatus>)) {
        self.undo.clear();
        self.epoch += 1;
        for name in std::mem::take(&mut self.touched) {
            let id = self.by_name.get(&name);
            let status = id.and_then(|id| self.queues[index(*id)].as_ref()).map(status);
            publish(name, status);
        }
    }

    /// Says that no delayed job of a queue runs before `due`.
    pub(super) fn set_next_due(&mut self, id: QueueId, due: Timestamp) {
        if self.figures(id).next_due != due {
            self.figures_mut(id).next_due = due;
            self.due_moved = true;
        }
    }

    /// The earliest time at which a delayed job of any queue may run, if that may have changed since the last call.
    pub(super) fn moved_due(&mut self) -> Option<Timestamp> {
        std::mem::take(&mut self.due_moved).then(|| self.next_due())
    }

    /// The earliest time at which anything happens by itself.
    pub(super) fn next_due(&self) -> Timestamp {
        let queues = self.queues.iter().flatten();
        let next = queues.map(|queue| queue.figures.next_due.min(queue.figures.reopens)).min();
        next.unwrap_or(NEVER).min(self.next_expiry)
    }

    /// Says when the rate of a queue, or of one of its keys, allows a job that waits.
    pub(super) fn set_reopens(&mut self, id: QueueId, at: Timestamp) {
        if self.figures(id).reopens != at {
            self.figures_mut(id).reopens = at;
            self.due_moved = true;
        }
    }

    /// The queues whose rate allows more by now.
    pub(super) fn reopening(&self, now: Timestamp) -> Vec<QueueId> {
        let reopens = |queue: &&Queue| queue.figures.reopens <= now;
        self.queues
            .iter()
            .flatten()
            .filter(reopens)
            .map(|queue| self.by_name[&queue.name])
            .collect()
    }

    /// The queues that may have a delayed job whose time has come.
    pub(super) fn due(&self, now: Timestamp) -> Vec<QueueId> {
        let due = |queue: &&Queue| queue.figures.next_due <= now;
        self.queues.iter().flatten().filter(due).map(|queue| self.by_name[&queue.name]).collect()
    }
}

fn index(QueueId(id): QueueId) -> usize {
    usize::try_from(id).expect("queue numbers are not negative")
}

fn status(queue: &Queue) -> QueueStatus {
    let Figures { paused, mut counts, .. } = queue.figures;
    if paused {
        let waiting = std::mem::take(counts.get_mut(JobState::Waiting));
        *counts.get_mut(JobState::Paused) = waiting;
    }
    QueueStatus { name: queue.name.clone(), paused, counts, limits: queue.limits.clone() }
}
