//! Routes: which events go to which queues.

use std::collections::{BTreeMap, HashMap};

use eventyard_core::{Event, QueueName};
use serde_json::Value;

pub use eventyard_core::pattern::{InvalidPattern, Pattern};

/// What a route looks for in an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Match {
    /// The event's type, by a topic pattern.
    Type(Pattern),
    /// Extension attributes with these values: all of them, or any.
    Headers {
        /// The attributes.
        headers: BTreeMap<String, Value>,
        /// Whether all must match.
        all: bool,
    },
}

/// One route: events that match become jobs on a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// What it looks for.
    pub matches: Match,
    /// Where matching events go.
    pub queue: QueueName,
}

impl Route {
    fn takes(&self, event: &Event) -> bool {
        match &self.matches {
            Match::Type(pattern) => pattern.matches(&event.kind),
            Match::Headers { headers, all } => {
                let mut hits = headers.iter().map(|(k, v)| event.extensions.get(k) == Some(v));
                if *all { hits.all(|hit| hit) } else { hits.any(|hit| hit) }
            }
        }
    }
}

/// All routes. Those by exact type are found by one look-up however many there are.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    exact: HashMap<String, Vec<QueueName>>,
    others: Vec<Route>,
}

impl Routes {
    /// Adds a route.
    pub fn add(&mut self, route: Route) {
        match route.matches {
            Match::Type(ref pattern) if pattern.is_exact() => {
                self.exact.entry(pattern.as_str().to_owned()).or_default().push(route.queue);
            }
            Match::Type(_) | Match::Headers { .. } => self.others.push(route),
        }
    }

    /// The queues that take an event, each once, in the order of the routes, exact ones first.
    #[must_use]
    pub fn queues_for(&self, event: &Event) -> Vec<QueueName> {
        let exact = self.exact.get(&event.kind).into_iter().flatten();
        let others = self.others.iter().filter(|route| route.takes(event)).map(|r| &r.queue);
        let mut queues: Vec<QueueName> = Vec::new();
        for queue in exact.chain(others) {
            if !queues.contains(queue) {
                queues.push(queue.clone());
            }
        }
        queues
    }

    /// Whether events of type `kind` can reach `queue`.
    #[must_use]
    pub fn can_reach(&self, kind: &str, queue: &QueueName) -> bool {
        self.exact.get(kind).is_some_and(|queues| queues.contains(queue))
            || self.others.iter().any(|route| {
                route.queue == *queue
                    && match &route.matches {
                        Match::Type(pattern) => pattern.matches(kind),
                        Match::Headers { .. } => true,
                    }
            })
    }

    /// Every queue that a route leads to.
    pub fn queues(&self) -> impl Iterator<Item = &QueueName> {
        self.exact.values().flatten().chain(self.others.iter().map(|route| &route.queue))
    }
}

#[cfg(test)]
mod tests {
    use eventyard_core::Timestamp;

    use super::*;

    fn queue(name: &str) -> QueueName {
        QueueName::new(name).unwrap()
    }

    fn by_type(pattern: &str, to: &str) -> Route {
        Route { matches: Match::Type(Pattern::new(pattern).unwrap()), queue: queue(to) }
    }

    #[test]
    fn an_event_goes_to_each_matching_queue_once() {
        let mut routes = Routes::default();
        for (pattern, to) in [("#", "audit"), ("order.*", "orders"), ("order.paid", "orders")] {
            routes.add(by_type(pattern, to));
        }
        let headers = BTreeMap::from([("vip".to_owned(), Value::Bool(true))]);
        routes.add(Route { matches: Match::Headers { headers, all: true }, queue: queue("vips") });

        let mut event = Event::new("order.paid", "t", Timestamp::default(), "");
        assert_eq!(routes.queues_for(&event), [queue("orders"), queue("audit")]);
        event.extensions.insert("vip".to_owned(), Value::Bool(true));
        assert_eq!(routes.queues_for(&event), [queue("orders"), queue("audit"), queue("vips")]);
        event.kind = "user.created".to_owned();
        assert_eq!(routes.queues_for(&event), [queue("audit"), queue("vips")]);
    }
}
