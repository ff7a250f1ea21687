//! A group of the in-memory broker: what waits, who holds what, and what was given up.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{MemoryOptions, Message};
use crate::{
    Event, Pattern, Timestamp,
    transport::{GroupStatus, Verdict, takes},
};

#[derive(Default)]
pub(super) struct MemoryGroup {
    pub(super) patterns: Vec<Pattern>,
    pub(super) consumers: u64,
    next: u64,
    waiting: VecDeque<(u64, Arc<Message>)>,
    /// By number, so that what was published first comes again first.
    held: BTreeMap<u64, Held>,
    dead: Vec<(Event, String)>,
}

struct Held {
    message: Arc<Message>,
    since: Timestamp,
    deliveries: u32,
}

/// What a group hands out: its number, and how many times it has been handed out.
pub(super) struct HandedOut {
    pub(super) number: u64,
    pub(super) deliveries: u32,
    pub(super) message: Arc<Message>,
}

impl MemoryGroup {
    pub(super) fn publish(&mut self, message: &Arc<Message>) {
        if takes(&self.patterns, &message.event.kind) {
            self.waiting.push_back((self.next, Arc::clone(message)));
            self.next += 1;
        }
    }

    /// Hands out what somebody held for too long, or else the next that waits. Returns also how many became dead
    /// letters meanwhile.
    pub(super) fn hand_out(
        &mut self,
        now: Timestamp,
        options: MemoryOptions,
    ) -> (Option<HandedOut>, u64) {
        let mut buried = 0;
        while let Some(number) = self.overdue(now, options) {
            let Some(held) = self.held.get_mut(&number) else { break };
            if held.deliveries < options.max_deliveries {
                (held.deliveries, held.since) = (held.deliveries + 1, now);
                let (deliveries, message) = (held.deliveries, Arc::clone(&held.message));
                return (Some(HandedOut { number, deliveries, message }), buried);
            }
            let reason = format!("it was delivered {} times and never handled", held.deliveries);
            self.bury(number, reason);
            buried += 1;
        }
        let Some((number, message)) = self.waiting.pop_front() else { return (None, buried) };
        let held = Held { message: Arc::clone(&message), since: now, deliveries: 1 };
        self.held.insert(number, held);
        (Some(HandedOut { number, deliveries: 1, message }), buried)
    }

    /// When the next of those that are held comes again.
    pub(super) fn next_overdue(&self, options: MemoryOptions) -> Option<Timestamp> {
        self.held.values().map(|held| held.since + options.redeliver_after).min()
    }

    fn overdue(&self, now: Timestamp, options: MemoryOptions) -> Option<u64> {
        let is_overdue = |held: &Held| held.since + options.redeliver_after <= now;
        self.held.iter().find(|(_, held)| is_overdue(held)).map(|(number, _)| *number)
    }

    /// Settles a delivery; one that went to somebody else meanwhile is left alone. Returns whether it was buried.
    pub(super) fn settle(&mut self, number: u64, deliveries: u32, verdict: Verdict) -> bool {
        let holds = |held: &Held| held.deliveries == deliveries;
        if !self.held.get(&number).is_some_and(holds) {
            return false;
        }
        match verdict {
            Verdict::Done => {
                self.held.remove(&number);
                false
            }
            Verdict::Again => false,
            Verdict::Reject(reason) => {
                self.bury(number, reason);
                true
            }
        }
    }

    fn bury(&mut self, number: u64, reason: String) {
        if let Some(held) = self.held.remove(&number) {
            self.dead.push((held.message.event.clone(), reason));
        }
    }

    pub(super) fn dead_letters(&self) -> Vec<(Event, String)> {
        self.dead.clone()
    }

    pub(super) fn status(&self, name: &str) -> GroupStatus {
        GroupStatus {
            name: name.to_owned(),
            lag: Some(self.waiting.len() as u64),
            pending: self.held.len() as u64,
            consumers: self.consumers,
            dead_letters: Some(self.dead.len() as u64),
        }
    }
}
