//! From an event to what the user finds, on virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod inbox;
mod letters;
mod refusals;
mod server_down;
mod wishes;

use eventyard::{
    Envelope, Event, Eventyard,
    model::{JobState, PageAsk, inspect::JobStatus},
    testing::TestYard,
};
use eventyard_notify::{
    Deps, booking,
    event::{
        BookingCancelled, BookingConfirmed, BookingCreated, BookingEvent, BookingReminder,
        PaymentFailed, PaymentReceived, mock, mocks,
    },
    mail, notification, ticket,
};
use serde_json::{Map, Value};

pub(crate) fn app() -> TestYard {
    let deps = Deps::mailbox("Parking <no-reply@example.com>".parse().unwrap()).unwrap();
    booking(Eventyard::in_memory(), deps).test()
}

pub(crate) fn all() -> PageAsk {
    PageAsk::first(100)
}

pub(crate) async fn mails(t: &TestYard) -> Vec<mail::Kept> {
    mail::list(&**t.inspect(), all()).await.unwrap().items
}

pub(crate) fn result(status: &JobStatus) -> Value {
    serde_json::from_slice(status.result.as_deref().unwrap()).unwrap()
}

/// The result of the only completed job made from an `E`.
pub(crate) fn result_of<E: Event>(t: &TestYard) -> Value {
    let jobs = t.jobs::<E>(JobState::Completed);
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    result(&jobs[0])
}

pub(crate) fn sample<E: BookingEvent>(t: &TestYard) -> E {
    E::sample(t.clock().now())
}

#[tokio::test]
async fn every_mock_event_reaches_its_queue() {
    let t = app();
    for name in mocks() {
        let mock = mock(&name, Map::new(), t.clock().now()).unwrap();
        let data = serde_json::to_vec(&mock.data).unwrap();
        let published = t.publish(Envelope::new(mock.kind, "test", t.clock().now(), data)).await;
        assert_eq!(published.jobs.len(), 1, "{name}");
    }
    t.assert_completed::<BookingCreated>();
    t.assert_completed::<BookingConfirmed>();
    t.assert_completed::<BookingCancelled>();
    t.assert_completed::<BookingReminder>();
    t.assert_completed::<PaymentReceived>();
    t.assert_completed::<PaymentFailed>();
    assert_eq!(mails(&t).await.len(), 3);
    let inbox = notification::list(&**t.inspect(), "u-1", false, all()).await.unwrap();
    let kinds: Vec<_> = inbox.items.iter().map(|n| n.kind.as_str()).collect();
    assert_eq!(kinds, ["payment.received", "booking.reminder"], "newest first");
    assert_eq!(ticket::list(&**t.inspect(), all()).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn routes_are_the_applications_own() {
    let deps = Deps::mailbox("no-reply@example.com".parse().unwrap()).unwrap();
    let queues = eventyard_notify::default_queues();
    let app = queues.into_iter().fold(Eventyard::in_memory(), Eventyard::queue);
    let app = app.route("booking.created", "notifications").route("booking.*", "tickets");
    let t = eventyard_notify::handlers(app, deps).test();
    t.publish(sample::<BookingCreated>(&t)).await;
    assert_eq!(t.jobs::<BookingCreated>(JobState::Completed).len(), 2);
    assert!(mails(&t).await.is_empty());
    let tickets = ticket::list(&**t.inspect(), all()).await.unwrap().items;
    assert_eq!(tickets[0].subject, "booking.created for booking b-1");
}
