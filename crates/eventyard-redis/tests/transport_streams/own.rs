//! What the Streams transport alone does: processes that die, servers that restart, entries of others.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use eventyard_core::{
    Event, Pattern, Timestamp, Transport,
    transport::{Delivered, Deliveries, Delivery, Gap, Group, Subscription, Topology},
};
use eventyard_redis::{
    connect::{Connections, Options},
    streams::{RedisStreams, StreamsOptions},
};

use super::{MAX_DELIVERIES, server::RedisServer, transport};

const SOON: Duration = Duration::from_secs(30);
/// Tells a child process which Redis to hoard from.
const CHILD: &str = "EVENTYARD_TEST_HOARDER";
/// Long enough that a busy machine is not taken for a dead process.
const CLAIM_AFTER: Duration = Duration::from_secs(2);
/// How many entries the child takes.
const HOARD: usize = 50;

fn group() -> Group {
    Group { name: "g".to_owned(), patterns: vec![Pattern::new("#").unwrap()] }
}

fn member(consumer: &str) -> Subscription {
    Subscription::in_group(group(), consumer)
}

async fn next(deliveries: &mut Deliveries) -> Delivered {
    let waiting = tokio::time::timeout(SOON, deliveries.next());
    waiting.await.expect("something comes in time").expect("the subscription goes on")
}

async fn hear(deliveries: &mut Deliveries) -> Delivery {
    match next(deliveries).await {
        Delivered::Event(delivery) => delivery,
        Delivered::Gap(gap) => panic!("nothing is missing here: {gap}"),
    }
}

async fn hear_gap(deliveries: &mut Deliveries) -> Gap {
    loop {
        if let Delivered::Gap(gap) = next(deliveries).await {
            return gap;
        }
    }
}

fn event(n: usize) -> Arc<Event> {
    let time = Timestamp::from_millis(1_800_000_000_000);
    Arc::new(Event::new("order.paid", "tests", time, format!(r#"{{"n":{n}}}"#)))
}

/// Publishes until every event was taken.
async fn publish(on: &RedisStreams, events: &[Arc<Event>]) -> BTreeSet<String> {
    let publishing = async {
        for event in events {
            while !matches!(on.publish(std::slice::from_ref(event)).await.as_deref(), Ok([Ok(())]))
            {
            }
        }
    };
    tokio::time::timeout(SOON, publishing).await.expect("redis takes them in time");
    events.iter().map(|event| event.id.to_string()).collect()
}

/// The entries of a stream, as `redis-cli` would show them.
async fn entries(server: &RedisServer, stream: &str) -> Vec<BTreeMap<String, String>> {
    let connections = Connections::new(server.url().parse().unwrap(), Options::default());
    let mut range = redis::cmd("XRANGE");
    range.arg(stream).arg("-").arg("+");
    let answer: Vec<(String, BTreeMap<String, String>)> =
        range.query_async(&mut connections.shared()).await.unwrap();
    answer.into_iter().map(|(_, fields)| fields).collect()
}

/// The body of the child process of `a_consumer_that_is_killed…`; nothing when it runs as a test.
#[tokio::test]
async fn hoarder() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let connections = Connections::new(url.parse().unwrap(), Options::default());
    let options = StreamsOptions { claim_after: CLAIM_AFTER, ..StreamsOptions::new("hoarder") };
    let hoarder = RedisStreams::new(connections, options);
    let mut deliveries = hoarder.consume(member("hoarder").prefetch(1)).await.unwrap();
    let mut held = Vec::new();
    while held.len() < HOARD {
        held.push(hear(&mut deliveries).await);
    }
    println!("holding {HOARD}");
    std::future::pending::<()>().await;
}

/// A process that takes entries and handles none. It is killed when it is dropped.
struct Hoarder(Child);

impl Hoarder {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Hoarder {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a process that takes entries and handles none; returns when it has them.
fn start_hoarder(server: &RedisServer) -> Hoarder {
    let mut hoarder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "own::hoarder", "--nocapture"])
        .env(CHILD, server.url())
        .stdout(Stdio::piped())
        .spawn()
        .map(Hoarder)
        .unwrap();
    let mut lines = BufReader::new(hoarder.0.stdout.take().unwrap()).lines();
    let holds = lines.any(|line| line.unwrap().contains("holding"));
    assert!(holds, "the child process takes its entries");
    hoarder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_is_killed_with_entries_pending_loses_none() {
    let server = RedisServer::start();
    let publisher = transport(&server, "publisher");
    publisher.declare(&Topology { groups: vec![group()] }).await.unwrap();
    let events: Vec<_> = (0..300).map(event).collect();
    let published = publish(&publisher, &events).await;
    let mut hoarder = start_hoarder(&server);

    let patient = |node: &str| {
        let connections = Connections::new(server.url().parse().unwrap(), Options::default());
        let options = StreamsOptions { claim_after: CLAIM_AFTER, ..StreamsOptions::new(node) };
        RedisStreams::new(connections, options)
    };
    let (b, c) = (patient("b"), patient("c"));
    let mut at_b = b.consume(member("b")).await.unwrap();
    let mut at_c = c.consume(member("c")).await.unwrap();
    let (mut handled, mut taken_over) = (BTreeSet::new(), 0);
    let mut killed = false;
    while handled.len() < published.len() {
        let delivery = tokio::select! {
            delivery = hear(&mut at_b) => delivery,
            delivery = hear(&mut at_c) => delivery,
        };
        taken_over += usize::from(delivery.attempt > 1);
        assert!(handled.insert(delivery.event.id.to_string()), "each is handled once");
        delivery.ack().await.unwrap();
        // It has fetched one more ahead, or not yet.
        if handled.len() == published.len() - HOARD - 1 {
            hoarder.kill();
            killed = true;
        }
    }
    assert!(killed, "nobody takes what a living consumer works on");
    assert_eq!(handled, published);
    assert!((HOARD..=HOARD + 1).contains(&taken_over), "{taken_over}");
    let group = &b.status().await.unwrap().groups[0];
    assert_eq!((group.pending, group.lag), (0, Some(0)));
}

#[tokio::test]
async fn a_restart_of_redis_in_the_middle_loses_nothing() {
    let mut server = RedisServer::start();
    let (a, b) = (transport(&server, "a"), transport(&server, "b"));
    let mut deliveries = b.consume(member("b")).await.unwrap();
    let mut expected = BTreeSet::new();
    for round in 0..3 {
        let events: Vec<_> = (0..20).map(|n| event(round * 20 + n)).collect();
        expected.extend(publish(&a, &events).await);
        match round {
            0 => server.restart(),
            // Redis has written what it acknowledged; a crash of its process does not lose that.
            1 => {
                server.kill();
                server.restart();
            }
            _ => {}
        }
    }
    while !expected.is_empty() {
        let delivery = hear(&mut deliveries).await;
        let id = delivery.event.id.to_string();
        if delivery.ack().await.is_ok() {
            expected.remove(&id);
        }
    }
    assert!(b.status().await.unwrap().connected);
}

#[tokio::test]
async fn what_is_worked_on_for_long_stays_with_its_member() {
    let server = RedisServer::start();
    let (a, b, c) = (transport(&server, "a"), transport(&server, "b"), transport(&server, "c"));
    let mut at_b = b.consume(member("b")).await.unwrap();
    publish(&a, &[event(1)]).await;
    let slow = hear(&mut at_b).await;
    let mut at_c = c.consume(member("c")).await.unwrap();
    publish(&a, &[event(2)]).await;
    // Whoever gets the second lets it go twice: the time in which the first would have been taken over.
    for attempt in 1..=2 {
        let other = tokio::select! {
            other = hear(&mut at_b) => other,
            other = hear(&mut at_c) => other,
        };
        assert_eq!((other.attempt, &*other.event.data), (attempt, &br#"{"n":2}"#[..]));
    }
    slow.ack().await.unwrap();
}

#[tokio::test]
async fn what_other_services_append_is_handled() {
    let server = RedisServer::start();
    let transport = transport(&server, "a");
    let mut deliveries = transport.consume(member("a")).await.unwrap();
    server.command("XADD events 5-1 event ORDER_CREATED orderId 456 total 9.5");
    let first = hear(&mut deliveries).await;
    assert_eq!(
        (first.event.kind.as_str(), first.event.id.as_str()),
        ("ORDER_CREATED", "events/5-1")
    );
    assert_eq!(first.event.data, r#"{"orderId":"456","total":"9.5"}"#);
    drop(first);
    let again = hear(&mut deliveries).await;
    assert_eq!(again.event.id.as_str(), "events/5-1", "it is known when it comes again");
    again.ack().await.unwrap();
    server.command(r#"XADD events * payload '{"name":"user.login","data":{"a":1}}'"#);
    assert_eq!(hear(&mut deliveries).await.event.kind, "user.login");
}

#[tokio::test]
async fn dead_letters_carry_the_entry_and_the_reason() {
    let server = RedisServer::start();
    let (a, b) = (transport(&server, "a"), transport(&server, "b"));
    let mut deliveries = b.consume(member("b")).await.unwrap();
    server.command("XADD events 5-1 colour red");
    publish(&a, &[event(1)]).await;
    for _ in 0..MAX_DELIVERIES {
        hear(&mut deliveries).await.nack().await.unwrap();
    }
    publish(&a, &[event(2)]).await;
    hear(&mut deliveries).await.reject("data.n must be odd").await.unwrap();
    // What comes after this one was seen when the dead letters were made.
    publish(&a, &[event(3)]).await;
    drop(hear(&mut deliveries).await);
    hear(&mut deliveries).await.ack().await.unwrap();
    let mut dead = entries(&server, "events.dlq").await;
    dead.sort_by_key(|fields| fields["eventyard.reason"].clone());
    let told: Vec<_> = dead
        .iter()
        .map(|fields| {
            (fields["eventyard.reason"].as_str(), fields["eventyard.deliveries"].as_str())
        })
        .collect();
    assert_eq!(told[0], ("data.n must be odd", "1"));
    assert_eq!(told[1].0, "it is no event: the attribute `name` is missing");
    assert_eq!(told[2], ("it was delivered 3 times and never acknowledged", "3"));
    assert_eq!(dead[1]["colour"], "red", "the entry is kept as it was");
    assert_eq!(
        (dead[1]["eventyard.entry"].as_str(), dead[1]["eventyard.group"].as_str()),
        ("5-1", "g")
    );
    assert!(dead[2]["cloudevent"].contains("order.paid"));
    let status = b.status().await.unwrap();
    assert_eq!((status.dead_letters, status.dead_lettered, status.malformed), (Some(3), 3, 1));
}

#[tokio::test]
async fn what_is_trimmed_before_it_was_handled_is_told() {
    let server = RedisServer::start();
    let (a, b) = (transport(&server, "a"), transport(&server, "b"));
    let mut deliveries = b.consume(member("b")).await.unwrap();
    publish(&a, &[event(1)]).await;
    let held = hear(&mut deliveries).await;
    server.command("XTRIM events MAXLEN 0");
    drop(held);
    let gap = hear_gap(&mut deliveries).await;
    assert_eq!(gap.lost, Some(1), "{gap}");
    assert_eq!(b.status().await.unwrap().groups[0].pending, 0);
}

#[tokio::test]
async fn a_stream_keeps_as_much_as_it_is_told_to() {
    let server = RedisServer::start();
    let connections = Connections::new(server.url().parse().unwrap(), Options::default());
    let options = StreamsOptions { max_len: Some(100), ..StreamsOptions::new("a") };
    let a = RedisStreams::new(connections, options);
    let events: Vec<_> = (0..1000).map(event).collect();
    a.publish(&events).await.unwrap();
    let kept = entries(&server, "events").await.len();
    // Redis trims whole nodes of a hundred entries.
    assert!((100..300).contains(&kept), "{kept}");
}

#[tokio::test]
async fn a_group_that_redis_has_lost_is_made_again() {
    let server = RedisServer::start();
    let (a, b) = (transport(&server, "a"), transport(&server, "b"));
    let mut deliveries = b.consume(member("b")).await.unwrap();
    server.command("FLUSHALL");
    let expected = publish(&a, &[event(1)]).await;
    hear_gap(&mut deliveries).await;
    let delivery = hear(&mut deliveries).await;
    assert!(expected.contains(delivery.event.id.as_str()), "what came since is handled");
    delivery.ack().await.unwrap();
}

#[tokio::test]
async fn a_member_that_leaves_is_forgotten_unless_it_holds_something() {
    let server = RedisServer::start();
    let (a, b) = (transport(&server, "a"), transport(&server, "b"));
    let deliveries = b.consume(member("idle")).await.unwrap();
    drop(deliveries);
    let gone = async {
        while a.status().await.unwrap().groups[0].consumers > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, gone).await.expect("a member that holds nothing is forgotten");
    let mut holding = b.consume(member("holding")).await.unwrap();
    publish(&a, &[event(1)]).await;
    drop(hear(&mut holding).await);
    drop(holding);
    let mut other = a.consume(member("other").hearing_own()).await.unwrap();
    assert_eq!(hear(&mut other).await.attempt, 2, "what it held was not forgotten with it");
}

#[tokio::test]
async fn a_cluster_keeps_stream_and_dead_letters_together() {
    let server = RedisServer::start_with(&["cluster-enabled yes"]);
    server.command("CLUSTER ADDSLOTSRANGE 0 16383");
    let formed = async {
        while !server.command("CLUSTER INFO").contains("cluster_state:ok") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, formed).await.expect("the cluster serves in time");
    let url = format!("redis+cluster://127.0.0.1:{}", server.port());
    let node = |name: &str| {
        let connections = Connections::new(url.parse().unwrap(), Options::default());
        RedisStreams::new(connections, StreamsOptions::new(name))
    };
    let (a, b) = (node("a"), node("b"));
    let mut deliveries = b.consume(member("b")).await.unwrap();
    publish(&a, &[event(1), event(2)]).await;
    hear(&mut deliveries).await.ack().await.unwrap();
    hear(&mut deliveries).await.reject("no").await.unwrap();
    let status = b.status().await.unwrap();
    assert_eq!((status.dead_letters, status.groups[0].pending), (Some(1), 0));
}
