//! What every subscription without a group hears.

use eventyard_core::transport::Subscription;

use super::{
    Fixture,
    fixture::{handle, hear, hear_gap, patterns, publish, publish_stubbornly},
};

fn all() -> Subscription {
    Subscription::broadcast(patterns(&["#"]))
}

/// Each of several subscriptions, on one node or on many, hears each event.
pub async fn every_subscription_hears(fixture: &Fixture) {
    let Some([a, b]) = fixture.broadcasting().await else { return };
    let c = fixture.node("c").await;
    let mut first = b.consume(all()).await.unwrap();
    let mut second = b.consume(all()).await.unwrap();
    let mut third = c.consume(all()).await.unwrap();
    let published = publish(&a, "order.paid", 3).await;
    for deliveries in [&mut first, &mut second, &mut third] {
        assert_eq!(handle(deliveries, 3).await, published);
    }
}

/// What a node published does not come back to it, however it is called elsewhere.
pub async fn own_events_are_not_heard(fixture: &Fixture) {
    let Some([a, b]) = fixture.broadcasting().await else { return };
    let mut at_a = a.consume(all()).await.unwrap();
    let mut at_b = b.consume(all()).await.unwrap();
    let own = publish(&a, "order.paid", 2).await;
    assert_eq!(handle(&mut at_b, 2).await, own);
    let others = publish(&b, "order.paid", 1).await;
    assert_eq!(handle(&mut at_a, 1).await, others, "the first that comes is not its own");
}

/// A node may ask for its own events.
pub async fn own_events_are_heard_on_request(fixture: &Fixture) {
    let Some([a, _]) = fixture.broadcasting().await else { return };
    let mut deliveries = a.consume(all().hearing_own()).await.unwrap();
    let own = publish(&a, "order.paid", 2).await;
    assert_eq!(handle(&mut deliveries, 2).await, own);
}

/// The patterns of a subscription choose.
pub async fn only_events_that_match(fixture: &Fixture) {
    let Some([a, b]) = fixture.broadcasting().await else { return };
    let wanted = Subscription::broadcast(patterns(&["order.*", "user.created"]));
    let mut deliveries = b.consume(wanted).await.unwrap();
    for kind in ["order", "order.paid", "user.deleted", "user.created"] {
        publish(&a, kind, 1).await;
    }
    assert_eq!(hear(&mut deliveries).await.event.kind, "order.paid");
    assert_eq!(hear(&mut deliveries).await.event.kind, "user.created");
}

/// Events of one publisher are heard in order.
pub async fn in_the_order_of_publishing(fixture: &Fixture) {
    let Some([a, b]) = fixture.broadcasting().await else { return };
    let mut deliveries = b.consume(all()).await.unwrap();
    let mut published = publish(&a, "order.paid", 20).await;
    published.extend(publish(&a, "order.sent", 20).await);
    assert_eq!(handle(&mut deliveries, 40).await, published);
}

/// A subscription hears nothing from before it.
pub async fn nothing_from_before(fixture: &Fixture) {
    let Some([a, b]) = fixture.broadcasting().await else { return };
    publish(&a, "order.paid", 3).await;
    let mut deliveries = b.consume(all()).await.unwrap();
    let later = publish(&a, "order.paid", 1).await;
    assert_eq!(handle(&mut deliveries, 1).await, later);
}

/// A subscription that lost its connection says so, and hears again.
pub async fn an_interruption_is_told(fixture: &Fixture) {
    let Some([a, b]) = fixture.broadcasting().await else { return };
    let mut deliveries = b.consume(all()).await.unwrap();
    let before = publish(&a, "order.paid", 1).await;
    assert_eq!(handle(&mut deliveries, 1).await, before);
    if !fixture.interrupt().await {
        return;
    }
    let gap = hear_gap(&mut deliveries).await;
    assert!(gap.since.is_none_or(|since| since <= gap.until), "{gap}");
    let after = publish_stubbornly(&a, "order.sent").await;
    // A try that seemed to fail may have been heard as well.
    loop {
        let heard = hear(&mut deliveries).await;
        assert_eq!(heard.event.kind, "order.sent");
        if heard.event.id.as_str() == after {
            break;
        }
    }
    assert_eq!(b.status().await.unwrap().gaps, 1);
}
