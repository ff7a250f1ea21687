//! Variables that deployments have from before: honoured where they still mean something, named where not.

use toml::Value;

use super::{Environment, origin::Origin, tree::Node};

/// Variables of servers that this build does not connect to.
const SERVERS: [&str; 5] =
    ["REDIS_URL", "REDIS_HOST", "RABBITMQ_URL", "KAFKA_BROKERS", "DATABASE_URL"];

/// Lays the variables over the tree, below those that begin with `EVENTYARD_`. Returns what a person should
/// know about those that have no effect.
pub(crate) fn lay_over(environment: &Environment, tree: &mut Node) -> Vec<String> {
    let mut notes = Vec::new();
    let mut set = |name: &str, keys: [&str; 2], value: Value| {
        tree.set(&keys.map(str::to_owned), value, &Origin::Variable(name.to_owned()));
    };
    if let Some(name) = environment.get("SERVICE_NAME") {
        set("SERVICE_NAME", ["events", "source"], name.into());
    }
    if let Some(text) = environment.get("USE_QUEUE_EVENT_BUS") {
        let bus = match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some("queue"),
            "false" | "0" => Some("synchronous"),
            _ => None,
        };
        match bus {
            Some(bus) => set("USE_QUEUE_EVENT_BUS", ["events", "bus"], bus.into()),
            None => notes.push(format!(
                "USE_QUEUE_EVENT_BUS is `{text}` and has no effect; use true or false"
            )),
        }
    }
    let servers: Vec<&str> =
        SERVERS.into_iter().filter(|name| environment.get(name).is_some()).collect();
    if !servers.is_empty() {
        let (names, verb) = (servers.join(", "), if servers.len() == 1 { "has" } else { "have" });
        notes.push(format!(
            "{names} {verb} no effect: this build keeps queues and events in its own store (see store.url)"
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], toml: &str, note: &str) {
        let mut tree = Node::root();
        let notes = lay_over(&Environment::of(variables), &mut tree);
        assert_eq!(tree.to_value(), toml::from_str::<Value>(toml).unwrap(), "{variables:?}");
        assert_eq!(notes.len(), usize::from(!note.is_empty()), "{notes:?}");
        assert!(notes.join(" ").contains(note), "{notes:?}");
    }

    #[test]
    fn variables_from_before() {
        check(&[], "", "");
        check(&[("SERVICE_NAME", "booking")], "events.source = 'booking'", "");
        check(&[("SERVICE_NAME", "")], "", "");
        check(&[("USE_QUEUE_EVENT_BUS", "true")], "events.bus = 'queue'", "");
        check(&[("USE_QUEUE_EVENT_BUS", "FALSE")], "events.bus = 'synchronous'", "");
        check(&[("USE_QUEUE_EVENT_BUS", "maybe")], "", "use true or false");
        check(&[("FRONTEND_URL", "http://localhost:5173")], "", "");
        let servers = [("REDIS_HOST", "localhost"), ("KAFKA_BROKERS", "k:9092")];
        check(&servers, "", "REDIS_HOST, KAFKA_BROKERS have no effect");
    }

    #[test]
    fn a_note_never_tells_a_value() {
        let environment = Environment::of(&[("DATABASE_URL", "postgres://ada:hunter2@db")]);
        let notes = lay_over(&environment, &mut Node::root());
        assert!(!notes.concat().contains("hunter2"), "{notes:?}");
    }
}
