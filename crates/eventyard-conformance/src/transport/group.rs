//! What the members of a group share.

use std::collections::BTreeSet;

use eventyard_core::transport::Subscription;

use super::{
    Fixture,
    fixture::{
        group_of, groups, handle, hear, member, patterns, publish, publish_stubbornly, stands,
    },
};

/// Two members share the events: each goes to one of them, and all are handled.
pub async fn each_event_goes_to_one_member(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let c = fixture.node("c").await;
    let mut first = b.consume(member("g", "b-1").prefetch(1)).await.unwrap();
    let mut second = c.consume(member("g", "c-1").prefetch(1)).await.unwrap();
    let published = publish(&a, "order.paid", 10).await;
    let mut heard = Vec::new();
    while heard.len() < published.len() {
        let delivery = tokio::select! {
            delivery = hear(&mut first) => delivery,
            delivery = hear(&mut second) => delivery,
        };
        assert_eq!(delivery.attempt, 1, "nobody has had it before");
        heard.push(delivery.event.id.to_string());
        delivery.ack().await.unwrap();
    }
    let distinct: BTreeSet<_> = heard.iter().collect();
    assert_eq!(distinct.len(), published.len(), "each went to one member");
    assert_eq!(distinct, published.iter().collect());
}

/// Groups do not take from each other.
pub async fn every_group_gets_each_event(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let mut first = b.consume(member("first", "b")).await.unwrap();
    let mut second = b.consume(member("second", "b")).await.unwrap();
    let published = publish(&a, "order.paid", 3).await;
    assert_eq!(handle(&mut first, 3).await, published);
    assert_eq!(handle(&mut second, 3).await, published);
}

/// What is published while nobody consumes waits for the group.
pub async fn a_declared_group_keeps_events(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    a.declare(&groups(&["g"])).await.unwrap();
    let published = publish(&a, "order.paid", 3).await;
    let mut deliveries = b.consume(member("g", "b")).await.unwrap();
    assert_eq!(handle(&mut deliveries, 3).await, published);
}

/// Declaring is idempotent: it neither fails nor forgets.
pub async fn declaring_again_changes_nothing(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    a.declare(&groups(&["g", "h"])).await.unwrap();
    let published = publish(&a, "order.paid", 2).await;
    b.declare(&groups(&["h", "g"])).await.unwrap();
    let mut deliveries = b.consume(member("g", "b")).await.unwrap();
    assert_eq!(handle(&mut deliveries, 1).await, published[..1]);
    a.declare(&groups(&["g"])).await.unwrap();
    assert_eq!(handle(&mut deliveries, 1).await, published[1..]);
}

/// The patterns of a group choose.
pub async fn only_events_that_match(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let wanted = group_of("g", &["order.*"]);
    let mut deliveries = b.consume(Subscription::in_group(wanted, "b")).await.unwrap();
    for kind in ["user.created", "order.paid", "order", "order.sent"] {
        publish(&a, kind, 1).await;
    }
    for kind in ["order.paid", "order.sent"] {
        let delivery = hear(&mut deliveries).await;
        assert_eq!(delivery.event.kind, kind);
        delivery.ack().await.unwrap();
    }
    assert_eq!(stands(&b, "g").await.pending, 0, "what does not match is not left lying about");
}

/// A node that gets its own event in a group has handled it already.
pub async fn own_events_count_as_handled(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let mut deliveries = a.consume(member("g", "a")).await.unwrap();
    publish(&a, "order.paid", 2).await;
    let others = publish(&b, "order.paid", 1).await;
    assert_eq!(handle(&mut deliveries, 1).await, others);
    assert_eq!(stands(&a, "g").await.pending, 0);
}

/// A node may ask for its own events: the group is then its work queue.
pub async fn own_events_are_heard_on_request(fixture: &Fixture) {
    let Some([a, _]) = fixture.grouping().await else { return };
    let mut deliveries = a.consume(member("g", "a").hearing_own()).await.unwrap();
    let own = publish(&a, "order.paid", 2).await;
    assert_eq!(handle(&mut deliveries, 2).await, own);
}

/// The status tells how far a group is behind.
pub async fn the_lag_is_told(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    a.declare(&groups(&["g"])).await.unwrap();
    publish(&a, "order.paid", 3).await;
    let before = stands(&a, "g").await;
    assert!(before.lag.is_none_or(|lag| lag == 3), "{before:?}");
    assert_eq!(before.pending, 0);
    let mut deliveries = b.consume(member("g", "b")).await.unwrap();
    let held = hear(&mut deliveries).await;
    assert!(stands(&b, "g").await.pending >= 1, "one is in hand");
    held.ack().await.unwrap();
    handle(&mut deliveries, 2).await;
    let after = stands(&b, "g").await;
    assert!(after.lag.is_none_or(|lag| lag == 0), "{after:?}");
    assert_eq!((after.pending, after.consumers), (0, 1));
}

/// A group that lost its connection gets everything all the same.
pub async fn an_interruption_loses_nothing(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let subscription = Subscription::in_group(group_of("g", &["#"]), "b");
    assert_eq!(subscription.patterns, patterns(&["#"]));
    let mut deliveries = b.consume(subscription).await.unwrap();
    let mut expected: BTreeSet<_> = publish(&a, "order.paid", 3).await.into_iter().collect();
    if !fixture.interrupt().await {
        return;
    }
    expected.insert(publish_stubbornly(&a, "order.sent").await);
    while !expected.is_empty() {
        let delivery = hear(&mut deliveries).await;
        let id = delivery.event.id.to_string();
        // The acknowledgement may be what the interruption hits; the event then comes again.
        if delivery.ack().await.is_ok() {
            expected.remove(&id);
        }
    }
}
