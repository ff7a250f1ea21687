//! What the program sets by itself, below everything that a user says.

use super::{
    Config,
    origin::Origin,
    tree::{Content, Node, Path},
};

/// What `eventyard dev` sets.
const DEV: &str = r#"
log.filter = "warn,eventyard=debug"
notifications.enabled = true
"#;

/// What `eventyard dev` sets when no mail server is configured.
const DEV_MAILBOX: &str = "channels.mailbox.enabled = true";

/// The queues of the booking notifications.
const BOOKING_QUEUES: &str = r#"
[queues.emails]
attempts = 5
backoff = { type = "exponential", delay = "2s" }

[queues.notifications]
attempts = 3
backoff = { type = "exponential", delay = "1s" }

[queues.tickets]
attempts = 3
backoff = { type = "fixed", delay = "5s" }
"#;

/// The routes of the booking notifications.
const BOOKING_ROUTES: &str = r#"
rules = [
  { type = "booking.created", queue = "emails" },
  { type = "booking.confirmed", queue = "emails" },
  { type = "booking.cancelled", queue = "emails" },
  { type = "booking.reminder", queue = "notifications" },
  { type = "payment.received", queue = "notifications" },
  { type = "payment.failed", queue = "tickets" },
]
"#;

/// Puts what the program sets by itself under what is `given`.
pub(super) fn under(given: Node, dev: bool) -> Node {
    let mut tree = Node::root();
    if dev {
        tree.merge(parse(DEV, "eventyard dev"));
        if given.get(&Path::of(["channels", "smtp"])).is_none() {
            tree.merge(parse(DEV_MAILBOX, "eventyard dev"));
        }
    }
    tree.merge(given);
    // What does not fit its type is told later, by the whole.
    let wanted = notifications(&tree);
    if !wanted.notifies() {
        return tree;
    }
    let mut whole = parse(BOOKING_QUEUES, "booking notifications");
    whole.merge(tree);
    if wanted.notifications.routes {
        whole.prepend(&["routes", "rules"], parse(BOOKING_ROUTES, "booking notifications"));
    }
    whole
}

/// The sections that decide whether this process works on booking notifications.
fn notifications(tree: &Node) -> Config {
    let section = |name: &str| tree.get(&Path::of([name])).map(Node::to_value);
    let mut config = Config::default();
    if let Some(Ok(notifications)) = section("notifications").map(toml::Value::try_into) {
        config.notifications = notifications;
    }
    if let Some(Ok(channels)) = section("channels").map(toml::Value::try_into) {
        config.channels = channels;
    }
    config
}

fn parse(text: &'static str, why: &'static str) -> Node {
    match text.parse::<toml::Table>() {
        Ok(table) => Node::of(table.into(), &Origin::BuiltIn(why)),
        Err(error) => unreachable!("what is built in is TOML: {error}"),
    }
}

impl Node {
    /// Puts the items of `table`'s only list before those of the list at `keys`.
    fn prepend(&mut self, keys: &[&'static str; 2], table: Self) {
        let Content::Table(lists) = table.content else { return };
        let Some(Self { content: Content::List(items), origin }) = lists.into_values().next() else {
            return;
        };
        match self.at_mut(keys) {
            None => {
                let empty = toml::Value::Array(Vec::new());
                self.set(&keys.map(str::to_owned), empty, &origin);
                if let Some(Self { content: Content::List(list), .. }) = self.at_mut(keys) {
                    *list = items;
                }
            }
            Some(Self { content: Content::List(list), .. }) => {
                list.splice(..0, items);
            }
            // It is no list: its type is told later.
            Some(_) => {}
        }
    }
}
