//! Hearing what happens on the queues.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use eventyard::{
    Eventyard, JobError, JobRequest, Json, Queue,
    model::{
        QueueName,
        feed::{self, Heard},
    },
    secs,
    testing::TestYard,
    yard::QueueEvents,
};
use futures_util::{FutureExt, StreamExt};

fn app() -> TestYard {
    async fn nothing(_: Json<Option<u64>>) -> Result<(), JobError> {
        Ok(())
    }
    Eventyard::in_memory()
        .queue(Queue::new("a"))
        .queue(Queue::new("b"))
        .handle("a", nothing)
        .handle("b", nothing)
        .test()
}

/// What can be heard without waiting, in words.
fn heard(events: &mut QueueEvents) -> Vec<String> {
    let next = || events.next().now_or_never();
    std::iter::from_fn(next)
        .map(|heard| match heard {
            Heard::Event(_, event) => format!("{} {}", event.queue, event.kind.name()),
            Heard::Missed => "missed".to_owned(),
        })
        .collect()
}

async fn add(t: &TestYard, queue: &str) {
    t.enqueue(JobRequest::new(queue, "x")).await.unwrap();
    t.advance(secs(1)).await;
}

#[tokio::test]
async fn a_subscriber_hears_what_it_asked_for() {
    let t = app();
    let a = || QueueName::new("a").unwrap();
    let mut everything = t.queue_events(None);
    let mut of_a = t.queue_events(None).of_queue(a());
    let mut ends = t.queue_events(None).of_kind("completed").unwrap().of_kind("failed").unwrap();
    add(&t, "a").await;
    add(&t, "b").await;
    let life = ["added", "waiting", "active", "drained", "completed"];
    let of = |queue: &str| life.map(|kind| format!("{queue} {kind}")).to_vec();
    assert_eq!(heard(&mut of_a), of("a"));
    assert_eq!(heard(&mut everything), [of("a"), of("b")].concat());
    assert_eq!(heard(&mut ends), ["a completed", "b completed"]);
    let error = t.queue_events(None).of_kind("finished").unwrap_err();
    assert!(error.to_string().contains("`finished`; there are added, waiting"));
}

#[tokio::test]
async fn a_subscriber_goes_on_where_it_left() {
    let t = app();
    let mut events = t.queue_events(None).of_kind("completed").unwrap();
    add(&t, "a").await;
    let Heard::Event(position, _) = events.next().await else { panic!("nothing is missing") };
    drop(events);
    add(&t, "b").await;
    let mut events = t.queue_events(Some(position)).of_kind("completed").unwrap();
    assert_eq!(heard(&mut events), ["b completed"]);

    let mut slow = t.queue_events(None).of_kind("added").unwrap();
    let jobs = (0..=feed::MEMORY).map(|_| JobRequest::new("a", "x")).collect();
    t.pause(QueueName::new("a").unwrap()).await.unwrap();
    t.enqueue_all(jobs).await.unwrap();
    assert_eq!(heard(&mut slow)[0], "missed", "however the filter is");
    let stream = t.queue_events(None).into_stream();
    t.pause(QueueName::new("b").unwrap()).await.unwrap();
    let first = std::pin::pin!(stream).next().await;
    assert!(matches!(first, Some(Heard::Event(_, event)) if event.kind.name() == "paused"));
}
