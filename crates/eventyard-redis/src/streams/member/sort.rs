//! What becomes of the entries that a member got: handed out, acknowledged, or given up.

use std::sync::Arc;

use eventyard_core::{
    EventId,
    event::Defaults,
    transport::{
        Delivered, Delivery, Gap,
        wire::{Incoming, Malformed, Reader},
    },
};
use redis::{Pipeline, Value, aio::ConnectionLike};

use super::Member;
use crate::{
    connect::Error,
    streams::{
        entry::{self, Entry},
        hand::Hold,
    },
};

impl Member {
    /// Hands entries out, for which there is room. How many times they were delivered is asked for when it is not
    /// known.
    pub(super) async fn hand_out(
        &mut self,
        entries: Vec<Entry>,
        deliveries: Option<u32>,
    ) -> Result<(), Error> {
        let deliveries = match deliveries {
            Some(deliveries) => vec![deliveries; entries.len()],
            None => self.deliveries(&entries).await?,
        };
        let (mut done, mut trimmed, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for (Entry { id, fields }, deliveries) in entries.into_iter().zip(deliveries) {
            let Some(fields) = fields else {
                trimmed.push(id);
                continue;
            };
            if deliveries > self.inner.options.max_deliveries {
                let reason =
                    format!("it was delivered {} times and never acknowledged", deliveries - 1);
                self.inner.bury(&self.group, &id, &reason, deliveries - 1).await?;
                continue;
            }
            let incoming = match self.understand(&id, &fields) {
                Ok(incoming) => incoming,
                Err(error) => {
                    self.inner.tally.malformed.add(1);
                    let reason = format!("it is no event: {error}");
                    self.inner.bury(&self.group, &id, &reason, deliveries).await?;
                    continue;
                }
            };
            let is_own = incoming.node.as_ref() == Some(&self.inner.options.node)
                && !self.subscription.hears_own;
            if is_own {
                self.inner.tally.own.add(1);
            }
            if is_own || !self.subscription.takes(&incoming.event.kind) {
                done.push(id);
                continue;
            }
            wanted.push((id, incoming, deliveries));
        }
        done.extend(trimmed.iter().cloned());
        let done: Vec<&str> = done.iter().map(String::as_str).collect();
        self.inner.acknowledge(&self.group, &done).await?;
        self.tell_trimmed(trimmed.len()).await;
        for (id, incoming, deliveries) in wanted {
            self.deliver(id, incoming, deliveries).await;
        }
        Ok(())
    }

    async fn deliver(&self, id: String, incoming: Incoming, deliveries: u32) {
        let Incoming { event, node } = incoming;
        self.hand.take(&id, deliveries);
        let hold = Hold {
            inner: Arc::clone(&self.inner),
            acker: self.acker.clone(),
            hand: Arc::clone(&self.hand),
            group: Arc::clone(&self.group),
            entry: id.clone(),
            deliveries,
        };
        let delivery = Delivery::unkept(event, node).kept(deliveries, id, Arc::new(hold));
        // Before somebody has it and asks for the count.
        self.inner.tally.received.add(1);
        // Whoever has gone leaves it to others.
        let _ = self.outbox.send(Delivered::Event(delivery)).await;
    }

    fn understand(
        &self,
        id: &str,
        fields: &[(String, bytes::Bytes)],
    ) -> Result<Incoming, Malformed> {
        let options = &self.inner.options;
        let defaults = Defaults { source: &options.stream, now: options.clock.now() };
        // An entry keeps its id, so that its event is known when it comes again.
        let own_id = |_| {
            let id = format!("{}/{id}", options.stream);
            EventId::new(id).unwrap_or_else(|_| EventId::generate())
        };
        Reader { defaults, limits: options.limits }.read_fields(fields, own_id)
    }

    /// How many times each entry was delivered.
    pub(super) async fn deliveries(&self, entries: &[Entry]) -> Result<Vec<u32>, Error> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = Pipeline::with_capacity(entries.len());
        for Entry { id, .. } in entries {
            let pending = pipeline.cmd("XPENDING").arg(&self.inner.options.stream);
            pending.arg(&*self.group).arg(id).arg(id).arg(1);
        }
        let mut shared = self.inner.connections.shared();
        let answers = shared.req_packed_commands(&pipeline, 0, entries.len()).await?;
        let deliveries = |answer: Value| Ok(entry::deliveries(answer.extract_error()?)?.max(1));
        answers.into_iter().map(deliveries).collect()
    }

    /// Tells that entries were trimmed before they were handled.
    pub(super) async fn tell_trimmed(&self, entries: usize) {
        if entries > 0 {
            let reason = "the stream was trimmed before they were handled; keep more of it";
            let until = self.inner.options.clock.now();
            let lost = Some(entries as u64);
            self.tell(Gap { since: None, until, lost, reason: reason.to_owned() }).await;
        }
    }
}
