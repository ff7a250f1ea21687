//! What a case works on, and the steps it takes.

use std::{any::Any, pin::Pin, sync::Arc};

use eventyard_core::{
    Event, Pattern, Timestamp, Transport, TransportErrorKind,
    transport::{Delivered, Deliveries, Delivery, Gap, Group, GroupStatus, Subscription, Topology},
};

/// A future of something.
type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How a node of this name is connected.
type Connect = dyn Fn(&str) -> Later<Arc<dyn Transport>> + Send + Sync;
/// How every connection is cut.
type Interrupt = dyn Fn() -> Later<()> + Send + Sync;

/// An empty broker, for one case.
pub struct Fixture {
    /// How many times an event is delivered before it is a dead letter.
    pub(super) max_deliveries: u32,
    connect: Box<Connect>,
    interrupt: Option<Box<Interrupt>>,
    // The last field: dropped after the transports.
    guard: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    /// A broker to which `connect` connects a node of this name. It delivers an event again soon, within a second or
    /// less, and gives it up after `max_deliveries`.
    #[must_use]
    pub fn new(
        max_deliveries: u32,
        connect: impl Fn(&str) -> Later<Arc<dyn Transport>> + Send + Sync + 'static,
    ) -> Self {
        Self { max_deliveries, connect: Box::new(connect), interrupt: None, guard: Box::new(()) }
    }

    /// Says how every connection to the broker is cut.
    #[must_use]
    pub fn interrupted_by(
        mut self,
        interrupt: impl Fn() -> Later<()> + Send + Sync + 'static,
    ) -> Self {
        self.interrupt = Some(Box::new(interrupt));
        self
    }

    /// Keeps `guard`, such as a server, for as long as the transports.
    #[must_use]
    pub fn holding(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Box::new((self.guard, guard));
        self
    }

    /// The transport of a node.
    pub(super) async fn node(&self, name: &str) -> Arc<dyn Transport> {
        (self.connect)(name).await
    }

    /// Two nodes, or none where a case does not apply: the transport has no broadcast, and must say so.
    pub(super) async fn broadcasting(&self) -> Option<[Arc<dyn Transport>; 2]> {
        let nodes = [self.node("a").await, self.node("b").await];
        if nodes[0].capabilities().broadcast {
            return Some(nodes);
        }
        let refused = nodes[0].consume(Subscription::broadcast(patterns(&["#"]))).await;
        assert_eq!(refused.unwrap_err().kind(), TransportErrorKind::Unsupported);
        None
    }

    /// Two nodes, or none where a case does not apply: the transport has no groups, and must say so.
    pub(super) async fn grouping(&self) -> Option<[Arc<dyn Transport>; 2]> {
        let nodes = [self.node("a").await, self.node("b").await];
        if nodes[0].capabilities().groups {
            return Some(nodes);
        }
        let refused = nodes[0].consume(member("g", "c")).await;
        assert_eq!(refused.unwrap_err().kind(), TransportErrorKind::Unsupported);
        let refused = nodes[0].declare(&groups(&["g"])).await;
        assert_eq!(refused.unwrap_err().kind(), TransportErrorKind::Unsupported);
        None
    }

    /// Cuts every connection to the broker; false where that cannot be done.
    pub(super) async fn interrupt(&self) -> bool {
        match &self.interrupt {
            Some(interrupt) => {
                interrupt().await;
                true
            }
            None => false,
        }
    }
}

pub(super) fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(*text).unwrap()).collect()
}

/// A member of a group that takes everything.
pub(super) fn member(group: &str, consumer: &str) -> Subscription {
    Subscription::in_group(group_of(group, &["#"]), consumer)
}

pub(super) fn group_of(name: &str, types: &[&str]) -> Group {
    Group { name: name.to_owned(), patterns: patterns(types) }
}

/// Groups that take everything.
pub(super) fn groups(names: &[&str]) -> Topology {
    Topology { groups: names.iter().map(|name| group_of(name, &["#"])).collect() }
}

/// An event of type `kind`, known by `n`.
pub(super) fn event(kind: &str, n: usize) -> Event {
    let time = Timestamp::from_millis(1_800_000_000_000);
    Event::new(kind, "tests", time, format!(r#"{{"n":{n}}}"#))
}

/// Publishes `n` events of type `kind`, numbered from 0.
pub(super) async fn publish(on: &Arc<dyn Transport>, kind: &str, n: usize) -> Vec<String> {
    let events: Vec<Arc<Event>> = (0..n).map(|n| Arc::new(event(kind, n))).collect();
    let answers = on.publish(&events).await.unwrap();
    assert_eq!(answers.len(), n, "one answer for each");
    answers.into_iter().for_each(|answer| answer.unwrap());
    events.iter().map(|event| event.id.to_string()).collect()
}

/// Publishes until the transport takes it: after an interruption the first try may fail.
pub(super) async fn publish_stubbornly(on: &Arc<dyn Transport>, kind: &str) -> String {
    let event = Arc::new(event(kind, 0));
    loop {
        match on.publish(std::slice::from_ref(&event)).await {
            Ok(mut answers) => match answers.remove(0) {
                Ok(()) => return event.id.to_string(),
                Err(error) => assert!(error.is_retryable(), "{error}"),
            },
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

/// The next event.
pub(super) async fn hear(deliveries: &mut Deliveries) -> Delivery {
    match deliveries.next().await.expect("the subscription goes on") {
        Delivered::Event(delivery) => delivery,
        Delivered::Gap(gap) => panic!("nothing is missing here: {gap}"),
    }
}

/// The next gap; events before it are dropped.
pub(super) async fn hear_gap(deliveries: &mut Deliveries) -> Gap {
    loop {
        match deliveries.next().await.expect("the subscription goes on") {
            Delivered::Event(_) => {}
            Delivered::Gap(gap) => return gap,
        }
    }
}

/// Hears `n` events and handles them; their ids.
pub(super) async fn handle(deliveries: &mut Deliveries, n: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..n {
        let delivery = hear(deliveries).await;
        ids.push(delivery.event.id.to_string());
        delivery.ack().await.unwrap();
    }
    ids
}

/// How a group stands.
pub(super) async fn stands(on: &Arc<dyn Transport>, group: &str) -> GroupStatus {
    let status = on.status().await.unwrap();
    status.groups.into_iter().find(|known| known.name == group).expect("the group is told")
}
