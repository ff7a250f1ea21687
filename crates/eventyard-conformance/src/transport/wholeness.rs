//! That events arrive as they were, and are counted.

use std::sync::Arc;

use bytes::Bytes;
use eventyard_core::{
    Event, Timestamp, Transport,
    transport::{Deliveries, Subscription},
};

use super::{
    Fixture,
    fixture::{handle, hear, member, patterns, publish},
};

/// Listens in whatever way the transport has.
async fn listen(on: &Arc<dyn Transport>) -> Deliveries {
    let subscription = match on.capabilities().groups {
        true => member("g", "c"),
        false => Subscription::broadcast(patterns(&["#"])),
    };
    on.consume(subscription).await.unwrap()
}

/// Every attribute, and data of every kind.
pub async fn an_event_comes_out_as_it_went_in(fixture: &Fixture) {
    let (a, b) = (fixture.node("a").await, fixture.node("b").await);
    let mut deliveries = listen(&b).await;
    let time = Timestamp::from_millis(1_800_000_000_123);
    let mut whole = Event::new("order.paid", "orders/1", time, r#"{"ä":[1,2.5,null,"\""]}"#);
    whole.subject = Some("o-1".to_owned());
    whole.correlation_id = Some("story".to_owned());
    whole.causation_id = Some("before".to_owned());
    whole.version = Some(3);
    whole.data_schema = Some("https://example.com/order".to_owned());
    whole.extensions.insert("tenant".to_owned(), "acme".into());
    whole.extensions.insert("retries".to_owned(), 3.into());
    let mut binary = Event::new("photo.taken", "camera", time, Bytes::from_static(&[0, 255, 10]));
    binary.data_content_type = Some("image/png".to_owned());
    let empty = Event::new("tick", "clock", time, "");
    for event in [whole, binary, empty] {
        let answers = a.publish(&[Arc::new(event.clone())]).await.unwrap();
        assert!(answers[0].is_ok());
        let delivery = hear(&mut deliveries).await;
        assert_eq!(delivery.event, event);
        assert_eq!(delivery.node.as_deref(), Some("a"), "it says who published it");
        delivery.ack().await.unwrap();
    }
}

/// Publishing answers for each event, also for none.
pub async fn a_batch_is_answered_in_order(fixture: &Fixture) {
    let (a, b) = (fixture.node("a").await, fixture.node("b").await);
    let mut deliveries = listen(&b).await;
    assert!(a.publish(&[]).await.unwrap().is_empty());
    let published = publish(&a, "order.paid", 5).await;
    assert_eq!(handle(&mut deliveries, 5).await, published);
}

/// More events than are fetched at once.
pub async fn a_large_batch_arrives(fixture: &Fixture) {
    let (a, b) = (fixture.node("a").await, fixture.node("b").await);
    let mut deliveries = listen(&b).await;
    for _ in 0..10 {
        let published = publish(&a, "order.paid", 80).await;
        assert_eq!(handle(&mut deliveries, 80).await, published);
    }
}

/// The status counts what went through.
pub async fn what_is_counted(fixture: &Fixture) {
    let (a, b) = (fixture.node("a").await, fixture.node("b").await);
    let mut deliveries = listen(&b).await;
    publish(&a, "order.paid", 3).await;
    handle(&mut deliveries, 3).await;
    let (out, into) = (a.status().await.unwrap(), b.status().await.unwrap());
    assert!(out.connected && into.connected, "{:?} {:?}", out.problem, into.problem);
    assert_eq!((out.published, out.received), (3, 0));
    assert_eq!((into.published, into.received), (0, 3));
    assert_eq!((into.malformed, into.dead_lettered, into.gaps), (0, 0, 0));
}
