//! Notifications, devices and tickets.

use eventyard::{
    event::WithAttributes,
    model::{EventId, JobState, PageAsk},
    secs,
};
use eventyard_notify::{
    event::{BookingReminder, PaymentFailed},
    notification,
    push::device::{self, Registration},
    ticket,
};

use super::{all, app, result_of, sample};

#[tokio::test]
async fn a_failed_payment_opens_exactly_one_ticket() {
    let t = app();
    let id = EventId::new("pay/1").unwrap();
    for _ in 0..2 {
        let event = WithAttributes::new(sample::<PaymentFailed>(&t)).id(id.clone());
        t.publish(event).await;
    }
    let tickets = ticket::list(&**t.inspect(), all()).await.unwrap().items;
    assert_eq!(tickets.len(), 1);
    let opened = &tickets[0];
    assert_eq!(opened.subject, "Payment p-1 for booking b-1 failed");
    assert!(opened.description.contains("the card was declined"), "{}", opened.description);
    assert_eq!((opened.priority, opened.status), (ticket::Priority::High, ticket::Status::Open));
    assert_eq!(opened.event_id, "pay/1");

    let closed = ticket::close(&t, &opened.id).await.unwrap();
    assert_eq!(closed.status, ticket::Status::Closed);
    assert!(closed.closed_at.is_some());
    let job = t.jobs::<PaymentFailed>(JobState::Completed)[0].job.key();
    t.retry(job).await.unwrap();
    t.run_until_idle().await;
    assert_eq!(ticket::get(&**t.inspect(), &opened.id).await.unwrap(), closed, "it stays closed");
    assert!(ticket::get(&**t.inspect(), "none").await.is_err());
}

#[tokio::test]
async fn notifications_are_read_one_by_one_or_all_at_once() {
    let t = app();
    for n in 0..25 {
        let mut event = sample::<BookingReminder>(&t);
        event.booking.booking_id = format!("b-{n}");
        t.publish(event).await;
        t.advance(secs(1)).await;
    }
    let inspect = &**t.inspect();
    let mut other = sample::<BookingReminder>(&t);
    other.booking.user_id = "u-1/x".to_owned();
    t.publish(other).await;

    let first = notification::list(inspect, "u-1", true, PageAsk::first(10)).await.unwrap();
    let booking = |n: &notification::Notification| n.data["bookingId"].as_str().unwrap().to_owned();
    assert_eq!(booking(&first.items[0]), "b-24");
    for read in first.items.iter().step_by(2) {
        let marked = notification::mark_read(&t, "u-1", &read.id).await.unwrap();
        assert!(marked.read_at.is_some());
        assert_eq!(notification::mark_read(&t, "u-1", &read.id).await.unwrap(), marked);
    }
    let mut unread = Vec::new();
    let mut page = PageAsk::first(7);
    loop {
        let part = notification::list(inspect, "u-1", true, page.clone()).await.unwrap();
        unread.extend(part.items.iter().map(booking));
        match part.next {
            Some(next) => page.cursor = Some(next),
            None => break,
        }
    }
    let expected: Vec<_> =
        (0..25).rev().filter(|n| *n < 15 || n % 2 == 1).map(|n| format!("b-{n}")).collect();
    assert_eq!(unread, expected);

    assert_eq!(notification::mark_all_read(&t, "u-1").await.unwrap(), 20);
    assert_eq!(notification::mark_all_read(&t, "u-1").await.unwrap(), 0);
    let left = notification::list(inspect, "u-1/x", true, all()).await.unwrap();
    assert_eq!(left.items.len(), 1, "another user's stay unread");
    assert!(notification::mark_read(&t, "u-1", &left.items[0].id).await.is_err());
}

#[tokio::test]
async fn a_device_that_changes_hands_leaves_its_former_user() {
    let t = app();
    let inspect = &**t.inspect();
    let phone = Registration { token: "token-1".to_owned(), platform: Some("android".to_owned()) };
    let first = device::register(&t, "a/b", &phone).await.unwrap();
    let again = device::register(&t, "a/b", &phone).await.unwrap();
    assert_eq!(first.id, again.id);
    assert_eq!(device::list(inspect, "a/b").await.unwrap(), [again]);
    assert!(device::list(inspect, "a").await.unwrap().is_empty());

    device::register(&t, "c", &phone).await.unwrap();
    assert!(device::list(inspect, "a/b").await.unwrap().is_empty());
    device::remove(&t, "c", &first.id).await.unwrap();
    assert!(device::remove(&t, "c", &first.id).await.is_err());

    for token in ["", "a b", &"x".repeat(5000)] {
        let bad = Registration { token: token.to_owned(), platform: None };
        assert!(device::register(&t, "c", &bad).await.is_err(), "{token}");
    }
    for n in 0..device::MAX_DEVICES {
        let one = Registration { token: format!("t-{n}"), platform: None };
        device::register(&t, "c", &one).await.unwrap();
    }
    assert!(device::register(&t, "c", &phone).await.is_err());
}

#[tokio::test]
async fn without_a_push_service_the_job_says_so() {
    let t = app();
    let phone = Registration { token: "token-1".to_owned(), platform: None };
    device::register(&t, "u-1", &phone).await.unwrap();
    t.publish(sample::<BookingReminder>(&t)).await;
    let result = result_of::<BookingReminder>(&t);
    assert_eq!(result["skipped"], "push is not configured");
    assert!(result["notificationId"].is_string());
}
