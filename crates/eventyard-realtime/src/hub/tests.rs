mod model;

use std::time::Duration;

use super::*;
use crate::message::{Message, Target};

/// What one client heard, and how much it takes.
#[derive(Default)]
struct Ear {
    heard: Vec<String>,
    room: usize,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Ear>>);

impl Fake {
    fn with_room(room: usize) -> Self {
        Self(Arc::new(Mutex::new(Ear { room, ..Ear::default() })))
    }

    /// What it heard since it was asked last, besides where it is.
    fn heard(&self) -> Vec<String> {
        let mut heard = std::mem::take(&mut self.0.lock().unwrap().heard);
        heard.retain(|event| event != POSITION);
        heard
    }

    fn takes(&self, more: usize) {
        self.0.lock().unwrap().room += more;
    }
}

impl Outlet for Fake {
    fn emit(&self, event: &str, data: &RawValue, _: &str) -> Result<(), Unsent> {
        let mut ear = self.0.lock().unwrap();
        if ear.room == 0 {
            return Err(Unsent::Full);
        }
        ear.room -= 1;
        let said = if event == INCOMPLETE { data.get() } else { "" };
        ear.heard.push(format!("{event}{said}"));
        Ok(())
    }
}

const QUOTA: Quota = Quota { connections: 5, connections_per_user: 2, rooms_per_user: 2 };

fn hub(messages: usize) -> Hub {
    Hub::new(Window { messages, ..Window::default() }, QUOTA)
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(secs * 1000)
}

fn arrival(outlet: &Fake, user: &str, last_id: Option<&str>) -> Arrival {
    Arrival {
        outlet: Box::new(outlet.clone()),
        user: user.into(),
        rooms: Vec::new(),
        last_id: last_id.map(str::to_owned),
    }
}

fn join(hub: &Hub, outlet: &Fake, user: &str) -> Key {
    hub.join(arrival(outlet, user, None), at(0)).unwrap().0
}

/// Says `name` under the same id.
fn say(hub: &Hub, to: Target, name: &str) -> Vec<Key> {
    hub.deliver(Frame::message(name, Message::new(to, name, &()).unwrap()), at(0))
}

fn user(name: &str) -> Target {
    Target::User(name.to_owned())
}

fn incomplete(reason: &str) -> String {
    format!(r#"{INCOMPLETE}{{"reason":"{reason}"}}"#)
}

#[test]
fn each_hears_what_is_for_it() {
    let hub = hub(100);
    let (ada, twin, bob) = (Fake::with_room(99), Fake::with_room(99), Fake::with_room(99));
    let key = join(&hub, &ada, "ada");
    join(&hub, &twin, "ada");
    join(&hub, &bob, "bob");
    hub.enter(key, "room").unwrap();
    let said = [(user("ada"), "a"), (Target::Room("room".into()), "r"), (Target::Everyone, "e")];
    for (to, name) in said {
        assert!(say(&hub, to, name).is_empty());
    }
    say(&hub, Target::Everyone, "e");
    assert_eq!(ada.heard(), ["a", "r", "e"]);
    assert_eq!(twin.heard(), ["a", "e"]);
    assert_eq!(bob.heard(), ["e"]);
    hub.exit(key, "room");
    hub.exit(key, "user:ada");
    say(&hub, Target::Room("room".into()), "r2");
    say(&hub, user("ada"), "a2");
    assert_eq!(ada.heard(), ["a2"], "a user never leaves its own room");
    hub.leave(key, at(0));
    say(&hub, Target::Everyone, "e2");
    assert_eq!((ada.heard().len(), bob.heard().len(), hub.connections()), (0, 1, 2));
}

#[test]
fn a_slow_one_catches_up_where_it_stopped() {
    let hub = hub(5);
    let (slow, fast) = (Fake::with_room(2), Fake::with_room(99));
    let key = join(&hub, &slow, "slow");
    join(&hub, &fast, "fast");
    let names: Vec<String> = (0..6).map(|n| n.to_string()).collect();
    let behind: Vec<Key> =
        names.iter().flat_map(|name| say(&hub, Target::Everyone, name)).collect();
    assert_eq!(behind, [key], "it is named once");
    assert_eq!(fast.heard(), names);
    assert_eq!(hub.catch_up(key), Progress::Stuck);
    slow.takes(2);
    assert_eq!(hub.catch_up(key), Progress::Stuck);
    slow.takes(99);
    assert_eq!(hub.catch_up(key), Progress::Live);
    assert_eq!(slow.heard(), names);
    say(&hub, Target::Everyone, "live");
    assert_eq!(slow.heard(), ["live"]);
}

#[test]
fn one_that_is_too_slow_is_told_so() {
    let hub = hub(2);
    let slow = Fake::with_room(0);
    let key = hub.join(arrival(&slow, "slow", None), at(0)).unwrap().0;
    for name in ["1", "2", "3", "4"] {
        say(&hub, Target::Everyone, name);
    }
    slow.takes(99);
    assert_eq!(hub.catch_up(key), Progress::Live);
    let heard = slow.heard();
    // It never had room to hear anything: what it lost is said before what is left.
    assert_eq!(heard[heard.len() - 2..], ["3", "4"]);
}

#[test]
fn a_gap_is_told_to_everyone() {
    let hub = hub(100);
    let ada = Fake::with_room(99);
    let key = join(&hub, &ada, "ada");
    say(&hub, Target::Everyone, "1");
    assert_eq!(hub.miss(), [key]);
    say(&hub, Target::Everyone, "2");
    assert_eq!(hub.catch_up(key), Progress::Live);
    assert_eq!(ada.heard(), ["1".to_owned(), incomplete("missed"), "2".to_owned()]);
    let back = Fake::with_room(99);
    hub.join(arrival(&back, "ada", Some("1")), at(0)).unwrap();
    assert_eq!(back.heard(), [incomplete("forgotten"), "2".to_owned()]);
}

#[test]
fn many_are_handed_over_in_turns() {
    let hub = hub(1000);
    let ada = Fake::with_room(9999);
    say(&hub, Target::Everyone, "first");
    for n in 0..BATCH * 2 {
        say(&hub, Target::Everyone, &n.to_string());
    }
    let (key, progress) = hub.join(arrival(&ada, "ada", Some("first")), at(0)).unwrap();
    assert_eq!((progress, ada.heard().len()), (Progress::Behind, BATCH));
    assert_eq!(hub.catch_up(key), Progress::Live);
    assert_eq!(ada.heard().len(), BATCH);
}

#[test]
fn quotas_hold() {
    let hub = hub(10);
    let fake = Fake::with_room(999);
    let key = join(&hub, &fake, "ada");
    join(&hub, &fake, "ada");
    let code = |result: Result<(Key, Progress), Refusal>| result.unwrap_err().code();
    assert_eq!(code(hub.join(arrival(&fake, "ada", None), at(0))), "too-many-connections");
    for user in ["b", "c", "d"] {
        join(&hub, &fake, user);
    }
    assert_eq!(code(hub.join(arrival(&fake, "e", None), at(0))), "too-many-connections");
    for room in ["1", "2", "1"] {
        hub.enter(key, room).unwrap();
    }
    assert_eq!(hub.enter(key, "3").unwrap_err().code(), "too-many-rooms");
    hub.leave(key, at(0));
    let mut full = arrival(&fake, "ada", None);
    full.rooms = ["1", "2", "3"].map(Arc::from).into();
    assert_eq!(code(hub.join(full, at(0))), "too-many-rooms");
    assert_eq!(hub.connections(), 4, "whoever is refused is not there");
}

#[test]
fn users_are_known_for_a_while_after_they_left() {
    let hub = hub(10);
    assert!(!hub.knows_anyone(at(0)));
    let key = join(&hub, &Fake::with_room(9), "ada");
    assert!(hub.knows("ada", at(0)) && !hub.knows("bob", at(0)));
    hub.leave(key, at(10));
    assert!(hub.knows("ada", at(100)));
    let later = at(10) + Window::default().age + Duration::from_secs(1);
    assert!(!hub.knows("ada", later) && !hub.knows_anyone(later));
}
