//! What the program sets by itself, below everything that a user says.

use toml::Value;

use super::{
    Config,
    origin::Origin,
    path::Path,
    tree::{Content, Node},
};

/// Why the queues and routes of the booking notifications are there.
const BOOKING: Origin = Origin::BuiltIn("booking notifications");

/// What `eventyard dev` sets.
const DEV: &str = r#"
log.filter = "warn,eventyard=debug,eventyard_admin=info"
notifications.enabled = true
"#;

/// What `eventyard dev` sets when no mail server is configured.
const DEV_MAILBOX: &str = "channels.mailbox.enabled = true";

/// The queues of the booking notifications.
const BOOKING_QUEUES: &str = r#"
[queues.emails]
attempts = 5
backoff = { type = "exponential", delay = "2s" }
timeout = "30s"

[queues.notifications]
attempts = 3
backoff = { type = "exponential", delay = "1s" }
timeout = "30s"

[queues.tickets]
attempts = 3
backoff = { type = "fixed", delay = "5s" }
timeout = "30s"
"#;

/// The routes of the booking notifications.
fn booking_routes() -> Vec<Node> {
    let rule = |(kind, queue): (&str, &str)| {
        let rule = [("type", kind), ("queue", queue)].map(|(k, v)| (k.to_owned(), v.into()));
        Node::of(Value::Table(rule.into_iter().collect()), &BOOKING)
    };
    eventyard_notify::default_routes().into_iter().map(rule).collect()
}

/// Puts what the program sets by itself under what is `given`.
pub(super) fn under(given: Node, dev: bool) -> Node {
    let mut tree = Node::root();
    if dev {
        tree.merge(parse(DEV, &Origin::BuiltIn("eventyard dev")));
        if given.get(&Path::of(["channels", "smtp"])).is_none() {
            tree.merge(parse(DEV_MAILBOX, &Origin::BuiltIn("eventyard dev")));
        }
    }
    tree.merge(given);
    // What does not fit its type is told later, by the whole.
    let wanted = notifications(&tree);
    if !wanted.notifies() {
        return tree;
    }
    let mut whole = parse(BOOKING_QUEUES, &BOOKING);
    whole.merge(tree);
    if wanted.notifications.routes {
        whole.prepend(["routes", "rules"], booking_routes());
    }
    whole
}

/// The sections that decide whether this process works on booking notifications.
fn notifications(tree: &Node) -> Config {
    let section = |name: &str| tree.get(&Path::of([name])).map(Node::to_value);
    let mut config = Config::default();
    if let Some(Ok(notifications)) = section("notifications").map(Value::try_into) {
        config.notifications = notifications;
    }
    if let Some(Ok(channels)) = section("channels").map(Value::try_into) {
        config.channels = channels;
    }
    config
}

fn parse(text: &'static str, origin: &Origin) -> Node {
    match text.parse::<toml::Table>() {
        Ok(table) => Node::of(table.into(), origin),
        Err(error) => unreachable!("what is built in is TOML: {error}"),
    }
}

impl Node {
    /// Puts `items` before those of the list at `keys`.
    fn prepend(&mut self, keys: [&str; 2], items: Vec<Self>) {
        if self.at_mut(&keys).is_none() {
            self.set(&keys.map(str::to_owned), Value::Array(Vec::new()), &BOOKING);
        }
        // When it is no list, its type is told later.
        if let Some(Self { content: Content::List(list), .. }) = self.at_mut(&keys) {
            list.splice(..0, items);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_booking_queues_are_those_of_the_library() {
        let config: Config = parse(BOOKING_QUEUES, &BOOKING).to_value().try_into().unwrap();
        let ours: Vec<_> = config.queues.iter().map(|(name, queue)| queue.declare(name)).collect();
        let theirs = eventyard_notify::default_queues();
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    }
}
