//! The engine from the outside, on virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use eventyard::{
    Backoff, Context, Dep, Error, Event, Eventyard, JobError, JobRequest, Json, Outcome, Queue,
    event::WithAttributes,
    model::{EventId, FailureKind, JobOptions, JobState, QueueName, Timestamp},
    secs,
};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, Clone)]
#[event("booking.created")]
struct BookingCreated {
    booking_id: String,
}

#[derive(Event, Serialize, Deserialize)]
#[event("confirmation.sent")]
struct ConfirmationSent {
    booking_id: String,
}

fn created() -> BookingCreated {
    BookingCreated { booking_id: "b-1".to_owned() }
}

/// When each attempt began, in seconds since the first.
#[derive(Default)]
struct Times(Mutex<Vec<Timestamp>>);

impl Times {
    fn seconds(&self) -> Vec<f64> {
        let times = self.0.lock().unwrap();
        times.iter().map(|t| t.since(times[0]).as_secs_f64()).collect()
    }
}

async fn always_fails(_: BookingCreated, times: Dep<Times>, cx: Context) -> Result<(), JobError> {
    times.0.lock().unwrap().push(cx.clock().now());
    Err(JobError::retry(format!("refused, attempt {}", cx.attempt())))
}

#[tokio::test]
async fn retries_follow_the_timelines_to_the_millisecond() {
    let check = async |queue: Queue, expected: &[f64]| {
        let times = Arc::new(Times::default());
        let t = Eventyard::in_memory()
            .queue(queue.clone())
            .route("booking.*", "q")
            .handle("q", always_fails)
            .provide_arc(Arc::clone(&times))
            .test();
        t.publish(created()).await;
        t.advance(secs(62)).await;
        assert_eq!(times.seconds(), expected, "{queue:?}");
        t.assert_dead_lettered::<BookingCreated>();
        let key = t.jobs::<BookingCreated>(JobState::Failed)[0].job.key();
        let attempts = t.inspect().attempts(&key).await.unwrap();
        assert_eq!(attempts.len(), expected.len());
        assert!(
            attempts
                .iter()
                .all(|a| { a.failure.message.contains(&format!("attempt {}", a.attempt)) })
        );
    };
    let queue = |attempts, backoff| Queue::new("q").attempts(attempts).backoff(backoff);
    check(queue(5, Backoff::exponential(secs(2))), &[0.0, 2.0, 6.0, 14.0, 30.0]).await;
    check(queue(3, Backoff::exponential(secs(1))), &[0.0, 1.0, 3.0]).await;
    check(queue(3, Backoff::fixed(secs(5))), &[0.0, 5.0, 10.0]).await;
    let linear = Queue::new("q").attempts(4).backoff_fn(|_, n| Some(secs(u64::from(n) * 3)));
    check(linear, &[0.0, 3.0, 9.0, 18.0]).await;
}

#[tokio::test]
async fn what_a_handler_publishes_leaves_with_its_commit() {
    async fn confirm(event: BookingCreated, cx: Context) -> Result<(), JobError> {
        cx.publish(ConfirmationSent { booking_id: event.booking_id });
        cx.enqueue(JobRequest::new("reports", "count"));
        cx.put_document("bookings", "b-1", &"confirmed", None);
        if cx.attempt() == 1 { Err(JobError::retry("too early")) } else { Ok(()) }
    }
    async fn nothing(_: Json<serde_json::Value>) -> Result<(), JobError> {
        Ok(())
    }
    let t = Eventyard::in_memory()
        .queue(Queue::new("emails"))
        .queue(Queue::new("reports"))
        .route("booking.created", "emails")
        .handle("emails", confirm)
        .handle("reports", nothing)
        .on_event(async |_: ConfirmationSent| Ok::<(), JobError>(()))
        .test();
    let published = t.publish(created()).await;
    assert!(
        t.jobs::<ConfirmationSent>(JobState::Completed).is_empty(),
        "a failed attempt emits nothing"
    );
    assert_eq!(t.inspect().document("bookings", "b-1").await.unwrap(), None);

    t.advance(secs(2)).await;
    let sent = t.jobs::<ConfirmationSent>(JobState::Completed);
    let event = sent[0].job.payload.event().unwrap();
    assert_eq!(event.causation_id.as_deref(), Some(published.event.as_str()));
    assert_eq!(event.correlation(), published.event.as_str());
    assert_eq!(t.jobs_named("count", JobState::Completed).len(), 1);
    let document = t.inspect().document("bookings", "b-1").await.unwrap().unwrap();
    assert_eq!(document.version, 1);
}

#[tokio::test]
async fn the_same_event_twice_is_one_job() {
    let runs = Arc::new(AtomicU32::new(0));
    async fn count(_: BookingCreated, runs: Dep<AtomicU32>) -> Result<(), JobError> {
        runs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    let t = Eventyard::in_memory()
        .queue(Queue::new("emails").keep_completed(eventyard::Keep::NOTHING))
        .route("booking.created", "emails")
        .handle("emails", count)
        .provide_arc(Arc::clone(&runs))
        .test();
    let id = EventId::new("same").unwrap();
    for expected in [false, true] {
        let event = WithAttributes::new(created()).id(id.clone());
        assert_eq!(t.publish(event).await.duplicate, expected);
    }
    assert_eq!(runs.load(Ordering::Relaxed), 1, "even though the job was removed when it was done");
}

#[tokio::test]
async fn endings_other_than_success() {
    async fn end(Json(how): Json<String>, cx: Context) -> Result<Outcome, JobError> {
        match how.as_str() {
            "snooze" if cx.clock().now().since(cx.job().created_at) < secs(10) => {
                Ok(Outcome::Snooze(secs(10)))
            }
            "snooze" => Outcome::done(&"slept"),
            "dead" => Err(JobError::dead_letter("no use")),
            "cancel" => Err(JobError::cancel("not wanted")),
            "panic" => panic!("oh no"),
            "hang" => std::future::pending().await,
            other => Err(JobError::retry(other)),
        }
    }
    let t = Eventyard::in_memory()
        .queue(Queue::new("q").attempts(1).timeout(secs(30)))
        .handle("q", end)
        .test();
    for how in ["snooze", "dead", "cancel", "panic", "hang", "other"] {
        t.enqueue(JobRequest::new("q", how).data(&how).unwrap()).await.unwrap();
    }
    t.enqueue(JobRequest::new("q", "wrong").data(&7).unwrap()).await.unwrap();
    t.advance(secs(60)).await;
    let snoozed = &t.jobs_named("snooze", JobState::Completed)[0];
    assert_eq!(snoozed.job.attempts_made, 1, "a snooze is not counted");
    assert_eq!(snoozed.result.as_deref(), Some(&b"\"slept\""[..]));
    for (name, kind) in [
        ("dead", FailureKind::Rejected),
        ("cancel", FailureKind::Cancelled),
        ("panic", FailureKind::Panic),
        ("hang", FailureKind::Timeout),
        ("other", FailureKind::Error),
        ("wrong", FailureKind::Payload),
    ] {
        let failed = t.jobs_named(name, JobState::Failed);
        assert_eq!(failed[0].failure.as_ref().map(|f| f.kind), Some(kind), "{name}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_the_start() {
    async fn needs(_: BookingCreated, _: Dep<Times>) -> Result<(), JobError> {
        Ok(())
    }
    let app = Eventyard::in_memory()
        .queue(Queue::new("emails").attempts(0))
        .queue(Queue::new("emails"))
        .route("booking.created", "mails")
        .route("order*", "emails")
        .handle("emails", needs)
        .handle("tickets", async |_: Json<u8>| Ok::<(), JobError>(()));
    let Err(Error::Setup(mistakes)) = app.start().await else { panic!("it started") };
    let text = mistakes.join("\n");
    for expected in [
        "`emails` is declared twice",
        "queue `mails`, which is not declared",
        "`order*` has `*`",
        "needs a engine::Times; provide one",
        "no route leads this event there",
        "`tickets` has a handler but is not declared",
    ] {
        assert!(text.contains(expected), "{expected} in:\n{text}");
    }
}

#[tokio::test]
async fn one_subscribers_failure_touches_no_other() {
    async fn good(_: BookingCreated) -> Result<(), JobError> {
        Ok(())
    }
    async fn bad(_: BookingCreated) -> Result<(), JobError> {
        Err(JobError::dead_letter("no"))
    }
    let t = Eventyard::in_memory()
        .subscribe("good", "booking.*", good)
        .subscribe("bad", "#", bad)
        .test();
    assert_eq!(t.publish(created()).await.jobs.len(), 2);
    t.assert_completed::<BookingCreated>();
    t.assert_dead_lettered::<BookingCreated>();
}

#[tokio::test]
async fn a_synchronous_bus_returns_when_the_handlers_have_run() {
    let runs = Arc::new(AtomicU32::new(0));
    async fn count(_: BookingCreated, runs: Dep<AtomicU32>) -> Result<(), JobError> {
        tokio::time::sleep(secs(1)).await;
        runs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    let t = Eventyard::in_memory()
        .synchronous(true)
        .subscribe("one", "booking.*", count)
        .subscribe("two", "booking.*", count)
        .provide_arc(Arc::clone(&runs))
        .test();
    let yard: &eventyard::Yard = &t;
    yard.publish(created()).await.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn data_that_is_nearly_an_event_is_told_what_it_lacks() {
    async fn send(_: BookingCreated) -> Result<(), JobError> {
        Ok(())
    }
    let t = Eventyard::in_memory()
        .queue(Queue::new("emails").attempts(1))
        .subscribe("emails", "booking.*", send)
        .test();
    let named = serde_json::json!({"eventType": "booking.created", "data": {"booking_id": "b"}});
    for data in [named, serde_json::json!({})] {
        t.enqueue(JobRequest::new("emails", "booking-event").data(&data).unwrap()).await.unwrap();
    }
    t.run_until_idle().await;
    let failed = t.jobs_named("booking-event", JobState::Failed);
    let reasons = failed.iter().map(|job| &*job.failure.as_ref().unwrap().message);
    let hints = reasons.filter(|reason| reason.contains("`eventId`")).count();
    assert_eq!((failed.len(), hints), (2, 1));
}

/// Whoever publishes does not wait for what nobody will try: on queues of others, on paused ones, later.
#[tokio::test]
async fn a_synchronous_bus_waits_for_nobody_else() {
    let t = Eventyard::in_memory()
        .synchronous(true)
        .queue(Queue::new("mine"))
        .queue(Queue::new("of-others"))
        .handle("mine", async |_: Json<()>| Ok::<(), JobError>(()))
        .test();
    let yard: &eventyard::Yard = &t;
    let later = JobOptions { delay: Some(secs(3600)), ..JobOptions::default() };
    let later = JobRequest { options: later, ..JobRequest::new("mine", "later") };
    yard.pause(QueueName::new("mine").unwrap()).await.unwrap();
    for request in [JobRequest::new("of-others", "job"), JobRequest::new("mine", "job"), later] {
        tokio::time::timeout(secs(10), yard.enqueue(request)).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn unrouted_events_are_kept_or_refused() {
    let t = Eventyard::in_memory().test();
    let published = t.publish(created()).await;
    assert!(published.is_unrouted());
    assert!(t.inspect().event(&published.event).await.unwrap().is_some());

    let strict = Eventyard::in_memory().strict_routes(true).start().await.unwrap();
    assert!(matches!(strict.publish(created()).await, Err(Error::Unrouted { .. })));
}

#[tokio::test]
async fn shutdown_lets_active_jobs_end_and_gives_back_the_rest() {
    async fn slow(Json(seconds): Json<u64>) -> Result<(), JobError> {
        tokio::time::sleep(secs(seconds)).await;
        Ok(())
    }
    let t = Eventyard::in_memory()
        .queue(Queue::new("q").concurrency(2))
        .handle("q", slow)
        .shutdown_grace(secs(10))
        .test();
    for seconds in [5, 1000, 1] {
        t.enqueue(JobRequest::new("q", "slow").data(&seconds).unwrap()).await.unwrap();
    }
    t.run_until_idle().await;
    t.stop().await;
    let status = t.inspect().queues().await.unwrap().into_values().next().unwrap();
    assert_eq!(status.counts.get(JobState::Completed), 1, "the short one ended");
    assert_eq!(status.counts.get(JobState::Waiting), 2, "the long one was given back");
}
