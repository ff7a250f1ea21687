//! What was said lately: so that those who come back hear what they missed.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use eventyard::model::Timestamp;

use crate::frame::{Audience, Frame};

/// What an entry takes besides its texts, about.
const ENTRY_BYTES: usize = 256;

/// How much of what was said is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// For how long.
    pub age: Duration,
    /// How many messages, of all users together.
    pub messages: usize,
    /// How many bytes, of all users together.
    pub bytes: usize,
}

impl Default for Window {
    /// 2 minutes, 20 000 messages, 64 MiB.
    fn default() -> Self {
        Self { age: Duration::from_secs(120), messages: 20_000, bytes: 64 << 20 }
    }
}

/// Something that was said.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its place; they rise by one.
    pub(crate) place: u64,
    pub(crate) audience: Audience,
    pub(crate) frame: Frame,
    at: Timestamp,
    bytes: usize,
}

/// What was said lately, in order.
#[derive(Debug)]
pub(crate) struct History {
    window: Window,
    entries: VecDeque<Arc<Entry>>,
    places: HashMap<Arc<str>, u64>,
    bytes: usize,
    /// The place of the next entry.
    next: u64,
    /// The last entry that was forgotten. Whoever heard that one has missed nothing that is not remembered.
    forgotten: Option<Arc<str>>,
}

impl History {
    pub(crate) fn new(window: Window) -> Self {
        Self {
            window,
            entries: VecDeque::new(),
            places: HashMap::new(),
            bytes: 0,
            next: 0,
            forgotten: None,
        }
    }

    /// Remembers a frame; nothing if it is remembered already.
    pub(crate) fn push(&mut self, frame: Frame, now: Timestamp) -> Option<Arc<Entry>> {
        if self.places.contains_key(&frame.id) {
            return None;
        }
        let said = frame.message.as_ref().map_or(0, |message| {
            // Once here, and once more as the client's packet.
            2 * (message.data.get().len() + message.event.len())
        });
        let bytes = said + 2 * frame.id.len() + ENTRY_BYTES;
        let audience = frame.audience();
        let entry = Arc::new(Entry { place: self.next, audience, frame, at: now, bytes });
        self.next += 1;
        self.bytes += bytes;
        self.places.insert(Arc::clone(&entry.frame.id), entry.place);
        self.entries.push_back(Arc::clone(&entry));
        self.forget(now);
        Some(entry)
    }

    /// Forgets what is outside of the window.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.entries.front() {
            let over = self.entries.len() > self.window.messages
                || self.bytes > self.window.bytes
                || now.since(oldest.at) > self.window.age;
            if !over {
                return;
            }
            if let Some(entry) = self.entries.pop_front() {
                self.bytes -= entry.bytes;
                self.places.remove(&entry.frame.id);
                self.forgotten = Some(Arc::clone(&entry.frame.id));
            }
        }
    }

    /// Forgets everything: something was said that was not heard here.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.places.clear();
        self.bytes = 0;
        self.forgotten = None;
        // Whoever stood at the end misses something.
        self.next += 1;
    }

    /// The place after the entry with this id; nothing when it is not known any more.
    pub(crate) fn after(&self, id: &str) -> Option<u64> {
        match self.places.get(id) {
            Some(place) => Some(place + 1),
            None => (self.forgotten.as_deref() == Some(id)).then(|| self.first()),
        }
    }

    /// The place of the oldest entry that is remembered.
    pub(crate) fn first(&self) -> u64 {
        self.entries.front().map_or(self.next, |entry| entry.place)
    }

    /// The place of the next entry.
    pub(crate) fn end(&self) -> u64 {
        self.next
    }

    /// The last entry's id, remembered or not.
    pub(crate) fn last_id(&self) -> Option<&Arc<str>> {
        self.entries.back().map(|entry| &entry.frame.id).or(self.forgotten.as_ref())
    }

    /// Whether the last thing that was said is a mark.
    pub(crate) fn ends_in_mark(&self) -> bool {
        self.entries.back().is_none_or(|entry| entry.audience == Audience::Nobody)
    }

    /// The entries from a place on.
    pub(crate) fn from(&self, place: u64) -> impl Iterator<Item = &Arc<Entry>> {
        let skip = usize::try_from(place.saturating_sub(self.first())).unwrap_or(usize::MAX);
        self.entries.range(skip.min(self.entries.len())..)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    const WINDOW: Window = Window { age: Duration::from_secs(10), messages: 3, bytes: 10_000 };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1000)
    }

    fn say(history: &mut History, id: &str, data: &str, now: Timestamp) -> bool {
        let message = Message::to_everyone("e", data).unwrap();
        history.push(Frame::message(id, message), now).is_some()
    }

    /// The ids that follow `after`; nothing when that is not known.
    fn missed(history: &History, after: &str) -> Option<Vec<String>> {
        let place = history.after(after)?;
        Some(history.from(place).map(|entry| entry.frame.id.to_string()).collect())
    }

    #[test]
    fn it_goes_on_after_what_was_heard() {
        let mut history = History::new(WINDOW);
        for id in ["a", "b", "c"] {
            assert!(say(&mut history, id, "", at(0)));
        }
        assert!(!say(&mut history, "b", "", at(0)), "the same one is said once");
        let check = |after: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|ids| ids.iter().map(ToString::to_string).collect());
            assert_eq!(missed(&history, after), expected, "{after}");
        };
        check("a", Some(&["b", "c"]));
        check("c", Some(&[]));
        check("z", None);
    }

    #[test]
    fn whoever_heard_the_last_forgotten_missed_nothing() {
        let mut history = History::new(WINDOW);
        for id in ["a", "b", "c", "d", "e"] {
            say(&mut history, id, "", at(0));
        }
        assert_eq!(missed(&history, "b").unwrap(), ["c", "d", "e"]);
        assert_eq!(missed(&history, "a"), None);
        history.forget(at(11));
        assert_eq!(missed(&history, "e").unwrap(), [""; 0]);
        assert_eq!(history.last_id().unwrap().as_ref(), "e");
        assert_eq!(history.bytes(), 0);
    }

    #[test]
    fn bytes_are_bounded() {
        let mut history = History::new(Window { messages: 1000, ..WINDOW });
        for id in 0..100 {
            say(&mut history, &id.to_string(), &"x".repeat(1000), at(0));
            assert!(history.bytes() <= WINDOW.bytes);
        }
        assert!(say(&mut history, "huge", &"x".repeat(20_000), at(0)));
        assert_eq!(missed(&history, "huge").unwrap(), [""; 0], "too large to be remembered");
    }

    #[test]
    fn after_a_gap_nothing_is_known() {
        let mut history = History::new(WINDOW);
        say(&mut history, "a", "", at(0));
        let end = history.end();
        history.clear();
        assert_eq!(missed(&history, "a"), None);
        assert!(history.first() > end, "whoever stood at the end finds out");
        say(&mut history, "b", "", at(0));
        say(&mut history, "c", "", at(0));
        assert_eq!(missed(&history, "b").unwrap(), ["c"]);
    }
}
