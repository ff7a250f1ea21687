//! Lanes as the mirror has them: the jobs of one key, how many can begin, and what changed of them.

use std::ops::Range;

use eventyard_core::{GroupKey, JobState, Timestamp, rate::RateWindow};

use super::{LaneId, NEVER, QueueId, State, Ticket, index, undo::Undo};
use crate::writer::{pending::Run, place::runnable};

/// The jobs of one key.
#[derive(Debug, Clone)]
pub(in crate::writer) struct Lane {
    pub(in crate::writer) queue: QueueId,
    pub(in crate::writer) key: GroupKey,
    /// How many could run, are active, and let no other of the key run before them.
    pub(in crate::writer) waiting: i64,
    pub(in crate::writer) active: i64,
    pub(in crate::writer) held: i64,
    /// Numbers set aside for the next jobs.
    pub(in crate::writer) numbers: Range<i64>,
    /// The run that was written last, which is where the next jobs may stand; it may have changed since.
    pub(in crate::writer) tail: Option<Run>,
    /// Those that began.
    pub(in crate::writer) window: RateWindow,
    /// When its rate allows another.
    pub(in crate::writer) reopens: Timestamp,
    /// The last epoch in which it was noted for an undo.
    noted_in: Option<u64>,
}

impl Lane {
    pub(in crate::writer) fn new(queue: QueueId, key: GroupKey) -> Self {
        let window = RateWindow::default();
        Self {
            queue,
            key,
            waiting: 0,
            active: 0,
            held: 0,
            numbers: 0..0,
            tail: None,
            window,
            reopens: NEVER,
            noted_in: None,
        }
    }
}

impl State {
    /// Adds a lane, or removes it.
    pub(in crate::writer) fn set_lane(&mut self, id: LaneId, to: Option<Lane>) {
        let known = self.lanes.get(&id).or(to.as_ref());
        let Some((queue, key)) = known.map(|lane| (lane.queue, lane.key.clone())) else { return };
        self.changed_keys.push((queue, key.clone()));
        let before = match to {
            Some(lane) => {
                self.lanes_by_key.insert((queue, key), id);
                self.lanes.insert(id, lane)
            }
            None => {
                self.lanes_by_key.remove(&(queue, key));
                self.lanes.remove(&id)
            }
        };
        self.undo.push(Undo::Lane(id, before.map(Box::new)));
    }

    /// Changes a lane that is known.
    pub(in crate::writer) fn change_lane(&mut self, id: LaneId, change: impl FnOnce(&mut Lane)) {
        let queue = self.alter_lane(id, change).queue;
        self.touch_lane(queue, id);
    }

    /// Changes a lane in a way that has no say in whether it takes turns.
    pub(in crate::writer) fn alter_lane(
        &mut self,
        id: LaneId,
        change: impl FnOnce(&mut Lane),
    ) -> &Lane {
        let lane = self.lanes.get_mut(&id).expect("a lane in use is known");
        if lane.noted_in != Some(self.epoch) {
            lane.noted_in = Some(self.epoch);
            self.undo.push(Undo::Lane(id, Some(Box::new(lane.clone()))));
            self.changed_keys.push((lane.queue, lane.key.clone()));
        }
        change(lane);
        lane
    }

    /// The keys that were changed since the last call.
    pub(in crate::writer) fn take_changed_keys(&mut self) -> Vec<(QueueId, GroupKey)> {
        std::mem::take(&mut self.changed_keys)
    }

    /// Remembers that a lane may have to join or leave the turns of its queue.
    pub(in crate::writer) fn touch_lane(&mut self, queue: QueueId, lane: LaneId) {
        self.touched_lanes.insert((queue, lane));
    }

    /// Counts `by` more runnable jobs of a lane.
    pub(in crate::writer) fn count_runnable(&mut self, job: &Ticket, by: i64) {
        self.count(job.queue, runnable(job.priority), by);
        if job.lane.has_key() {
            self.figures_mut(job.queue).keyed += by;
            self.change_lane(job.lane, |lane| lane.waiting += by);
        } else if self.slot(job.queue).turns.is_some() {
            self.touch_lane(job.queue, job.lane);
        }
    }

    /// How many jobs of a queue could run.
    pub(in crate::writer) fn waiting(&self, queue: QueueId) -> i64 {
        let counts = &self.figures(queue).counts;
        let waiting = counts.get(JobState::Waiting) + counts.get(JobState::Prioritized);
        i64::try_from(waiting).unwrap_or(i64::MAX)
    }

    /// How many jobs of a lane could run.
    pub(in crate::writer) fn waiting_in(&self, queue: QueueId, lane: LaneId) -> i64 {
        if lane.has_key() {
            self.lanes.get(&lane).map_or(0, |lane| lane.waiting)
        } else {
            self.waiting(queue) - self.figures(queue).keyed
        }
    }

    /// How many jobs of a lane could begin now, as far as the lane is concerned.
    pub(in crate::writer) fn room_in_lane(
        &mut self,
        queue: QueueId,
        id: LaneId,
        now: Timestamp,
    ) -> usize {
        if !id.has_key() {
            return size(self.waiting_in(queue, id));
        }
        let Some(lane) = self.lanes.get_mut(&id) else { return 0 };
        let slot = self.queues[index(queue)].as_ref().expect("a queue in use is known");
        let limits = &slot.limits.keys;
        lane.reopens = NEVER;
        let is_held = limits.ordered && lane.held > 0;
        let mut room = if is_held || slot.paused_keys.contains(&lane.key) {
            0
        } else {
            size((i64::from(limits.active()) - lane.active).min(lane.waiting))
        };
        if let Some(rate) = limits.rate.filter(|_| room > 0) {
            room = room.min(lane.window.room(rate, now));
            lane.reopens = lane.window.opens(rate).unwrap_or(NEVER);
        }
        room
    }

    /// How many jobs a queue allows to begin now.
    pub(in crate::writer) fn room_in_queue(&mut self, queue: QueueId, now: Timestamp) -> usize {
        let limits = self.limits(queue).clone();
        let mut room = usize::MAX;
        if let Some(most) = limits.concurrency {
            let active = self.figures(queue).counts.get(JobState::Active);
            room = usize::try_from(u64::from(most).saturating_sub(active)).unwrap_or(usize::MAX);
        }
        if let Some(rate) = limits.rate {
            room = room.min(self.slot_mut(queue).window.room(rate, now));
        }
        room
    }

    /// The weight of a lane.
    pub(in crate::writer) fn weight(&self, queue: QueueId, lane: LaneId) -> u32 {
        let key = self.lanes.get(&lane).map(|lane| &lane.key);
        self.limits(queue).keys.weight(key)
    }
}

/// As many as there are.
pub(in crate::writer) fn size(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}
