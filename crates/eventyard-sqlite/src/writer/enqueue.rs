//! Adding jobs and events.

use std::sync::Arc;

use eventyard_core::{
    CommitError, Effect, Enqueued, Event, JobState, NewJob, Payload, QueueName, Timestamp,
};

use super::{
    Writer,
    apply::Refused,
    duplicate::Verdict,
    place::place,
    state::{QueueId, Ticket},
};
use crate::encoding::{Attributes, BOUND, KEYED, LIFO, NATURE, PARENT, payload_columns};

impl Writer<'_> {
    /// Records an event with its jobs, unless the log has it.
    pub(super) fn publish_event(
        &mut self,
        event: &Arc<Event>,
        jobs: Vec<NewJob>,
    ) -> Result<Effect, Refused> {
        let number = self.numbers.events.next(&mut self.sql.set_meta)?;
        let duplicate = !self.insert_event(number, event)?;
        let jobs = jobs.into_iter().map(|job| {
            if duplicate {
                return Ok(Enqueued { queue: job.queue, id: job.id, duplicate });
            }
            // An event stays in the log as long as a job has its id: only such a job may refer to it.
            let is_logged = matches!(&job.payload, Payload::Event(carried)
                if job.id.as_str() == event.id.as_str()
                    && (Arc::ptr_eq(carried, event) || carried == event));
            self.enqueue(job, is_logged.then_some(number))
        });
        let jobs = jobs.collect::<Result<_, Refused>>()?;
        Ok(Effect::Published { event: event.id.clone(), duplicate, jobs })
    }

    fn insert_event(&mut self, number: i64, event: &Event) -> rusqlite::Result<bool> {
        let added = self.sql.insert_event.execute((
            number,
            event.time.as_millis(),
            self.now.as_millis(),
            event.id.as_str(),
            &event.kind,
            &event.source,
            &event.correlation_id,
            Attributes::text(event),
            &*event.data,
        ))?;
        if added > 0 {
            self.state.set_events(self.state.events + 1);
        }
        Ok(added > 0)
    }

    /// Adds a job, unless its id exists on its queue or one that says the same is there; `logged` is the number
    /// of the event that it carries, if the log has it.
    pub(super) fn enqueue(
        &mut self,
        job: NewJob,
        logged: Option<i64>,
    ) -> Result<Enqueued, Refused> {
        let mut until = None;
        if self.needs_check(&job) {
            match self.check(&job)? {
                Verdict::Dropped(id) => {
                    return Ok(Enqueued { queue: job.queue, id, duplicate: true });
                }
                Verdict::Added(window) => until = window,
            }
        }
        let added = self.add(&job, logged, until)?;
        Ok(Enqueued { queue: job.queue, id: job.id, duplicate: !added })
    }

    /// Whether more than the job's id decides whether it is added.
    pub(super) fn needs_check(&self, job: &NewJob) -> bool {
        let options = &job.options;
        let queue = self.state.queue(&job.queue);
        options.parent.is_some()
            || options.deduplication.is_some()
            || queue.is_some_and(|queue| self.state.limits(queue).max_length.is_some())
    }

    /// Refuses a job that must not be added; finds what it is a duplicate of.
    fn check(&mut self, job: &NewJob) -> Result<Verdict, Refused> {
        let key = job.key();
        if !self.adopt(job)? || self.find(&key)?.is_some() {
            return Ok(Verdict::Dropped(key.id));
        }
        let verdict = self.judge(job)?;
        let Verdict::Added(_) = verdict else { return Ok(verdict) };
        let Some(queue) = self.state.queue(&job.queue) else { return Ok(verdict) };
        let counts = &self.state.figures(queue).counts;
        let unfinished = [
            JobState::Waiting,
            JobState::Prioritized,
            JobState::Delayed,
            JobState::WaitingChildren,
        ];
        let length: u64 = unfinished.iter().map(|state| counts.get(*state)).sum();
        match self.state.limits(queue).max_length.filter(|limit| length >= *limit) {
            Some(limit) => Err(CommitError::QueueFull { queue: key.queue, limit }.into()),
            None => Ok(verdict),
        }
    }

    /// Adds a job, unless its id exists on its queue; false if it does. If it stands for all that say the same, it
    /// does so until `until`.
    pub(super) fn add(
        &mut self,
        job: &NewJob,
        logged: Option<i64>,
        until: Option<Timestamp>,
    ) -> rusqlite::Result<bool> {
        let queue = self.know(&job.queue)?;
        let options = &job.options;
        let due = options.due(self.now);
        let is_ready = due <= self.now && !job.awaits_children;
        let lane = match &options.key {
            Some(key) if is_ready => self.know_lane(queue, key)?,
            _ => queue.lane(),
        };
        let seq = self.next_job(queue, lane)?;
        let mut ticket = Ticket {
            seq,
            queue,
            lane,
            priority: options.priority().into(),
            ord: 0,
            attempts: 0,
            crashes: 0,
            flags: nature(job),
        };
        ticket.ord = place(seq, ticket.flags);
        let mut added = self.insert_job(job, &ticket, logged)?;
        if !added && self.pending.has_gone() {
            self.write_pending()?;
            added = self.insert_job(job, &ticket, logged)?;
        }
        if !added {
            return Ok(false);
        }
        self.tell_added(queue, job);
        if ticket.flags & (BOUND | PARENT) != 0 {
            self.state.figures_mut(queue).has_ties = true;
            self.appoint(queue, job, until)?;
        }
        // The time of one that waits for children begins when they have ended.
        if let Some(at) = options.expires(self.now).filter(|_| !job.awaits_children) {
            self.expire_at(&mut ticket, at)?;
        }
        if job.awaits_children {
            self.put_awaiting(&ticket)?;
            self.tell_awaiting(queue, &job.id);
        } else if due > self.now {
            self.put_delayed(&mut ticket, due)?;
            self.tell_until(queue, &job.id, due);
        } else {
            self.put_ready(&mut ticket)?;
            self.tell_waiting(queue, &job.id, None);
        }
        Ok(true)
    }

    fn insert_job(
        &mut self,
        job: &NewJob,
        ticket: &Ticket,
        logged: Option<i64>,
    ) -> rusqlite::Result<bool> {
        let (event, data) = payload_columns(job, logged);
        let added = self.sql.insert_job.execute((
            ticket.seq,
            ticket.queue.0,
            ticket.priority,
            ticket.flags & NATURE,
            self.now.as_millis(),
            job.id.as_str(),
            &*job.name,
            self.options.text(&job.options),
            event,
            data.as_deref(),
        ))?;
        Ok(added > 0)
    }

    /// The number of a queue, which is known from here on.
    pub(super) fn know(&mut self, name: &QueueName) -> rusqlite::Result<QueueId> {
        if let Some(id) = self.state.queue(name) {
            return Ok(id);
        }
        let id = self.state.free_queue_id();
        self.sql.insert_queue.execute((id.0, name.as_str()))?;
        self.state.add_queue(id, name.clone(), false);
        Ok(id)
    }
}

/// What a new job is for good.
fn nature(job: &NewJob) -> i64 {
    let options = &job.options;
    let is_bound = options.parent.is_some() || options.deduplication.is_some();
    [
        (options.lifo(), LIFO),
        (options.key.is_some(), KEYED),
        (is_bound, BOUND),
        (job.awaits_children, PARENT),
    ]
    .into_iter()
    .filter_map(|(has, flag)| has.then_some(flag))
    .sum()
}
