//! The pub/sub transport passes the suite, and what is its own.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod server;

use std::sync::Arc;

use eventyard_conformance::{transport::Fixture, transport_suite};
use eventyard_redis::{
    connect::{Connections, Options},
    pubsub::{PubSubOptions, RedisPubSub},
};
use server::RedisServer;

fn transport(server: &RedisServer, node: &str) -> RedisPubSub {
    let connections = Connections::new(server.url().parse().unwrap(), Options::default());
    RedisPubSub::new(connections, PubSubOptions::new(node))
}

async fn pubsub() -> Fixture {
    let server = Arc::new(RedisServer::start());
    let (there, cut) = (Arc::clone(&server), Arc::clone(&server));
    Fixture::new(0, move |node| {
        let transport = transport(&there, node);
        Box::pin(async move { Arc::new(transport) as _ })
    })
    .interrupted_by(move || {
        cut.command("CLIENT KILL TYPE pubsub");
        cut.command("CLIENT KILL TYPE normal SKIPME yes");
        Box::pin(async {})
    })
    .holding(server)
}

transport_suite!(pubsub);

mod own {
    use std::{sync::Arc, time::Duration};

    use eventyard_core::{
        Event, Pattern, Timestamp, Transport,
        transport::{Delivered, Deliveries, Delivery, Gap, Subscription, wire::Format},
    };
    use eventyard_redis::{
        connect::{Connections, Options},
        pubsub::{PubSubOptions, RedisPubSub},
    };

    use super::{server::RedisServer, transport};

    fn all() -> Subscription {
        Subscription::broadcast(vec![Pattern::new("#").unwrap()])
    }

    async fn next(deliveries: &mut Deliveries) -> Delivered {
        let waiting = tokio::time::timeout(Duration::from_secs(20), deliveries.next());
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

    fn event(kind: &str) -> Arc<Event> {
        Arc::new(Event::new(kind, "tests", Timestamp::from_millis(5), r#"{"n":1}"#))
    }

    #[tokio::test]
    async fn what_other_services_publish_is_heard_and_what_is_no_event_is_skipped() {
        let server = RedisServer::start();
        let transport = transport(&server, "a");
        let mut deliveries = transport.consume(all()).await.unwrap();
        let publish = |message: &str| server.command(&format!("PUBLISH events '{message}'"));
        publish(
            r#"{"id":"evt-1","name":"user.registered","data":{"userId":"u1"},"timestamp":"2026-01-01T00:00:00Z","source":"users"}"#,
        );
        publish("ping");
        publish(r#"{"userId":"u2"}"#);
        publish(r#"{"eventType":"booking.created","eventId":"b-1","data":{"bookingId":"1"}}"#);
        let first = hear(&mut deliveries).await;
        assert_eq!(
            (first.event.kind.as_str(), first.event.id.as_str()),
            ("user.registered", "evt-1")
        );
        assert_eq!((first.event.source.as_str(), first.node), ("users", None));
        let second = hear(&mut deliveries).await.event;
        assert_eq!((second.kind.as_str(), second.id.as_str()), ("booking.created", "b-1"));
        assert_eq!(second.source, "events", "the channel speaks for who does not name himself");
        assert_eq!(transport.status().await.unwrap().malformed, 2);
    }

    #[tokio::test]
    async fn services_that_know_no_cloud_events_can_read_the_plain_form() {
        let server = RedisServer::start();
        let connections = Connections::new(server.url().parse().unwrap(), Options::default());
        let options = PubSubOptions { format: Format::Plain, ..PubSubOptions::new("a") };
        let sender = RedisPubSub::new(connections.clone(), options);
        let mut listener = connections.pubsub().await.unwrap();
        listener.subscribe("events").await.unwrap();
        sender.publish(&[event("order.paid")]).await.unwrap();
        let mut messages = listener.on_message();
        let heard = futures_util::StreamExt::next(&mut messages).await.unwrap();
        let message: serde_json::Value = serde_json::from_slice(heard.get_payload_bytes()).unwrap();
        assert_eq!((&message["name"], &message["data"]["n"]), (&"order.paid".into(), &1.into()));
        assert_eq!(message["timestamp"], "1970-01-01T00:00:00.005Z");
    }

    #[tokio::test]
    async fn two_nodes_give_a_message_without_an_id_the_same_one() {
        let server = RedisServer::start();
        let (a, b) = (transport(&server, "a"), transport(&server, "b"));
        let mut at_a = a.consume(all()).await.unwrap();
        let mut at_b = b.consume(all()).await.unwrap();
        server.command(r#"PUBLISH events '{"name":"n","data":1,"timestamp":1700000000000}'"#);
        let ids = (hear(&mut at_a).await.event.id, hear(&mut at_b).await.event.id);
        assert_eq!(ids.0, ids.1, "nodes that share a store publish it once");
    }

    #[tokio::test]
    async fn a_restart_of_redis_is_told_and_survived() {
        let mut server = RedisServer::start();
        let (a, b) = (transport(&server, "a"), transport(&server, "b"));
        let mut deliveries = b.consume(all()).await.unwrap();
        a.publish(&[event("before")]).await.unwrap();
        assert_eq!(hear(&mut deliveries).await.event.kind, "before");
        server.restart();
        let gap = hear_gap(&mut deliveries).await;
        assert!(gap.since.is_some() && gap.lost.is_none(), "nobody knows how many: {gap}");
        let published = async { while a.publish(&[event("after")]).await.is_err() {} };
        tokio::time::timeout(Duration::from_secs(20), published).await.unwrap();
        assert_eq!(hear(&mut deliveries).await.event.kind, "after");
        let status = b.status().await.unwrap();
        assert!(status.connected && status.gaps == 1, "{status:?}");
    }

    #[tokio::test]
    async fn a_slow_subscriber_misses_what_finds_no_room_and_is_told_how_much() {
        let server = RedisServer::start();
        let connections = Connections::new(server.url().parse().unwrap(), Options::default());
        let options = PubSubOptions { buffer: 10, ..PubSubOptions::new("b") };
        let slow = RedisPubSub::new(connections, options);
        let mut deliveries = slow.consume(all().prefetch(1)).await.unwrap();
        let quick = transport(&server, "a");
        quick.publish(&vec![event("n"); 50]).await.unwrap();
        // It has heard them all, or dropped them, when it answers to this one.
        let mut witness = slow.consume(all()).await.unwrap();
        quick.publish(&[event("last")]).await.unwrap();
        assert_eq!(hear(&mut witness).await.event.kind, "last");
        let heard = async {
            let mut heard = 0;
            loop {
                match next(&mut deliveries).await {
                    Delivered::Event(_) => heard += 1,
                    Delivered::Gap(gap) => return (heard, gap.lost.unwrap()),
                }
            }
        };
        let (heard, lost) = heard.await;
        assert!(heard >= 10 && heard + lost >= 50, "heard {heard}, lost {lost}");
    }
}
