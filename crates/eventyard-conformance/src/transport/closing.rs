//! What a closed transport does.

use std::sync::Arc;

use eventyard_core::{
    Transport, TransportErrorKind,
    transport::{Subscription, Topology},
};

use super::{
    Fixture,
    fixture::{event, handle, member, patterns, publish},
};

fn any(on: &Arc<dyn Transport>) -> Subscription {
    match on.capabilities().groups {
        true => member("g", "c"),
        false => Subscription::broadcast(patterns(&["#"])),
    }
}

/// Every call says so, and closing again does nothing.
pub async fn a_closed_transport_refuses(fixture: &Fixture) {
    let a = fixture.node("a").await;
    a.close().await;
    a.close().await;
    let closed = TransportErrorKind::Closed;
    assert_eq!(a.publish(&[Arc::new(event("e", 0))]).await.unwrap_err().kind(), closed);
    assert_eq!(a.consume(any(&a)).await.unwrap_err().kind(), closed);
    assert_eq!(a.declare(&Topology::default()).await.unwrap_err().kind(), closed);
    assert_eq!(a.status().await.unwrap_err().kind(), closed);
}

/// Whoever waits for a delivery is told that none comes.
pub async fn closing_ends_subscriptions(fixture: &Fixture) {
    let a = fixture.node("a").await;
    let mut deliveries = a.consume(any(&a)).await.unwrap();
    let waiting = tokio::spawn(async move { deliveries.next().await.is_none() });
    tokio::task::yield_now().await;
    a.close().await;
    assert!(waiting.await.unwrap());
}

/// Other nodes go on.
pub async fn closing_is_for_one_node(fixture: &Fixture) {
    let (a, b, c) = (fixture.node("a").await, fixture.node("b").await, fixture.node("c").await);
    let mut deliveries = b.consume(any(&b)).await.unwrap();
    c.close().await;
    let published = publish(&a, "order.paid", 1).await;
    assert_eq!(handle(&mut deliveries, 1).await, published);
}
