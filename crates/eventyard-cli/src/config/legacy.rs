//! Variables that deployments have from before: honoured where they still mean something, named where not.

use percent_encoding::NON_ALPHANUMERIC;
use toml::Value;

use super::{Environment, origin::Origin, tree::Node};

/// Variables of servers that this build does not connect to.
const SERVERS: [&str; 3] = ["RABBITMQ_URL", "KAFKA_BROKERS", "DATABASE_URL"];

/// Lays the variables over the tree, below those that begin with `EVENTYARD_`. Returns what a person should
/// know about those that have no effect.
pub(crate) fn lay_over(environment: &Environment, tree: &mut Node) -> Vec<String> {
    let mut notes = Vec::new();
    let mut set = |name: &str, keys: &[&str], value: Value| {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        tree.set(&keys, value, &Origin::Variable(name.to_owned()));
    };
    if let Some(name) = environment.get("SERVICE_NAME") {
        set("SERVICE_NAME", &["events", "source"], name.into());
    }
    if let Some(secret) = environment.get("JWT_SECRET") {
        set("JWT_SECRET", &["realtime", "jwt", "secret"], secret.into());
    }
    if let Some(urls) = environment.get("FRONTEND_URL") {
        // As it is in the address of a page; its origin has no slash at its end.
        let origins = urls.split(',').map(|url| url.trim().trim_end_matches('/'));
        let origins = origins.filter(|url| !url.is_empty()).map(Value::from).collect();
        set("FRONTEND_URL", &["realtime", "origins"], Value::Array(origins));
    }
    let mut is_synchronous = false;
    if let Some(text) = environment.get("USE_QUEUE_EVENT_BUS") {
        let bus = match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some("queue"),
            "false" | "0" => Some("synchronous"),
            _ => None,
        };
        is_synchronous = bus == Some("synchronous");
        match bus {
            Some(bus) => set("USE_QUEUE_EVENT_BUS", &["events", "bus"], bus.into()),
            None => notes.push(format!(
                "USE_QUEUE_EVENT_BUS is `{text}` and has no effect; use true or false"
            )),
        }
    }
    // A synchronous bus keeps nothing, wherever a Redis may be.
    if let Some((name, url)) = redis(environment).filter(|_| !is_synchronous) {
        set(name, &["store", "url"], url.into());
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

/// The address of the Redis that the variables name, and which of them does.
fn redis(environment: &Environment) -> Option<(&'static str, String)> {
    if let Some(url) = environment.get("REDIS_URL") {
        return Some(("REDIS_URL", url.to_owned()));
    }
    let host = environment.get("REDIS_HOST")?;
    let port = environment.get("REDIS_PORT").unwrap_or("6379");
    let db = environment.get("REDIS_DB").unwrap_or("0");
    let password = environment.get("REDIS_PASSWORD").map_or_else(String::new, |password| {
        format!(":{}@", percent_encoding::utf8_percent_encode(password, NON_ALPHANUMERIC))
    });
    Some(("REDIS_HOST", format!("redis://{password}{host}:{port}/{db}")))
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
        let origins = "realtime.origins = ['http://localhost:5173', 'https://app.example.com']";
        let urls = "http://localhost:5173/, https://app.example.com";
        check(&[("FRONTEND_URL", urls)], origins, "");
        check(&[("JWT_SECRET", "s")], "realtime.jwt.secret = 's'", "");
        check(&[("REDIS_URL", "redis://h")], "store.url = 'redis://h'", "");
        check(&[("REDIS_HOST", "h")], "store.url = 'redis://h:6379/0'", "");
        let redis = [
            ("REDIS_HOST", "h"),
            ("REDIS_PORT", "1"),
            ("REDIS_PASSWORD", "a@b"),
            ("REDIS_DB", "2"),
        ];
        check(&redis, "store.url = 'redis://:a%40b@h:1/2'", "");
        let synchronous = [("REDIS_URL", "redis://h"), ("USE_QUEUE_EVENT_BUS", "false")];
        check(&synchronous, "events.bus = 'synchronous'", "");
        let servers = [("DATABASE_URL", "postgres://h"), ("KAFKA_BROKERS", "k:9092")];
        check(&servers, "", "KAFKA_BROKERS, DATABASE_URL have no effect");
    }

    #[test]
    fn a_note_never_tells_a_value() {
        let environment = Environment::of(&[("DATABASE_URL", "postgres://ada:hunter2@db")]);
        let notes = lay_over(&environment, &mut Node::root());
        assert!(!notes.concat().contains("hunter2"), "{notes:?}");
    }
}
