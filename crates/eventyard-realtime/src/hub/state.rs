//! What a hub knows, and its steps.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use eventyard::model::Timestamp;
use serde_json::value::RawValue;

use super::{
    Arrival, INCOMPLETE, Key, Outlet, POSITION, Progress, Quota, Unsent,
    history::{Entry, History, Window},
    recent::Recent,
};
use crate::{
    frame::{Audience, Frame, null},
    message::room_of,
    refusal::Refusal,
};

/// How many entries are looked at in one go while a connection catches up.
const SCAN: u64 = 2048;

/// A connection.
struct Session {
    outlet: Box<dyn Outlet>,
    user: Arc<str>,
    rooms: HashSet<Arc<str>>,
    /// The place of what it hears next, while it is behind.
    behind: Option<u64>,
    /// Why it is told that something is missing, before it hears more.
    incomplete: Option<&'static str>,
}

pub(super) struct State {
    quota: Quota,
    history: History,
    recent: Recent,
    next_key: Key,
    sessions: HashMap<Key, Session>,
    rooms: HashMap<Arc<str>, HashSet<Key>>,
    users: HashMap<Arc<str>, HashSet<Key>>,
}

impl State {
    pub(super) fn new(window: Window, quota: Quota) -> Self {
        Self {
            quota,
            history: History::new(window),
            recent: Recent::new(window.age),
            next_key: 0,
            sessions: HashMap::new(),
            rooms: HashMap::new(),
            users: HashMap::new(),
        }
    }

    pub(super) fn has_room_for(&self, user: &str) -> Result<(), Refusal> {
        let Quota { connections, connections_per_user, .. } = self.quota;
        if self.sessions.len() >= connections {
            return Err(Refusal::too_many_connections(format!(
                "this server holds {connections} connections, its maximum; try again later"
            )));
        }
        if self.users.get(user).is_some_and(|keys| keys.len() >= connections_per_user) {
            return Err(Refusal::too_many_connections(format!(
                "the user has {connections_per_user} connections, the most that one may have; close one of them"
            )));
        }
        Ok(())
    }

    pub(super) fn join(&mut self, arrival: Arrival, now: Timestamp) -> Result<Key, Refusal> {
        let Arrival { outlet, user, rooms, last_id } = arrival;
        self.has_room_for(&user)?;
        self.history.forget(now);
        let (behind, incomplete) = match last_id.as_deref().map(|id| self.history.after(id)) {
            None => (self.history.end(), None),
            Some(Some(place)) => (place, None),
            // Whatever is remembered came later than what is not.
            Some(None) => (self.history.first(), Some("forgotten")),
        };
        let key = self.next_key;
        self.next_key += 1;
        let own = room_of(&user);
        self.users.entry(Arc::clone(&user)).or_default().insert(key);
        self.rooms.entry(Arc::clone(&own)).or_default().insert(key);
        let session =
            Session { outlet, user, rooms: HashSet::from([own]), behind: Some(behind), incomplete };
        self.sessions.insert(key, session);
        for room in rooms {
            if let Err(refusal) = self.enter(key, &room) {
                self.leave(key, now);
                return Err(refusal);
            }
        }
        Ok(key)
    }

    pub(super) fn leave(&mut self, key: Key, now: Timestamp) {
        let Some(session) = self.sessions.remove(&key) else { return };
        for room in session.rooms {
            remove(&mut self.rooms, &room, key);
        }
        remove(&mut self.users, &session.user, key);
        if !self.users.contains_key(&session.user) {
            self.recent.left(session.user, now);
        }
    }

    pub(super) fn enter(&mut self, key: Key, room: &str) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get(&key) else { return Ok(()) };
        if session.rooms.contains(room) {
            return Ok(());
        }
        let most = self.quota.rooms_per_user;
        let keys = self.users.get(&session.user).into_iter().flatten();
        let rooms: HashSet<&Arc<str>> = keys
            .filter_map(|key| self.sessions.get(key))
            .flat_map(|session| &session.rooms)
            .collect();
        // The user's own room does not count.
        if !rooms.contains(&Arc::from(room)) && rooms.len() > most {
            return Err(Refusal::too_many_rooms(format!(
                "the user is in {most} rooms, the most that one may be in; leave one of them first"
            )));
        }
        let room: Arc<str> = room.into();
        self.rooms.entry(Arc::clone(&room)).or_default().insert(key);
        if let Some(session) = self.sessions.get_mut(&key) {
            session.rooms.insert(room);
        }
        Ok(())
    }

    pub(super) fn exit(&mut self, key: Key, room: &str) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if *room != *room_of(&session.user) && session.rooms.remove(room) {
            remove(&mut self.rooms, room, key);
        }
    }

    pub(super) fn deliver(&mut self, frame: Frame, now: Timestamp) -> Vec<Key> {
        let Some(entry) = self.history.push(frame, now) else { return Vec::new() };
        let mut slow = Vec::new();
        match &entry.audience {
            Audience::Everyone | Audience::Nobody => {
                for (key, session) in &mut self.sessions {
                    session.hear(*key, &entry, &mut slow);
                }
            }
            Audience::Room(room) => {
                for key in self.rooms.get(room).into_iter().flatten() {
                    if let Some(session) = self.sessions.get_mut(key) {
                        session.hear(*key, &entry, &mut slow);
                    }
                }
            }
        }
        slow
    }

    pub(super) fn miss(&mut self) -> Vec<Key> {
        self.history.clear();
        let first = self.history.first();
        let mut woken = Vec::new();
        for (key, session) in &mut self.sessions {
            session.incomplete = Some("missed");
            if session.behind.replace(first).is_none() {
                woken.push(*key);
            }
        }
        woken
    }

    /// Hands a connection up to `most` of what it missed.
    pub(super) fn catch_up(&mut self, key: Key, most: usize) -> Progress {
        let Some(session) = self.sessions.get_mut(&key) else { return Progress::Gone };
        let Some(mut place) = session.behind else { return Progress::Live };
        let first = self.history.first();
        if place < first {
            session.incomplete.get_or_insert("too-slow");
            place = first;
        }
        let last_id = self.history.last_id().map_or("", |id| id);
        if let Some(reason) = session.incomplete {
            let data = format!(r#"{{"reason":"{reason}"}}"#);
            let data = RawValue::from_string(data)
                .unwrap_or_else(|_| unreachable!("the reasons are plain words"));
            if let Err(unsent) = session.outlet.emit(INCOMPLETE, &data, "") {
                session.behind = Some(place);
                return unsent.into();
            }
            session.incomplete = None;
        }
        let mut left = most;
        let turn = place + SCAN;
        for entry in self.history.from(place) {
            if entry.place >= turn {
                session.behind = Some(place);
                return Progress::Behind;
            }
            if session.wants(&entry.audience) {
                if left == 0 {
                    session.behind = Some(place);
                    return Progress::Behind;
                }
                if let Err(unsent) = session.tell(entry) {
                    session.behind = Some(place);
                    return unsent.into();
                }
                left -= 1;
            }
            place = entry.place + 1;
        }
        // Where the client is now; it may have heard nothing of what led here.
        if !last_id.is_empty()
            && let Err(unsent) = session.outlet.emit(POSITION, null(), last_id)
        {
            session.behind = Some(place);
            return unsent.into();
        }
        session.behind = None;
        Progress::Live
    }

    pub(super) fn wants_mark(&self) -> bool {
        !self.history.ends_in_mark()
    }

    pub(super) fn knows(&mut self, user: &str, now: Timestamp) -> bool {
        self.users.contains_key(user) || self.recent.has(user, now)
    }

    pub(super) fn knows_anyone(&mut self, now: Timestamp) -> bool {
        !self.users.is_empty() || !self.recent.is_empty(now)
    }

    pub(super) fn connections(&self) -> usize {
        self.sessions.len()
    }
}

impl Session {
    /// Hears something as it is said; one that cannot take it falls behind.
    fn hear(&mut self, key: Key, entry: &Entry, slow: &mut Vec<Key>) {
        if self.behind.is_none() && self.tell(entry) == Err(Unsent::Full) {
            self.behind = Some(entry.place);
            slow.push(key);
        }
    }

    fn tell(&self, entry: &Entry) -> Result<(), Unsent> {
        let id = &entry.frame.id;
        match &entry.frame.message {
            Some(message) => self.outlet.emit(&message.event, &message.data, id),
            None => self.outlet.emit(POSITION, null(), id),
        }
    }

    fn wants(&self, audience: &Audience) -> bool {
        match audience {
            Audience::Everyone => true,
            Audience::Room(room) => self.rooms.contains(room),
            // A mark that is past tells nothing that the position at the end does not.
            Audience::Nobody => false,
        }
    }
}

impl From<Unsent> for Progress {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Full => Self::Stuck,
            Unsent::Gone => Self::Gone,
        }
    }
}

fn remove(sets: &mut HashMap<Arc<str>, HashSet<Key>>, name: &str, key: Key) {
    if let Some(set) = sets.get_mut(name) {
        set.remove(&key);
        if set.is_empty() {
            sets.remove(name);
        }
    }
}
