//! What comes of events that are not acknowledged.

use super::{
    Fixture,
    fixture::{handle, hear, member, publish, stands},
};

/// What was acknowledged is over; what was not comes again in its stead.
pub async fn what_is_acked_does_not_come_again(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let mut deliveries = b.consume(member("g", "b")).await.unwrap();
    let published = publish(&a, "order.paid", 2).await;
    assert_eq!(handle(&mut deliveries, 1).await, published[..1]);
    drop(hear(&mut deliveries).await);
    let again = hear(&mut deliveries).await;
    assert_eq!(again.event.id.as_str(), published[1], "the first was acknowledged");
    assert_eq!(again.attempt, 2);
}

/// What was refused for now comes again, and says how often it came.
pub async fn what_is_nacked_comes_again(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let mut deliveries = b.consume(member("g", "b")).await.unwrap();
    let published = publish(&a, "order.paid", 1).await;
    let first = hear(&mut deliveries).await;
    assert_eq!(first.attempt, 1);
    first.nack().await.unwrap();
    let second = hear(&mut deliveries).await;
    assert_eq!((second.event.id.as_str(), second.attempt), (published[0].as_str(), 2));
    second.ack().await.unwrap();
    assert_eq!(stands(&b, "g").await.pending, 0);
}

/// A delivery that was forgotten comes again.
pub async fn what_is_dropped_comes_again(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let mut deliveries = b.consume(member("g", "b")).await.unwrap();
    let published = publish(&a, "order.paid", 3).await;
    for _ in 0..3 {
        drop(hear(&mut deliveries).await);
    }
    let mut again = handle(&mut deliveries, 3).await;
    again.sort();
    let mut expected = published;
    expected.sort();
    assert_eq!(again, expected);
}

/// What a member that is gone held goes to another.
pub async fn another_takes_over(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let published = {
        let mut dying = b.consume(member("g", "b")).await.unwrap();
        let published = publish(&a, "order.paid", 3).await;
        drop(hear(&mut dying).await);
        published
    };
    b.close().await;
    let c = fixture.node("c").await;
    let mut deliveries = c.consume(member("g", "c")).await.unwrap();
    let mut taken = handle(&mut deliveries, 3).await;
    taken.sort();
    let mut expected = published;
    expected.sort();
    assert_eq!(taken, expected);
}

/// An event that is never handled is given up after its deliveries, and holds up nobody.
pub async fn a_poison_event_is_given_up(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let mut deliveries = b.consume(member("g", "b")).await.unwrap();
    let poison = publish(&a, "order.poison", 1).await;
    for attempt in 1..=fixture.max_deliveries {
        let delivery = hear(&mut deliveries).await;
        assert_eq!((delivery.event.id.as_str(), delivery.attempt), (poison[0].as_str(), attempt));
        delivery.nack().await.unwrap();
    }
    // Its time comes once more only after it was left alone for as long as this one.
    let other = publish(&a, "order.paid", 1).await;
    drop(hear(&mut deliveries).await);
    assert_eq!(handle(&mut deliveries, 1).await, other);
    let group = stands(&b, "g").await;
    assert_eq!(group.pending, 0, "it is not pending any more");
    assert!(group.dead_letters.is_none_or(|dead| dead == 1), "{group:?}");
    assert_eq!(b.status().await.unwrap().dead_lettered, 1);
}

/// An event that can never be handled is given up without being delivered again.
pub async fn a_rejected_event_is_given_up_at_once(fixture: &Fixture) {
    let Some([a, b]) = fixture.grouping().await else { return };
    let mut deliveries = b.consume(member("g", "b")).await.unwrap();
    publish(&a, "order.bad", 1).await;
    hear(&mut deliveries).await.reject("the field data.n is missing").await.unwrap();
    let other = publish(&a, "order.paid", 1).await;
    drop(hear(&mut deliveries).await);
    assert_eq!(handle(&mut deliveries, 1).await, other, "what was rejected does not come again");
    let group = stands(&b, "g").await;
    assert_eq!(group.pending, 0);
    assert!(group.dead_letters.is_none_or(|dead| dead == 1), "{group:?}");
    assert_eq!(b.status().await.unwrap().dead_lettered, 1);
}
