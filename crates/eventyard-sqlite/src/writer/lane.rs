//! Lanes: the jobs of one key of a queue, or those without a key, and whose turn it is.
//!
//! A queue without keys has one lane and needs no turns: nothing here costs it anything.

use eventyard_core::{
    Claim, GroupKey, Timestamp,
    fair::{Turns, burst},
    inspect::KeyStatus,
    rate::RateWindow,
};
use rustc_hash::FxHashMap;

use super::{
    Writer,
    state::{Lane, LaneId, NEVER, QueueId, Ticket, size},
    statements::Statements,
};
use crate::encoding::{KEYED, OptionsReader};

impl Writer<'_> {
    /// The lane of a key, which is known from here on.
    pub(super) fn know_lane(&mut self, queue: QueueId, key: &GroupKey) -> rusqlite::Result<LaneId> {
        if let Some(id) = self.state.lanes_by_key.get(&(queue, key.clone())) {
            return Ok(*id);
        }
        let id = LaneId(-self.numbers.lanes.next(&mut self.sql.set_meta)?);
        self.sql.insert_lane.execute((id.0, queue.0, key.as_str()))?;
        self.add_lane(id, Lane::new(queue, key.clone()));
        self.state.touch_lane(queue, id);
        Ok(id)
    }

    /// Makes the mirror know a lane; from the first one on the lanes of a queue take turns.
    pub(super) fn add_lane(&mut self, id: LaneId, lane: Lane) {
        let queue = lane.queue;
        self.state.set_lane(id, Some(lane));
        if self.state.slot(queue).turns.is_none() {
            let mut turns = Turns::default();
            if self.state.room_in_lane(queue, queue.lane(), self.now) > 0 {
                turns.join(queue.lane(), self.state.weight(queue, queue.lane()));
            }
            self.state.slot_mut(queue).turns = Some(Box::new(turns));
        }
    }

    /// Finds the lane of a job that has a key and is in none.
    pub(super) fn resolve_lane(&mut self, job: &mut Ticket) -> rusqlite::Result<()> {
        if job.flags & KEYED == 0 || job.lane.has_key() {
            return Ok(());
        }
        let mut rows = self.sql.job_options.query((job.seq,))?;
        let Some(row) = rows.next()? else { return Ok(()) };
        let options = OptionsReader::default().read(row.get_ref(0)?.as_str_or_null()?);
        drop(rows);
        if let Some(key) = &options.key {
            job.lane = self.know_lane(job.queue, key)?;
        }
        Ok(())
    }

    /// Lets lanes join and leave the turns of their queues: those that join together in the order of their keys.
    pub(super) fn update_turns(&mut self) -> rusqlite::Result<()> {
        let mut touched: Vec<_> = self.state.touched_lanes.drain().collect();
        let lanes = &self.state.lanes;
        if touched.len() > 1 {
            touched.sort_by_cached_key(|(queue, id)| {
                (queue.0, lanes.get(id).map(|lane| lane.key.clone()))
            });
        }
        let mut limited = Vec::new();
        for (queue, id) in touched {
            if self.state.slot(queue).turns.is_none() {
                continue;
            }
            let is_open = self.state.room_in_lane(queue, id, self.now) > 0;
            let weight = self.state.weight(queue, id);
            let turns = self.state.slot_mut(queue).turns.as_mut().expect("looked for above");
            if is_open {
                turns.join(id, weight);
            } else {
                turns.leave(&id);
            }
            if !is_open && self.is_idle(queue, id) {
                self.forget_lane(id)?;
            }
            if self.state.limits(queue).keys.rate.is_some() && !limited.contains(&queue) {
                limited.push(queue);
            }
        }
        for queue in limited {
            self.find_reopening(queue);
        }
        Ok(())
    }

    /// Has every lane join or leave the turns of its queue, after the mirror was loaded or undone.
    pub(super) fn rebuild_turns(&mut self) -> rusqlite::Result<()> {
        for queue in self.state.queue_ids() {
            if let Some(turns) = &mut self.state.slot_mut(queue).turns {
                **turns = Turns::default();
                self.state.touch_lane(queue, queue.lane());
            }
        }
        let lanes = self.state.lanes.iter();
        let mut lanes: Vec<_> =
            lanes.map(|(id, lane)| (lane.queue.0, lane.key.clone(), *id)).collect();
        lanes.sort();
        for (queue, _, id) in lanes {
            self.state.touch_lane(QueueId(queue), id);
        }
        self.update_turns()
    }

    /// Whether nothing is known of a lane that would not be known without it.
    fn is_idle(&mut self, queue: QueueId, id: LaneId) -> bool {
        let rate = self.state.limits(queue).keys.rate;
        let Some(lane) = self.state.lanes.get_mut(&id) else { return false };
        let is_empty = lane.waiting == 0 && lane.active == 0 && lane.held == 0;
        is_empty && rate.is_none_or(|rate| lane.window.is_empty(rate, self.now))
    }

    pub(super) fn forget_lane(&mut self, id: LaneId) -> rusqlite::Result<()> {
        self.begin()?;
        self.sql.delete_lane.execute((id.0,))?;
        self.sql.delete_begun.execute((id.0, i64::MAX))?;
        self.state.set_lane(id, None);
        Ok(())
    }

    /// Shows the world the keys that were changed.
    pub(super) fn publish_keys(&mut self) {
        let changed = self.state.take_changed_keys();
        if changed.is_empty() {
            return;
        }
        let mut keys = self.shared.keys.write().expect("no holder panics");
        for (queue, key) in changed {
            let Some(name) = self.state.name_if_known(queue) else {
                keys.retain(|(name, _), _| self.state.queue(name).is_some());
                continue;
            };
            let lane = self.state.lanes_by_key.get(&(queue, key.clone()));
            let lane = lane.and_then(|id| self.state.lanes.get(id));
            let status = KeyStatus {
                waiting: lane.map_or(0, |lane| lane.waiting.unsigned_abs()),
                active: lane.map_or(0, |lane| lane.active.unsigned_abs()),
                paused: self.state.is_key_paused(queue, &key),
                key: key.clone(),
            };
            let place = (name.clone(), key);
            if status.waiting > 0 || status.active > 0 || status.paused {
                keys.insert(place, status);
            } else {
                keys.remove(&place);
            }
        }
    }

    /// Forgets the lanes of which nothing is left to know.
    pub(super) fn forget_lanes(&mut self) -> rusqlite::Result<()> {
        let lanes: Vec<_> = self.state.lanes.iter().map(|(id, lane)| (*id, lane.queue)).collect();
        for (id, queue) in lanes {
            if self.is_idle(queue, id) {
                self.forget_lane(id)?;
            }
        }
        Ok(())
    }

    /// Notes when the rates of a queue allow more than they do now.
    pub(super) fn find_reopening(&mut self, queue: QueueId) {
        let limits = self.state.limits(queue).clone();
        let mut at = NEVER;
        if let Some(rate) = limits.rate.filter(|_| self.state.waiting(queue) > 0) {
            at = self.state.slot(queue).window.opens(rate).unwrap_or(NEVER);
        }
        if limits.keys.rate.is_some() {
            let lanes = self.state.lanes.values().filter(|lane| lane.queue == queue);
            at = lanes.map(|lane| lane.reopens).fold(at, Timestamp::min);
        }
        self.state.set_reopens(queue, at);
    }

    /// Looks again at the lanes whose rate allows more by now.
    pub(super) fn reopen_lanes(&mut self) -> rusqlite::Result<()> {
        let queues = self.state.reopening(self.now);
        if queues.is_empty() {
            return Ok(());
        }
        let lanes = self.state.lanes.iter().filter(|(_, lane)| lane.reopens <= self.now);
        let due: Vec<_> = lanes.map(|(id, lane)| (lane.queue, *id)).collect();
        for (queue, id) in due {
            self.state.touch_lane(queue, id);
        }
        self.update_turns()?;
        for queue in queues {
            // Claims that wait look again.
            self.state.figures_mut(queue);
            self.find_reopening(queue);
        }
        Ok(())
    }

    /// Whether a claim of this queue would find a job.
    pub(super) fn has_runnable(&mut self, queue: QueueId) -> bool {
        if self.state.figures(queue).paused || self.state.waiting(queue) == 0 {
            return false;
        }
        let is_turn = self.state.slot(queue).turns.as_ref().is_none_or(|turns| !turns.is_empty());
        is_turn && self.state.room_in_queue(queue, self.now) > 0
    }

    /// Decides whose jobs a claim gets: lane by lane, in the order of their first turn.
    pub(super) fn pick(
        &mut self,
        queue: QueueId,
        ask: &Claim,
        most: usize,
    ) -> rusqlite::Result<Vec<(LaneId, usize)>> {
        let mut left = ask.max.min(most).min(self.state.room_in_queue(queue, self.now));
        let Some(mut turns) = self.state.slot_mut(queue).turns.take() else {
            let picks = vec![(queue.lane(), left.min(size(self.state.waiting(queue))))];
            self.count_begun(queue, &picks)?;
            return Ok(picks);
        };
        let mut picks: Vec<(LaneId, usize)> = Vec::new();
        let mut rooms = FxHashMap::<LaneId, (usize, usize)>::default();
        while left > 0
            && let Some(&id) = turns.next()
        {
            let (at, room) = *rooms.entry(id).or_insert_with(|| {
                picks.push((id, 0));
                (picks.len() - 1, self.state.room_in_lane(queue, id, self.now))
            });
            let jobs = burst(ask.max).min(left).min(room - picks[at].1);
            picks[at].1 += jobs;
            left -= jobs;
            turns.serve(self.state.weight(queue, id), jobs);
            if picks[at].1 >= room {
                turns.leave(&id);
            }
        }
        self.state.slot_mut(queue).turns = Some(turns);
        self.count_begun(queue, &picks)?;
        Ok(picks)
    }

    /// Counts jobs that begin against the rates of their queue and their keys.
    fn count_begun(&mut self, queue: QueueId, picks: &[(LaneId, usize)]) -> rusqlite::Result<()> {
        let limits = self.state.limits(queue).clone();
        if let Some(rate) = limits.rate {
            let begun = picks.iter().map(|(_, picked)| picked).sum();
            let window = &mut self.state.slot_mut(queue).window;
            window.count(rate, self.now, begun);
            write_window(&mut self.sql, queue.lane(), window)?;
        }
        if let Some(rate) = limits.keys.rate {
            for (id, picked) in picks {
                if let Some(lane) = self.state.lanes.get_mut(id) {
                    lane.window.count(rate, self.now, *picked);
                    write_window(&mut self.sql, *id, &lane.window)?;
                }
            }
        }
        Ok(())
    }
}

/// Writes the newest slot of a window, the only one that changes, and deletes those that count no more.
fn write_window(
    sql: &mut Statements<'_>,
    lane: LaneId,
    window: &RateWindow,
) -> rusqlite::Result<()> {
    let (oldest, newest) = (window.slots().next(), window.slots().next_back());
    if let (Some((oldest, _)), Some((newest, begun))) = (oldest, newest) {
        sql.delete_begun.execute((lane.0, oldest.as_millis()))?;
        sql.set_begun.execute((lane.0, newest.as_millis(), begun))?;
    }
    Ok(())
}
