//! Lanes: the jobs of one key of a queue, or those without a key, and whether they take turns.

use std::collections::BTreeMap;

use super::state::{Queue, State};
use crate::{Claim, GroupKey, JobId, QueueName, Timestamp, fair::burst, rate::RateWindow};

/// The jobs of one key, or those without a key.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Lane {
    /// Those that could run, in order.
    pub(super) ready: BTreeMap<(i64, i64), JobId>,
    pub(super) active: usize,
    /// How many delayed jobs let no other of the key run before them.
    pub(super) held: usize,
    /// Those that began.
    window: RateWindow,
    /// When its rate allows another.
    reopens: Option<Timestamp>,
}

impl Queue {
    /// How many jobs of a lane could begin now, as far as the lane is concerned.
    fn room(&mut self, key: Option<&GroupKey>, now: Timestamp) -> usize {
        let (limits, paused) = (&self.settings.limits.keys, &self.settings.paused_keys);
        let Some(lane) = self.lanes.get_mut(&key.cloned()) else { return 0 };
        lane.reopens = None;
        let Some(key) = key else { return lane.ready.len() };
        if paused.contains(key) || limits.ordered && lane.held > 0 {
            return 0;
        }
        let mut room = (limits.active() as usize).saturating_sub(lane.active).min(lane.ready.len());
        if let Some(rate) = limits.rate.filter(|_| room > 0) {
            room = room.min(lane.window.room(rate, now));
            lane.reopens = lane.window.opens(rate);
        }
        room
    }

    /// Whether nothing is known of a lane that would not be known without it.
    fn is_idle(&mut self, key: &Option<GroupKey>, now: Timestamp) -> bool {
        let rate = self.settings.limits.keys.rate;
        self.lanes.get_mut(key).is_some_and(|lane| {
            let is_empty = lane.ready.is_empty() && lane.active == 0 && lane.held == 0;
            is_empty && rate.is_none_or(|rate| lane.window.is_empty(rate, now))
        })
    }

    /// The next instant at which a rate allows more than it does now.
    pub(super) fn reopens(&self) -> Option<Timestamp> {
        let queue = self.settings.limits.rate.and_then(|rate| self.window.opens(rate));
        self.lanes.values().filter_map(|lane| lane.reopens).chain(queue).min()
    }
}

impl State {
    /// Remembers that something about a lane changed.
    pub(super) fn touch(&mut self, queue: &QueueName, key: Option<&GroupKey>) {
        self.touched.insert((queue.clone(), key.cloned()));
    }

    /// Lets lanes join and leave the turns of their queues: those that join together in the order of their keys.
    pub(super) fn update_turns(&mut self, now: Timestamp) {
        for (name, key) in std::mem::take(&mut self.touched) {
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            let weight = queue.settings.limits.keys.weight(key.as_ref());
            if queue.room(key.as_ref(), now) > 0 {
                queue.turns.join(key, weight);
            } else {
                queue.turns.leave(&key);
                if queue.is_idle(&key, now) {
                    queue.lanes.remove(&key);
                }
            }
        }
    }

    /// Forgets the lanes of which nothing is left to know.
    pub(super) fn forget_lanes(&mut self, now: Timestamp) {
        for queue in self.queues.values_mut() {
            let keys: Vec<_> = queue.lanes.keys().cloned().collect();
            for key in keys.into_iter().filter(|key| queue.is_idle(key, now)).collect::<Vec<_>>() {
                queue.lanes.remove(&key);
            }
        }
    }

    /// Looks again at the lanes whose rate allows more by now.
    pub(super) fn reopen_lanes(&mut self, now: Timestamp) {
        for (name, queue) in &self.queues {
            let due =
                queue.lanes.iter().filter(|(_, lane)| lane.reopens.is_some_and(|at| at <= now));
            self.touched.extend(due.map(|(key, _)| (name.clone(), key.clone())));
        }
        self.update_turns(now);
    }

    /// Decides whose jobs a claim gets: lane by lane, in the order of their first turn.
    pub(super) fn pick(&mut self, ask: &Claim, now: Timestamp) -> Vec<(Option<GroupKey>, usize)> {
        let Some(queue) = self.queues.get_mut(&ask.queue).filter(|queue| !queue.settings.paused)
        else {
            return Vec::new();
        };
        let limits = queue.settings.limits.clone();
        let mut left = ask.max;
        if let Some(most) = limits.concurrency {
            let active = queue.list(crate::JobState::Active).len();
            left = left.min((most as usize).saturating_sub(active));
        }
        if let Some(rate) = limits.rate {
            left = left.min(queue.window.room(rate, now));
        }
        let mut picks: Vec<(Option<GroupKey>, usize, usize)> = Vec::new();
        while left > 0
            && let Some(key) = queue.turns.next().cloned()
        {
            let at = picks.iter().position(|(known, ..)| *known == key).unwrap_or_else(|| {
                picks.push((key.clone(), 0, queue.room(key.as_ref(), now)));
                picks.len() - 1
            });
            let (_, picked, room) = &mut picks[at];
            let jobs = burst(ask.max).min(left).min(*room - *picked);
            *picked += jobs;
            left -= jobs;
            let is_last = picked == room;
            queue.turns.serve(limits.keys.weight(key.as_ref()), jobs);
            if is_last {
                queue.turns.leave(&key);
            }
        }
        if let Some(rate) = limits.rate {
            queue.window.count(rate, now, picks.iter().map(|(_, picked, _)| picked).sum());
        }
        for (key, picked, _) in picks.iter().filter(|(key, ..)| key.is_some()) {
            if let (Some(rate), Some(lane)) = (limits.keys.rate, queue.lanes.get_mut(key)) {
                lane.window.count(rate, now, *picked);
            }
        }
        picks.into_iter().map(|(key, picked, _)| (key, picked)).collect()
    }
}
