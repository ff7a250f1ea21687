//! Adding jobs and events.

use std::sync::Arc;

use eventyard_core::{Effect, Enqueued, Event, NewJob, Payload, QueueName};

use super::{
    Writer,
    place::place,
    state::{QueueId, Ticket},
};
use crate::encoding::{Attributes, LIFO, payload_columns};

impl Writer<'_> {
    /// Records an event with its jobs, unless the log has it.
    pub(super) fn publish_event(
        &mut self,
        event: &Arc<Event>,
        jobs: Vec<NewJob>,
    ) -> rusqlite::Result<Effect> {
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
        let jobs = jobs.collect::<rusqlite::Result<_>>()?;
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

    /// Adds a job, unless its id exists on its queue; `logged` is the number of the event that it carries,
    /// if the log has it.
    pub(super) fn enqueue(
        &mut self,
        job: NewJob,
        logged: Option<i64>,
    ) -> rusqlite::Result<Enqueued> {
        let queue = self.know(&job.queue)?;
        let seq = self.next_job(queue)?;
        let mut ticket = Ticket {
            seq,
            queue,
            priority: job.options.priority().into(),
            ord: 0,
            attempts: 0,
            crashes: 0,
            flags: if job.options.lifo() { LIFO } else { 0 },
        };
        ticket.ord = place(seq, ticket.flags);
        let mut added = self.insert_job(&job, &ticket, logged)?;
        if !added && self.pending.has_gone() {
            self.write_pending()?;
            added = self.insert_job(&job, &ticket, logged)?;
        }
        if added {
            let due = job.options.due(self.now);
            if due > self.now {
                self.put_delayed(&ticket, due)?;
            } else {
                self.put_ready(&ticket);
            }
        }
        Ok(Enqueued { queue: job.queue, id: job.id, duplicate: !added })
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
            ticket.flags,
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
