//! Undoing what a group that fails has changed.

use std::sync::Arc;

use eventyard_core::{GroupKey, QueueLimits, Timestamp};

use super::{Active, Figures, Lane, LaneId, LeaseRow, Queue, QueueId, State, index};

/// How to undo one change.
#[derive(Debug)]
pub(super) enum Undo {
    Figures(QueueId, Figures),
    Added(QueueId),
    Removed(QueueId, Queue),
    Active(i64, Option<Active>),
    Row(i64, Option<LeaseRow>),
    Events(u64),
    Limits(QueueId, Arc<QueueLimits>),
    PausedKey(QueueId, GroupKey, bool),
    Lane(LaneId, Option<Box<Lane>>),
    Expiry(Timestamp),
}

/// A point in the changes that can be gone back to.
#[derive(Debug, Clone, Copy)]
pub(in crate::writer) struct Mark(usize);

impl Mark {
    /// Before everything since the last [`State::settle`].
    pub(in crate::writer) const START: Self = Self(0);
}

impl State {
    /// A point to go back to.
    pub(in crate::writer) fn mark(&mut self) -> Mark {
        self.epoch += 1;
        Mark(self.undo.len())
    }

    /// Undoes what was done since the mark, the last change first.
    pub(in crate::writer) fn undo_to(&mut self, Mark(length): Mark) {
        if length == 0 {
            self.touched.clear();
        }
        while self.undo.len() > length {
            match self.undo.pop().expect("the length was checked") {
                Undo::Figures(id, figures) => {
                    self.queues[index(id)].as_mut().expect("undone in reverse").figures = figures;
                }
                Undo::Added(id) => {
                    let queue = self.queues[index(id)].take().expect("undone in reverse");
                    self.by_name.remove(&queue.name);
                }
                Undo::Removed(id, queue) => {
                    self.by_name.insert(queue.name.clone(), id);
                    self.queues[index(id)] = Some(queue);
                }
                Undo::Active(seq, before) => {
                    match before {
                        Some(active) => self.active.insert(seq, active),
                        None => self.active.remove(&seq),
                    };
                }
                Undo::Row(number, before) => {
                    match before {
                        Some(row) => self.rows.insert(number, row),
                        None => self.rows.remove(&number),
                    };
                }
                Undo::Events(events) => self.events = events,
                Undo::Limits(id, limits) => self.slot_mut(id).limits = limits,
                Undo::PausedKey(id, key, true) => {
                    self.slot_mut(id).paused_keys.insert(key);
                }
                Undo::PausedKey(id, key, false) => {
                    self.slot_mut(id).paused_keys.remove(&key);
                }
                Undo::Lane(id, Some(lane)) => {
                    self.lanes_by_key.insert((lane.queue, lane.key.clone()), id);
                    self.lanes.insert(id, *lane);
                }
                Undo::Lane(id, None) => {
                    if let Some(lane) = self.lanes.remove(&id) {
                        self.lanes_by_key.remove(&(lane.queue, lane.key));
                    }
                }
                Undo::Expiry(at) => self.next_expiry = at,
            }
        }
        // What was noted before the mark still counts; what comes now is noted again.
        self.epoch += 1;
        self.due_moved = true;
    }
}
