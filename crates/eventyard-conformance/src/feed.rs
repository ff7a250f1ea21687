//! The feed: what is told of the queues as it happens.

use eventyard_core::{
    JobState, Keep, OnChildFailure, QueueEvent, QueueEventKind, Settlement, Write,
    feed::{Heard, Subscription},
};
use futures_util::FutureExt;

use crate::{
    Fixture,
    fixture::LEASE,
    given::{
        cancel, child_of, delayed, event, failure, impossible, job, job_with, jobs, key, limit, ms,
        parent, publish, queue_name, secs,
    },
};

/// What was told and not heard yet.
fn heard(feed: &mut Subscription) -> Vec<QueueEvent> {
    let mut events = Vec::new();
    while let Some(heard) = feed.try_next() {
        let Heard::Event(_, event) = heard else { panic!("something is missing") };
        events.push(QueueEvent::clone(&event));
    }
    events
}

/// What was told and not heard yet, as `kind job`.
fn words(feed: &mut Subscription) -> Vec<String> {
    let word = |event: QueueEvent| match event.kind.job() {
        Some(job) => format!("{} {job}", event.kind.name()),
        None => event.kind.name().to_owned(),
    };
    heard(feed).into_iter().map(word).collect()
}

/// While nobody ever listened, nothing is recorded.
pub async fn nobody_listens(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let leased = f.claim_one("q").await;
    f.complete(&leased.lease, Keep::FOREVER).await;
    assert!(!f.store.feed().is_recording());
    let mut feed = f.store.feed().subscribe(None);
    assert!(f.store.feed().is_recording());
    f.enqueue([job("q", "b")]).await;
    assert_eq!(words(&mut feed), ["added b", "waiting b"], "from now on");
}

/// Each step of a job's life is told once, in order, with what belongs to it.
pub async fn the_life_of_a_job(f: &Fixture) {
    let mut feed = f.store.feed().subscribe(None);
    let q = queue_name("q");
    let id = || key("q", "a").id;
    f.enqueue([job("q", "a")]).await;
    let leased = f.claim_one("q").await;
    f.write_under(&leased.lease, [Write::Progress("50".into()), Write::Log("l".to_owned())]).await;
    f.advance(secs(1));
    let again = Settlement::Retry { at: f.now() + secs(5), failure: failure("no") };
    f.settle(&leased.lease, again).await;
    let due = f.now() + secs(5);
    let [start, retried] = [leased.job.created_at, f.now()];
    f.advance(secs(5));
    let leased = f.claim_one("q").await;
    let result = Some("1".into());
    f.settle(&leased.lease, Settlement::Complete { result, keep: Keep::FOREVER }).await;
    f.write(Write::Remove(key("q", "a"))).await;

    let active = |attempt| {
        let worker = eventyard_core::WorkerId::new("w").unwrap();
        QueueEventKind::Active { job: id(), attempt, worker }
    };
    let expected = [
        (start, QueueEventKind::Added { job: id(), name: "test.job".into() }),
        (start, QueueEventKind::Waiting { job: id(), from: None }),
        (start, active(1)),
        (start, QueueEventKind::Drained),
        (start, QueueEventKind::Progress { job: id(), progress: "50".into() }),
        (retried, QueueEventKind::Delayed { job: id(), until: due, failure: Some(failure("no")) }),
        (due, QueueEventKind::Waiting { job: id(), from: Some(JobState::Delayed) }),
        (due, active(2)),
        (due, QueueEventKind::Drained),
        (due, QueueEventKind::Completed { job: id(), result: Some("1".into()) }),
        (due, QueueEventKind::Removed { job: id(), from: JobState::Completed }),
    ];
    let expected = expected.map(|(at, kind)| QueueEvent { queue: q.clone(), at, kind });
    assert_eq!(heard(&mut feed), expected);
}

/// Where a job comes from when it waits again is told too.
pub async fn where_a_job_comes_from(f: &Fixture) {
    f.enqueue([job("q", "a"), job("q", "x")]).await;
    let mut feed = f.store.feed().subscribe(None);
    let leased = f.claim_one("q").await;
    f.settle(&leased.lease, Settlement::Release).await;
    let leased = f.claim_one("q").await;
    f.settle(&leased.lease, Settlement::Snooze { at: f.now() + secs(1) }).await;
    f.write(Write::Promote(key("q", "a"))).await;
    f.write(Write::Remove(key("q", "x"))).await;
    let leased = f.claim_one("q").await;
    f.fail(&leased.lease).await;
    f.write(Write::Retry(key("q", "a"))).await;
    let from = heard(&mut feed).into_iter().filter_map(|event| match event.kind {
        QueueEventKind::Waiting { from, .. } => from,
        _ => None,
    });
    let expected = [JobState::Active, JobState::Delayed, JobState::Failed];
    assert_eq!(from.collect::<Vec<_>>(), expected);
}

/// Failures are told with their reason: of handlers, crashes, cancellations and expiry.
pub async fn failures_are_told(f: &Fixture) {
    let brief = job_with("q", "brief", |options| options.ttl = Some(ms(5)));
    f.enqueue([job("q", "bad"), job("q", "lost"), job("q", "not")]).await;
    let mut feed = f.store.feed().subscribe(None);
    let leased = f.claim("q", 2).await;
    f.fail(&leased[0].lease).await;
    f.write(cancel("q", "not")).await;
    f.enqueue([brief]).await;
    f.pass(ms(5)).await;
    f.advance(LEASE);
    let upkeep = eventyard_core::Upkeep { max_crashes: 2, ..crate::fixture::UPKEEP };
    f.maintain(upkeep.clone()).await;
    f.claim_one("q").await;
    f.advance(LEASE);
    f.maintain(upkeep).await;
    let events = heard(&mut feed);
    let told = events.iter().filter_map(|event| match &event.kind {
        QueueEventKind::Failed { job, failure } => Some((job.as_str(), failure.kind.as_str())),
        QueueEventKind::Stalled { job } => Some((job.as_str(), "stalled")),
        QueueEventKind::Waiting { job, .. } => Some((job.as_str(), "waiting")),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    let expected = [
        ("bad", "error"),
        ("not", "cancelled"),
        ("brief", "waiting"),
        ("brief", "expired"),
        ("lost", "stalled"),
        ("lost", "waiting"),
        ("lost", "stalled"),
        ("lost", "crash"),
    ];
    assert_eq!(told, expected);
}

/// What an operator does is told when it changes something.
pub async fn operators_are_told_of(f: &Fixture) {
    f.enqueue([delayed("q", "a", secs(5)), job("q", "b")]).await;
    let mut feed = f.store.feed().subscribe(None);
    let pause = |on| Write::Pause(queue_name("q"), on);
    f.commit([pause(true), pause(true), pause(false), pause(false)]).await;
    assert_eq!(words(&mut feed), ["paused", "resumed"]);
    f.write(Write::Promote(key("q", "a"))).await;
    f.write(Write::Reschedule { job: key("q", "b"), at: f.now() + secs(5) }).await;
    assert_eq!(words(&mut feed), ["waiting a", "delayed b"]);
    let clean = |state| Write::Clean { queue: queue_name("q"), state, older_than: ms(0), limit: 9 };
    f.commit([clean(JobState::Waiting), Write::Remove(key("q", "b"))]).await;
    assert_eq!(words(&mut feed), ["removed a", "removed b"]);
    f.commit([limit("q", |limits| limits.concurrency = Some(1)), clean(JobState::Failed)]).await;
    assert_eq!(words(&mut feed), [""; 0]);
}

/// A queue is drained when the last job that waited is handed out, delayed ones included.
pub async fn the_last_job_drains_a_queue(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b", "c"]).into_iter().chain([delayed("q", "d", secs(5))])).await;
    let mut feed = f.store.feed().subscribe(None);
    f.claim("q", 2).await;
    f.claim("q", 2).await;
    assert_eq!(words(&mut feed), ["active a", "active b", "active c"]);
    f.advance(secs(5));
    f.claim("q", 2).await;
    f.claim("q", 2).await;
    assert_eq!(words(&mut feed), ["waiting d", "active d", "drained"]);
}

/// Nothing is told of a commit that was refused, and nothing of what changed nothing.
pub async fn what_did_not_happen_is_not_told(f: &Fixture) {
    f.enqueue([job("q", "a"), job("q", "b")]).await;
    let leased = f.claim_one("q").await;
    f.write(publish(&event("e", "k"), &["q"])).await;
    let mut feed = f.store.feed().subscribe(None);
    let writes = [
        Write::Enqueue(job("q", "c")),
        Write::Promote(key("q", "none")),
        Write::Pause(queue_name("q"), true),
    ];
    f.refused(writes).await;
    f.refused([cancel("q", "a"), Write::Remove(key("q", "b")), impossible()]).await;
    assert_eq!(words(&mut feed), [""; 0]);
    f.commit([Write::Enqueue(job("q", "a")), publish(&event("e", "k"), &["q", "other"])]).await;
    assert_eq!(words(&mut feed), [""; 0]);
    let answers = vec![
        eventyard_core::Commit::of([Write::Enqueue(job("q", "d"))]),
        eventyard_core::Commit::of([Write::Enqueue(job("q", "f")), impossible()]),
        eventyard_core::Commit::of([Write::Enqueue(job("q", "g"))]),
    ];
    f.store.commit(answers).await.unwrap();
    f.complete(&leased.lease, Keep::FOREVER).await;
    let expected = ["added d", "waiting d", "added g", "waiting g", "completed a"];
    assert_eq!(words(&mut feed), expected);
}

/// All queues have one feed, in the order of what happened; each subscriber hears everything.
pub async fn all_queues_have_one_feed(f: &Fixture) {
    let mut feeds = [f.store.feed().subscribe(None), f.store.feed().subscribe(None)];
    f.write(publish(&event("e", "order.placed"), &["one", "two"])).await;
    for feed in &mut feeds {
        let events = heard(feed);
        let seen = events.iter().map(|e| (e.queue.as_str(), e.kind.name())).collect::<Vec<_>>();
        let expected = [("one", "added"), ("one", "waiting"), ("two", "added"), ("two", "waiting")];
        assert_eq!(seen, expected);
        let QueueEventKind::Added { name, .. } = &events[0].kind else { panic!("{events:?}") };
        assert_eq!(&**name, "order.placed");
    }
}

/// A subscriber that left comes back with the position of what it heard last, and misses nothing.
pub async fn a_subscriber_comes_back(f: &Fixture) {
    let mut first = f.store.feed().subscribe(None);
    f.enqueue(jobs("q", ["a", "b"])).await;
    let Some(Heard::Event(position, _)) = first.try_next() else { panic!("a was added") };
    drop(first);
    f.enqueue([job("q", "c")]).await;
    let position = position.to_string().parse().unwrap();
    let mut second = f.store.feed().subscribe(Some(position));
    let expected = ["waiting a", "added b", "waiting b", "added c", "waiting c"];
    assert_eq!(words(&mut second), expected);
}

/// A subscriber waits for the next event.
pub async fn a_subscriber_waits(f: &Fixture) {
    let mut feed = f.store.feed().subscribe(None);
    assert!(feed.next().now_or_never().is_none());
    let (heard, ()) = tokio::join!(feed.next(), f.enqueue([job("q", "a")]));
    let Heard::Event(_, event) = heard else { panic!("nothing is missing") };
    assert_eq!(event.kind.name(), "added");
}

/// A parent's wait for its children is told, and its end.
pub async fn flows_are_told(f: &Fixture) {
    let mut feed = f.store.feed().subscribe(None);
    let child = child_of(&key("q", "p"), OnChildFailure::Fail, job("parts", "a"));
    f.enqueue([parent("q", "p"), child]).await;
    let expected = ["added p", "waiting-children p", "added a", "waiting a"];
    assert_eq!(words(&mut feed), expected);
    let leased = f.claim_one("parts").await;
    f.complete(&leased.lease, Keep::FOREVER).await;
    let events = heard(&mut feed);
    let last = &events.last().unwrap().kind;
    let from = Some(JobState::WaitingChildren);
    assert_eq!(*last, QueueEventKind::Waiting { job: key("q", "p").id, from });

    let child = child_of(&key("q", "r"), OnChildFailure::Fail, job("parts", "b"));
    f.enqueue([parent("q", "r"), child]).await;
    let leased = f.claim_one("parts").await;
    heard(&mut feed);
    f.fail(&leased.lease).await;
    assert_eq!(words(&mut feed), ["failed b", "failed r"]);
}
