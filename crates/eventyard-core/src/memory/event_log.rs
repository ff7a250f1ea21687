//! The event log.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{Event, EventId, Keep, Timestamp};

/// Events in the order of their arrival.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct EventLog {
    /// Each event by its number, with the time of its arrival.
    entries: BTreeMap<i64, (Timestamp, Arc<Event>)>,
    numbers: HashMap<EventId, i64>,
}

impl EventLog {
    /// Adds an event that is not in the log, under a number that is larger than all others.
    pub(super) fn append(&mut self, number: i64, event: Arc<Event>, now: Timestamp) {
        self.numbers.insert(event.id.clone(), number);
        self.entries.insert(number, (now, event));
    }

    /// Takes an event out.
    pub(super) fn remove(&mut self, id: &EventId) {
        if let Some(number) = self.numbers.remove(id) {
            self.entries.remove(&number);
        }
    }

    /// One event.
    pub(super) fn get(&self, id: &EventId) -> Option<&Arc<Event>> {
        self.entries.get(self.numbers.get(id)?).map(|(_, event)| event)
    }

    /// The events with a number below `before`, newest first.
    pub(super) fn newest_first(&self, before: i64) -> impl Iterator<Item = (i64, &Arc<Event>)> {
        self.entries.range(..before).rev().map(|(number, (_, event))| (*number, event))
    }

    /// The oldest events, up to `limit`, that are not to be kept and that nothing `carries`.
    pub(super) fn superfluous(
        &self,
        keep: Keep,
        limit: usize,
        now: Timestamp,
        carries: impl Fn(&EventId) -> bool,
    ) -> Vec<EventId> {
        let beyond = keep.count.map_or(0, |count| {
            self.entries.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX))
        });
        let is_old = |arrival: Timestamp| keep.age.is_some_and(|age| arrival + age <= now);
        self.entries
            .values()
            .enumerate()
            .take_while(|(index, (arrival, _))| *index < beyond || is_old(*arrival))
            .map(|(_, (_, event))| &event.id)
            .filter(|id| !carries(id))
            .take(limit)
            .cloned()
            .collect()
    }
}
