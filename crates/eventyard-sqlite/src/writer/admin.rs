//! What an operator does to jobs and queues.

use std::sync::Arc;

use bytes::Bytes;
use eventyard_core::{
    CommitError, Failure, FailureKind, GroupKey, JobId, JobKey, JobOptions, JobState, Payload,
    QueueEventKind, QueueLimits, QueueName, Timestamp,
};

use super::{
    Writer,
    apply::Refused,
    find::{Found, Stand},
    pending::Run,
    place::runnable,
    settle::Outcome,
    state::{LaneId, QueueId, Ticket},
};
use crate::{
    encoding::{CARRIES_EVENT, HOLDS, PARENT, framed, payload_in_row, token::token},
    error::corrupt_row,
};

impl Writer<'_> {
    /// Makes a failed or completed job wait again, with all its attempts.
    pub(super) fn retry(&mut self, key: &JobKey) -> Result<(), Refused> {
        let mut found = self.find_in(key, "failed and completed", |stand| {
            matches!(stand, Stand::Finished { .. })
        })?;
        let from = self.shown_state(&found);
        self.take_out(&found)?;
        if let Stand::Finished { ran: Some(ran), .. } = &found.stand {
            self.set_last_run(&mut found.ticket, &ran.worker, ran.started_at)?;
        }
        let Ticket { queue, seq, flags, .. } = found.ticket;
        if flags & PARENT != 0 && self.has_pending_child(seq)? {
            self.put_awaiting(&found.ticket)?;
            self.tell_awaiting(queue, &key.id);
        } else {
            self.put_at_back(&mut found.ticket)?;
            self.tell_waiting(queue, &key.id, Some(from));
        }
        Ok(())
    }

    /// Makes a delayed job wait at once.
    pub(super) fn promote(&mut self, key: &JobKey) -> Result<(), Refused> {
        let mut found =
            self.find_in(key, "delayed", |stand| matches!(stand, Stand::Delayed { .. }))?;
        self.take_out(&found)?;
        let now = self.now;
        self.expire_later(&mut found.ticket, now)?;
        self.end_delay(&mut found.ticket)?;
        self.tell_waiting(found.ticket.queue, &key.id, Some(JobState::Delayed));
        Ok(())
    }

    /// Removes a job that is not active.
    pub(super) fn remove(&mut self, key: &JobKey) -> Result<(), Refused> {
        let found = self.find_in(key, "inactive", |stand| !matches!(stand, Stand::Active))?;
        Ok(self.remove_found(&found)?)
    }

    /// Removes a job that was found and is not active.
    pub(super) fn remove_found(&mut self, found: &Found) -> rusqlite::Result<()> {
        let from = self.state_of(found);
        self.take_out(found)?;
        self.let_key_go(found)?;
        self.remove_jobs(found.ticket.seq, 1, found.ticket.flags, from)
    }

    /// A delayed job that let no other of its key run does so no more.
    pub(super) fn let_key_go(&mut self, found: &Found) -> rusqlite::Result<()> {
        if matches!(found.stand, Stand::Delayed { .. }) && found.ticket.flags & HOLDS != 0 {
            let mut job = found.ticket;
            self.resolve_lane(&mut job)?;
            self.state.change_lane(job.lane, |lane| lane.held -= 1);
        }
        Ok(())
    }

    /// Ends a job that is not finished as cancelled.
    pub(super) fn cancel(&mut self, key: &JobKey, reason: String) -> Result<(), Refused> {
        let found = self.find_in(key, "unfinished", is_unfinished)?;
        let failure = Failure::new(FailureKind::Cancelled, reason);
        if !matches!(found.stand, Stand::Active) {
            self.let_key_go(&found)?;
            return Ok(self.fail_unfinished(&found, &key.id, failure)?);
        }
        let mut active = self.end_lease(found.ticket.seq);
        self.cancelled.push(token(active.ticket.seq, active.fence));
        self.record(&mut active, &failure)?;
        let keep = self.keep_failed(active.ticket.seq)?;
        Ok(self.finish_active(&active, Outcome::Failed(failure), keep)?)
    }

    /// Replaces the data of a job that is not finished.
    pub(super) fn update(&mut self, key: &JobKey, data: Bytes) -> Result<(), Refused> {
        let found = self.find_in(key, "unfinished", is_unfinished)?;
        let seq = found.ticket.seq;
        let payload = self.sql.job_payload.query_row((seq,), |row| payload_in_row(row, 0))?;
        let (event, data) = match payload.with_data(data) {
            Payload::Data(data) => (None, data),
            Payload::Event(event) => (Some(CARRIES_EVENT), framed(&event).into()),
        };
        self.sql.set_data.execute((seq, event, &*data))?;
        Ok(())
    }

    /// Gives a waiting or delayed job another priority.
    pub(super) fn reprioritize(&mut self, key: &JobKey, priority: u32) -> Result<(), Refused> {
        let mut found = self.find_in(key, "waiting and delayed", is_waiting_or_delayed)?;
        let from = self.state_of(&found);
        let seq = found.ticket.seq;
        let options =
            JobOptions { priority: Some(priority), ..JobOptions::clone(&*self.options_of(seq)?) };
        let text = self.options.text(&Arc::new(options));
        self.sql.set_options.execute((seq, priority, text))?;
        if let Stand::Delayed { due, n } = found.stand {
            let row = (found.ticket.queue.0, due, n, priority);
            self.sql.set_delayed_priority.execute(row)?;
            return Ok(());
        }
        self.take_out(&found)?;
        found.ticket.priority = priority.into();
        self.put_at_back(&mut found.ticket)?;
        self.tell_waiting(found.ticket.queue, &key.id, Some(from));
        Ok(())
    }

    /// Makes a waiting or delayed job run at another time.
    pub(super) fn reschedule(&mut self, key: &JobKey, at: Timestamp) -> Result<(), Refused> {
        let mut found = self.find_in(key, "waiting and delayed", is_waiting_or_delayed)?;
        let from = self.state_of(&found);
        self.take_out(&found)?;
        self.let_key_go(&found)?;
        let due = at.max(self.now);
        self.expire_later(&mut found.ticket, due)?;
        if found.ticket.flags & HOLDS == 0 {
            self.run_at(&mut found.ticket, at)?;
        } else {
            found.ticket.flags &= !HOLDS;
            self.run_again(&mut found.ticket, at)?;
        }
        if at > self.now {
            self.tell_until(found.ticket.queue, &key.id, at);
        } else {
            self.tell_waiting(found.ticket.queue, &key.id, Some(from));
        }
        Ok(())
    }

    fn find_in(
        &mut self,
        key: &JobKey,
        allowed: &'static str,
        is_allowed: impl FnOnce(&Stand) -> bool,
    ) -> Result<Found, Refused> {
        let found = self.find(key)?.ok_or_else(|| CommitError::NoSuchJob(key.clone()))?;
        if is_allowed(&found.stand) {
            return Ok(found);
        }
        let state = self.shown_state(&found);
        Err(CommitError::WrongState { job: key.clone(), state, allowed }.into())
    }

    /// Stops or goes on handing out the jobs of a queue.
    pub(super) fn pause(&mut self, name: &QueueName, paused: bool) -> rusqlite::Result<()> {
        let id = self.know(name)?;
        self.sql.pause_queue.execute((id.0, paused))?;
        if std::mem::replace(&mut self.state.figures_mut(id).paused, paused) != paused {
            self.tell(id, || if paused { QueueEventKind::Paused } else { QueueEventKind::Resumed });
        }
        Ok(())
    }

    /// Replaces the limits of a queue.
    pub(super) fn limit(&mut self, name: &QueueName, limits: QueueLimits) -> rusqlite::Result<()> {
        let id = self.know(name)?;
        let text = (!limits.is_unlimited())
            .then(|| serde_json::to_string(&limits).expect("limits are plain numbers and text"));
        self.sql.limit_queue.execute((id.0, text))?;
        self.state.set_limits(id, Arc::new(limits));
        let lanes = self.state.lanes.iter().filter(|(_, lane)| lane.queue == id);
        let mut lanes: Vec<_> = lanes.map(|(lane, known)| (known.key.clone(), *lane)).collect();
        lanes.sort();
        self.state.touch_lane(id, id.lane());
        for (_, lane) in lanes {
            self.state.touch_lane(id, lane);
        }
        self.find_reopening(id);
        Ok(())
    }

    /// Stops or goes on handing out the jobs of one key of a queue.
    pub(super) fn pause_key(
        &mut self,
        name: &QueueName,
        key: &GroupKey,
        paused: bool,
    ) -> rusqlite::Result<()> {
        let id = self.know(name)?;
        let row = (id.0, key.as_str());
        if paused { self.sql.pause_key.execute(row) } else { self.sql.resume_key.execute(row) }?;
        self.state.pause_key(id, key, paused);
        if let Some(lane) = self.state.lanes_by_key.get(&(id, key.clone())).copied() {
            self.state.touch_lane(id, lane);
        }
        Ok(())
    }

    /// Removes what is known of a queue without jobs.
    pub(super) fn forget(&mut self, name: &QueueName) -> Result<(), Refused> {
        self.write_pending()?;
        let Some(id) = self.state.queue(name) else { return Ok(()) };
        if self.state.figures(id).counts.total() > 0 {
            return Err(CommitError::QueueNotEmpty(name.clone()).into());
        }
        let lanes = self.state.lanes.iter().filter(|(_, lane)| lane.queue == id);
        for lane in lanes.map(|(lane, _)| *lane).collect::<Vec<_>>() {
            self.forget_lane(lane)?;
        }
        self.sql.delete_begun.execute((id.0, i64::MAX))?;
        self.sql.delete_paused_keys.execute((id.0,))?;
        self.sql.delete_spokesmen.execute((id.0,))?;
        self.sql.delete_queue.execute((id.0,))?;
        self.state.remove_queue(id);
        Ok(())
    }

    /// Removes jobs that have been in a state since `since` or longer, the oldest first.
    pub(super) fn clean(
        &mut self,
        name: &QueueName,
        state: JobState,
        since: Timestamp,
        limit: usize,
    ) -> rusqlite::Result<u64> {
        self.write_down()?;
        let Some(queue) = self.state.queue(name) else { return Ok(0) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        match state {
            JobState::Active => Ok(0),
            JobState::WaitingChildren => self.clean_awaiting(queue, since, limit),
            JobState::Waiting | JobState::Paused => self.clean_lanes(queue, (0, 0), since, limit),
            JobState::Prioritized => self.clean_lanes(queue, (1, i64::MAX), since, limit),
            JobState::Delayed => self.clean_delayed(queue, since, limit),
            JobState::Completed | JobState::Failed => {
                self.remove_finished(queue, state, since, limit)
            }
        }
    }

    /// Removes runnable jobs: those without a key, then key by key.
    fn clean_lanes(
        &mut self,
        queue: QueueId,
        priorities: (i64, i64),
        since: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let lanes = self.state.lanes.iter().filter(|(_, lane)| lane.queue == queue);
        let mut lanes: Vec<_> = lanes.map(|(id, lane)| (Some(lane.key.clone()), *id)).collect();
        lanes.push((None, queue.lane()));
        lanes.sort();
        let mut removed = 0;
        for (_, lane) in lanes {
            let left = limit.saturating_sub_unsigned(removed);
            removed += self.clean_ready((queue, lane), priorities, since, left)?;
        }
        Ok(removed)
    }

    fn clean_awaiting(
        &mut self,
        queue: QueueId,
        since: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let ask = (queue.0, since.as_millis(), limit);
        let old = self.sql.old_awaiting.query_map(ask, |row| row.get::<_, String>(0))?;
        let old: Vec<String> = old.collect::<Result<_, _>>()?;
        let name = self.state.name(queue).clone();
        let mut removed = 0;
        for id in old {
            let id = JobId::new(id).map_err(|_| corrupt_row("the id of a job"))?;
            if let Some(found) = self.find(&JobKey { queue: name.clone(), id })? {
                self.remove_found(&found)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn clean_ready(
        &mut self,
        (queue, lane): (QueueId, LaneId),
        (lowest, highest): (i64, i64),
        since: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let ask = (lane.0, lowest, highest, since.as_millis(), limit);
        let old = self.sql.old_ready.query_map(ask, |row| {
            let first = Ticket {
                seq: row.get(4)?,
                queue,
                lane,
                priority: row.get(1)?,
                ord: row.get(2)?,
                attempts: row.get(5)?,
                crashes: row.get(6)?,
                flags: row.get(7)?,
            };
            Ok((row.get(0)?, Run { first, n: row.get(3)? }))
        })?;
        let old: Vec<(i64, Run)> = old.collect::<Result<_, _>>()?;
        // From the last to the first: what is taken out of the end of a run leaves its beginning as it was.
        let follows =
            |a: &(i64, Run), b: &(i64, Run)| a.0 + 1 == b.0 && a.1.first.seq == b.1.first.seq;
        let mut shortened: Option<(i64, i64)> = None;
        let mut removed = Vec::new();
        for jobs in old.chunk_by(follows).rev() {
            let (seq, mut run) = jobs[0];
            let (skip, count) = (seq - run.first.seq, jobs.len() as i64);
            if let Some((_, n)) = shortened.filter(|(first, _)| *first == run.first.seq) {
                run.n = n;
            }
            self.take_ready(&run, skip, count)?;
            removed.push((seq, count, run.first));
            shortened = Some((run.first.seq, skip));
        }
        for (seq, count, first) in removed.into_iter().rev() {
            self.remove_jobs(seq, count, first.flags, runnable(first.priority))?;
        }
        Ok(old.len() as u64)
    }

    fn clean_delayed(
        &mut self,
        queue: QueueId,
        since: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let old = self.sql.old_delayed.query_map((queue.0, since.as_millis(), limit), |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })?;
        let old: Vec<[i64; 4]> = old.collect::<Result<_, _>>()?;
        for [seq, due, n, flags] in &old {
            self.sql.delete_delayed.execute((queue.0, due, n))?;
            self.state.count(queue, JobState::Delayed, -1);
            if flags & HOLDS != 0 {
                let mut job = Ticket {
                    seq: *seq,
                    queue,
                    lane: queue.lane(),
                    priority: 0,
                    ord: 0,
                    attempts: 0,
                    crashes: 0,
                    flags: *flags,
                };
                self.resolve_lane(&mut job)?;
                self.state.change_lane(job.lane, |lane| lane.held -= 1);
            }
            self.remove_jobs(*seq, 1, *flags, JobState::Delayed)?;
        }
        Ok(old.len() as u64)
    }
}

fn is_unfinished(stand: &Stand) -> bool {
    !matches!(stand, Stand::Finished { .. })
}

fn is_waiting_or_delayed(stand: &Stand) -> bool {
    matches!(stand, Stand::Ready { .. } | Stand::Delayed { .. })
}
