//! Two applications on one broker: what one publishes the other handles, once.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use eventyard::{
    Envelope, Error, Event, Eventyard, Queue, Yard,
    event::WithAttributes,
    model::{
        EventId, JobId, JobKey, JobState, Pattern, QueueName, SystemClock, Transport,
        TransportError, TransportErrorKind,
        transport::{
            Deliveries, Group, MemoryBroker, MemoryOptions, MemoryTransport, Subscription,
            Topology, TransportCapabilities, TransportStatus,
        },
    },
    transport::{Bridge, TransportReport},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event("order.paid", schema)]
struct OrderPaid {
    order: String,
}

fn paid(order: &str) -> OrderPaid {
    OrderPaid { order: order.to_owned() }
}

fn broker() -> MemoryBroker {
    let options = MemoryOptions { redeliver_after: Duration::from_millis(50), max_deliveries: 3 };
    MemoryBroker::new(Arc::new(SystemClock::default()), options)
}

/// What each order was handled, how often.
type Handled = Arc<Mutex<BTreeMap<String, u32>>>;

/// An application that counts the orders it handles.
async fn yard(name: &str, bridge: Bridge) -> (Yard, Handled) {
    let handled = Handled::default();
    let count = Arc::clone(&handled);
    let yard = Eventyard::in_memory()
        .source(name)
        .event::<OrderPaid>()
        .queue(Queue::new("orders"))
        .route("order.*", "orders")
        .handle("orders", move |event: OrderPaid| {
            let count = Arc::clone(&count);
            async move {
                *count.lock().unwrap().entry(event.order).or_default() += 1;
                Ok(())
            }
        })
        .transport(bridge)
        .start()
        .await
        .unwrap();
    (yard, handled)
}

fn both_ways(transport: impl Transport) -> Bridge {
    Bridge::new("shop", Arc::new(transport)).sends("#").receives("#")
}

/// Waits until `done`.
async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect(what);
}

async fn report(yard: &Yard) -> TransportReport {
    yard.transports().await.remove(0)
}

async fn handles(handled: &Handled, orders: &[&str]) {
    until("the orders are handled", async || handled.lock().unwrap().len() >= orders.len()).await;
    let expected: BTreeMap<_, _> = orders.iter().map(|order| ((*order).to_owned(), 1)).collect();
    assert_eq!(*handled.lock().unwrap(), expected, "each order once");
}

#[tokio::test]
async fn each_side_handles_each_event_once() {
    let broker = broker();
    // Two groups: every application gets every event.
    let (a, at_a) = yard("a", both_ways(broker.transport("a"))).await;
    let (b, at_b) = yard("b", both_ways(broker.transport("b"))).await;
    until("both listen", async || report(&a).await.status.groups.len() == 2).await;
    a.publish(paid("1")).await.unwrap();
    b.publish(paid("2")).await.unwrap();
    handles(&at_a, &["1", "2"]).await;
    handles(&at_b, &["1", "2"]).await;
    // Neither echoes what it got: each has sent its own alone.
    until("everything is sent", async || report(&a).await.status.published == 1).await;
    until("everything is sent", async || report(&b).await.status.published == 1).await;
    let (a_says, b_says) = (report(&a).await, report(&b).await);
    assert_eq!((a_says.committed, b_says.committed), (1, 1), "{a_says:?} {b_says:?}");
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test]
async fn an_event_that_comes_twice_is_handled_once() {
    let broker = broker();
    let (b, at_b) = yard("b", both_ways(broker.transport("b"))).await;
    let there = broker.transport("elsewhere");
    until("it listens", async || report(&b).await.status.groups.len() == 1).await;
    let json = r#"{"order":"1"}"#;
    let event = Envelope::new("order.paid", "x", b.clock().now(), json);
    for _ in 0..3 {
        there.publish(&[Arc::new(event.clone())]).await.unwrap();
    }
    until("all came", async || report(&b).await.duplicates == 2).await;
    handles(&at_b, &["1"]).await;
    assert_eq!(report(&b).await.status.groups[0].pending, 0, "all are acknowledged");
    b.shutdown().await;
}

#[tokio::test]
async fn an_event_that_breaks_its_schema_is_a_dead_letter_with_the_field() {
    let broker = broker();
    let (b, at_b) = yard("b", both_ways(broker.transport("b"))).await;
    let there = broker.transport("elsewhere");
    until("it listens", async || report(&b).await.status.groups.len() == 1).await;
    let event =
        |json: &'static str| Arc::new(Envelope::new("order.paid", "x", b.clock().now(), json));
    there.publish(&[event(r#"{"ordre":"1"}"#), event(r#"{"order":"2"}"#)]).await.unwrap();
    handles(&at_b, &["2"]).await;
    until("it is given up", async || report(&b).await.rejected == 1).await;
    let dead = broker.dead_letters("b");
    assert!(dead[0].1.contains("order"), "the reason names the field: {}", dead[0].1);
    b.shutdown().await;
}

#[tokio::test]
async fn what_may_be_missing_is_told() {
    let broker = broker();
    let ears = Broadcast(broker.transport("b"));
    let (b, _) = yard("b", both_ways(ears)).await;
    let there = broker.transport("elsewhere");
    until("it listens", async || {
        let event = Envelope::new("order.paid", "x", b.clock().now(), r#"{"order":"1"}"#);
        there.publish(&[Arc::new(event)]).await.unwrap();
        report(&b).await.committed > 0
    })
    .await;
    assert_eq!(report(&b).await.last_gap, None);
    broker.interrupt();
    until("the gap is told", async || report(&b).await.last_gap.is_some()).await;
    b.shutdown().await;
}

#[tokio::test]
async fn what_goes_out_waits_for_the_broker_however_long() {
    let broker = broker();
    let away = Arc::new(AtomicBool::new(true));
    let flaky = Flaky { inner: broker.transport("a"), away: Arc::clone(&away) };
    let (a, _) = yard("a", Bridge::new("shop", Arc::new(flaky)).sends("order.*")).await;
    let group = Group { name: "g".to_owned(), patterns: vec![Pattern::new("#").unwrap()] };
    let there = broker.transport("elsewhere");
    let mut heard = there.consume(Subscription::in_group(group, "c")).await.unwrap();
    let id = EventId::new("e-1").unwrap();
    a.publish(WithAttributes::new(paid("1")).id(id.clone())).await.unwrap();
    let key = JobKey { queue: QueueName::new("outbox-shop").unwrap(), id: JobId::from(id) };
    until("it was tried", async || {
        let job = a.inspect().job(&key).await.unwrap().unwrap();
        job.state == JobState::Delayed
    })
    .await;
    away.store(false, Ordering::Release);
    let delivered = tokio::time::timeout(Duration::from_secs(20), heard.next()).await.unwrap();
    assert!(delivered.is_some(), "it arrives when the broker is back");
    let job = async || a.inspect().job(&key).await.unwrap().unwrap();
    until("it is done", async || job().await.state == JobState::Completed).await;
    assert_eq!(
        job().await.job.attempts_made,
        1,
        "the tries while the broker was away do not count"
    );
    a.shutdown().await;
}

#[tokio::test]
async fn an_event_that_only_goes_out_keeps_its_default_handler() {
    let broker = broker();
    let handled = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&handled);
    let yard = Eventyard::in_memory()
        .on_event(move |_: OrderPaid| {
            told.store(true, Ordering::Release);
            async { Ok::<(), eventyard::JobError>(()) }
        })
        .transport(Bridge::new("shop", Arc::new(broker.transport("a"))).sends("#"))
        .start()
        .await
        .unwrap();
    let published = yard.publish(paid("1")).await.unwrap();
    let queues: Vec<_> = published.jobs.iter().map(|job| job.queue.to_string()).collect();
    assert_eq!(queues, ["domain-events", "outbox-shop"]);
    until("it is handled", async || handled.load(Ordering::Acquire)).await;
    yard.shutdown().await;
}

#[tokio::test]
async fn a_bridge_that_makes_no_sense_is_refused() {
    let broker = broker();
    let bridge = |name: &str| Bridge::new(name, Arc::new(broker.transport("a")));
    let ears = Arc::new(Broadcast(broker.transport("a")));
    let error = Eventyard::in_memory()
        .transport(bridge("one"))
        .transport(bridge("two").sends("a*").receives("#"))
        .transport(bridge("no way").sends("#"))
        .transport(Bridge::new("ears", ears).receives("#").group("g"))
        .start()
        .await
        .map(|_| ())
        .unwrap_err();
    let Error::Setup(mistakes) = error else { panic!("{error}") };
    for (part, index) in
        [("`one`: it neither", 0), ("`a*`", 1), ("no way", 2), ("has no groups", 3)]
    {
        assert!(mistakes[index].contains(part), "{mistakes:?}");
    }
}

/// The broadcast side of a transport.
struct Broadcast(MemoryTransport);

#[async_trait]
impl Transport for Broadcast {
    fn capabilities(&self) -> TransportCapabilities {
        TransportCapabilities { groups: false, ..self.0.capabilities() }
    }
    async fn declare(&self, topology: &Topology) -> Result<(), TransportError> {
        self.0.declare(topology).await
    }
    async fn publish(
        &self,
        events: &[Arc<Envelope>],
    ) -> Result<Vec<Result<(), TransportError>>, TransportError> {
        self.0.publish(events).await
    }
    async fn consume(&self, subscription: Subscription) -> Result<Deliveries, TransportError> {
        self.0.consume(subscription).await
    }
    async fn status(&self) -> Result<TransportStatus, TransportError> {
        self.0.status().await
    }
    async fn close(&self) {
        self.0.close().await;
    }
}

/// A transport whose broker is away for a time.
struct Flaky {
    inner: MemoryTransport,
    away: Arc<AtomicBool>,
}

#[async_trait]
impl Transport for Flaky {
    fn capabilities(&self) -> TransportCapabilities {
        self.inner.capabilities()
    }
    async fn declare(&self, topology: &Topology) -> Result<(), TransportError> {
        self.inner.declare(topology).await
    }
    async fn publish(
        &self,
        events: &[Arc<Envelope>],
    ) -> Result<Vec<Result<(), TransportError>>, TransportError> {
        if self.away.load(Ordering::Acquire) {
            return Err(TransportError::new(TransportErrorKind::Unavailable, "the broker is away"));
        }
        self.inner.publish(events).await
    }
    async fn consume(&self, subscription: Subscription) -> Result<Deliveries, TransportError> {
        self.inner.consume(subscription).await
    }
    async fn status(&self) -> Result<TransportStatus, TransportError> {
        self.inner.status().await
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}
