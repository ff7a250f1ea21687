//! The hub against what was said: random drops, returns and slowness.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Say(u8),
    Everyone,
    Mark,
    Drop(u8),
    Return(u8),
    Take(u8, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8).prop_map(Step::Say),
        2 => Just(Step::Everyone),
        1 => Just(Step::Mark),
        1 => (0..3_u8).prop_map(Step::Drop),
        2 => (0..3_u8).prop_map(Step::Return),
        3 => (0..3_u8, 0..4_usize).prop_map(|(user, more)| Step::Take(user, more)),
    ]
}

/// A client that keeps where it is, and what it heard.
#[derive(Default)]
struct Client {
    ear: Memory,
    key: Option<Key>,
    expected: Vec<String>,
    was_here: bool,
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Mind>>);

/// What a client heard, where it is, and how much more it takes.
type Mind = (Vec<String>, Option<String>, usize);

impl Outlet for Memory {
    fn emit(&self, event: &str, _: &RawValue, id: &str) -> Result<(), Unsent> {
        let mut memory = self.0.lock().unwrap();
        if memory.2 == 0 {
            return Err(Unsent::Full);
        }
        memory.2 -= 1;
        if event != POSITION {
            memory.0.push(event.to_owned());
        }
        if !id.is_empty() {
            memory.1 = Some(id.to_owned());
        }
        Ok(())
    }
}

proptest! {
    /// Whatever drops, comes back and is slow: each hears all that is for it, once and in order.
    #[test]
    fn nobody_misses_anything(steps in prop::collection::vec(step(), 1..80)) {
        let hub = Hub::new(Window::default(), QUOTA);
        hub.deliver(Frame { id: "start".into(), message: None }, at(0));
        let mut clients: HashMap<u8, Client> = HashMap::new();
        for n in 0..3 {
            clients.insert(n, Client::default());
        }
        for (n, step) in steps.into_iter().enumerate() {
            let id = format!("m{n}");
            match step {
                Step::Say(to) => {
                    say(&hub, user(&to.to_string()), &id);
                    clients.get_mut(&to).unwrap().expected.push(id);
                }
                Step::Everyone => {
                    say(&hub, Target::Everyone, &id);
                    clients.values_mut().for_each(|client| client.expected.push(id.clone()));
                }
                Step::Mark => {
                    hub.deliver(Frame { id: id.into(), message: None }, at(0));
                }
                Step::Drop(who) => {
                    if let Some(key) = clients.get_mut(&who).unwrap().key.take() {
                        hub.leave(key, at(0));
                    }
                }
                Step::Return(who) => {
                    let client = clients.get_mut(&who).unwrap();
                    if client.key.is_none() {
                        // Whoever comes for the first time says that it knows the start.
                        let last = client.ear.0.lock().unwrap().1.clone();
                        let last = last.unwrap_or_else(|| "start".to_owned());
                        let arrival = Arrival {
                            outlet: Box::new(client.ear.clone()),
                            user: who.to_string().into(),
                            rooms: Vec::new(),
                            last_id: Some(last),
                        };
                        client.key = Some(hub.join(arrival, at(0)).unwrap().0);
                        client.was_here = true;
                    }
                }
                Step::Take(who, more) => {
                    let client = clients.get_mut(&who).unwrap();
                    client.ear.0.lock().unwrap().2 += more;
                    if let Some(key) = client.key {
                        hub.catch_up(key);
                    }
                }
            }
        }
        for client in clients.values().filter(|client| client.key.is_some()) {
            client.ear.0.lock().unwrap().2 += 10_000;
            while hub.catch_up(client.key.unwrap()) == Progress::Behind {}
            prop_assert_eq!(&client.ear.0.lock().unwrap().0, &client.expected);
        }
    }
}
