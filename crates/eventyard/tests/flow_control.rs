//! Limits, keys and back-pressure, on virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use eventyard::{
    Backoff, Context, Dep, Error, Eventyard, JobError, JobRequest, Json, Queue, QueueLimits, Rate,
    Yard,
    model::{GroupKey, JobState, MemoryStore, QueueName, SystemClock, inspect::PageAsk},
    secs,
    testing::TestYard,
};

/// What ran and when, in seconds since the first.
#[derive(Default)]
struct Ran(Mutex<Vec<(String, eventyard::model::Timestamp)>>);

impl Ran {
    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().drain(..).map(|(name, _)| name).collect()
    }

    fn seconds(&self) -> Vec<u64> {
        let ran = self.0.lock().unwrap();
        ran.iter().map(|(_, at)| at.since(ran[0].1).as_secs()).collect()
    }
}

/// Takes as many seconds as its data says; fails at first if it is called `again`.
async fn work(Json(seconds): Json<u64>, ran: Dep<Ran>, cx: Context) -> Result<(), JobError> {
    let name = cx.job().name.to_string();
    let again = name == "again" && cx.attempt() == 1;
    ran.0.lock().unwrap().push((name, cx.clock().now()));
    cx.clock().sleep(secs(seconds)).await;
    if again { Err(JobError::retry("again")) } else { Ok(()) }
}

fn app(queue: Queue) -> (TestYard, Arc<Ran>) {
    let ran = Arc::new(Ran::default());
    let t = Eventyard::in_memory()
        .queue(queue.backoff(Backoff::fixed(secs(5))))
        .handle("q", work)
        .provide_arc(Arc::clone(&ran))
        .test();
    (t, ran)
}

fn q() -> QueueName {
    QueueName::new("q").unwrap()
}

fn key(text: &str) -> GroupKey {
    GroupKey::new(text).unwrap()
}

fn job(name: &str, seconds: u64) -> JobRequest {
    JobRequest::new("q", name).data(&seconds).unwrap()
}

async fn limits(yard: &Yard) -> Option<QueueLimits> {
    yard.inspect().queues().await.unwrap().get(&q()).map(|status| (*status.limits).clone())
}

#[tokio::test]
async fn stated_limits_replace_those_of_the_store_and_others_stay() {
    let clock = Arc::new(SystemClock::default());
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
    let start = async |queue: Queue| {
        let app = Eventyard::on(Arc::clone(&store), Arc::clone(&clock) as _);
        app.queue(queue).start().await.unwrap()
    };
    let limited = Queue::new("q").rate(Rate::per_second(7)).ordered().weight("big", 3);
    let yard = start(Queue::new("q")).await;
    assert_eq!(limits(&yard).await, None, "a queue that states none is not even known");
    let yard = start(limited.clone()).await;
    let stated = limits(&yard).await.unwrap();
    assert_eq!(stated.rate, Some(Rate::per_second(7)));
    assert!(stated.keys.ordered && stated.keys.weights[&key("big")] == 3);

    let operators = QueueLimits { max_length: Some(9), ..QueueLimits::default() };
    yard.limit(q(), operators.clone()).await.unwrap();
    let yard = start(Queue::new("q")).await;
    assert_eq!(limits(&yard).await, Some(operators));
    let yard = start(limited).await;
    assert_eq!(limits(&yard).await, Some(stated));
    let yard = start(Queue::new("q").limits(QueueLimits::default())).await;
    assert_eq!(limits(&yard).await, Some(QueueLimits::default()), "none is a statement too");
    let refused = yard.limit(q(), QueueLimits { max_length: Some(0), ..Default::default() }).await;
    assert_eq!(refused.unwrap_err().code(), "invalid-limits");
}

#[tokio::test]
async fn limits_that_make_no_sense_name_the_queue() {
    let app = Eventyard::in_memory()
        .queue(Queue::new("a").max_active(0))
        .queue(Queue::new("b").weight("", 2))
        .queue(Queue::new("c").weight("x", 5000));
    let Err(Error::Setup(mistakes)) = app.start().await else { panic!("it started") };
    let text = mistakes.join("\n");
    for expected in [
        "queue `a`: limits.concurrency: is 0",
        "queue `b`: the weight of ``",
        "queue `c`: limits.keys.weights.x: is 5000",
    ] {
        assert!(text.contains(expected), "{expected} in:\n{text}");
    }
}

#[tokio::test]
async fn a_rate_spreads_jobs_over_time() {
    let (t, ran) = app(Queue::new("q").rate(Rate::new(2, secs(10))));
    for _ in 0..5 {
        t.enqueue(job("x", 0)).await.unwrap();
    }
    t.advance(secs(30)).await;
    assert_eq!(ran.seconds(), [0, 0, 10, 10, 20]);
}

#[tokio::test]
async fn the_most_active_jobs_are_over_all_workers() {
    let clock: Arc<dyn eventyard::model::Clock> =
        Arc::new(eventyard::testing::VirtualClock::pause());
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let ran = Arc::new(Ran::default());
    let start = async || {
        Eventyard::on(Arc::clone(&store), Arc::clone(&clock))
            .queue(Queue::new("q").concurrency(10).max_active(3))
            .handle("q", work)
            .provide_arc(Arc::clone(&ran))
            .start()
            .await
            .unwrap()
    };
    let yards = [start().await, start().await];
    yards[0].enqueue_all((0..7).map(|_| job("x", 10)).collect()).await.unwrap();
    clock.sleep(secs(60)).await;
    assert_eq!(ran.seconds(), [0, 0, 0, 10, 10, 10, 20]);
}

#[tokio::test]
async fn an_ordered_key_waits_for_its_retries_and_others_do_not() {
    let (t, ran) = app(Queue::new("q").ordered());
    for (name, of) in [("again", "a"), ("next", "a"), ("other", "b"), ("another", "b")] {
        t.enqueue(job(name, 1).key(key(of))).await.unwrap();
    }
    t.advance(secs(4)).await;
    assert_eq!(ran.names(), ["again", "other", "another"]);
    t.advance(secs(10)).await;
    assert_eq!(ran.names(), ["again", "next"]);
}

#[tokio::test]
async fn keys_have_limits_and_shares_of_their_own() {
    let limited =
        Queue::new("q").concurrency(10).key_concurrency(2).key_rate(Rate::new(3, secs(100)));
    let (t, ran) = app(limited);
    for _ in 0..5 {
        t.enqueue(job("a", 10).key(key("a"))).await.unwrap();
    }
    t.enqueue(job("b", 10).key(key("b"))).await.unwrap();
    t.advance(secs(1)).await;
    let page = t.keys(&q(), PageAsk::first(10)).await.unwrap();
    let of: Vec<_> = page.items.iter().map(|k| (k.key.as_str(), k.waiting, k.active)).collect();
    assert_eq!(of, [("a", 3, 2), ("b", 0, 1)]);
    assert_eq!(ran.names().len(), 3);
    t.advance(secs(50)).await;
    assert_eq!(ran.names(), ["a"], "the rate of the key is used up");

    let (t, ran) = app(Queue::new("q").concurrency(1).weight("big", 3));
    t.pause(q()).await.unwrap();
    for _ in 0..20 {
        t.enqueue(job("small", 1).key(key("small"))).await.unwrap();
        t.enqueue(job("big", 1).key(key("big"))).await.unwrap();
    }
    t.resume(q()).await.unwrap();
    t.advance(secs(12)).await;
    let names = ran.names();
    let big = names.iter().take(12).filter(|name| *name == "big").count();
    assert_eq!(big, 9, "three of four in {names:?}");
}

#[tokio::test]
async fn a_key_is_paused_by_itself() {
    let (t, ran) = app(Queue::new("q"));
    t.pause_key(q(), key("a")).await.unwrap();
    t.enqueue(job("a", 0).key(key("a"))).await.unwrap();
    t.enqueue(job("b", 0).key(key("b"))).await.unwrap();
    t.advance(secs(1)).await;
    assert_eq!(ran.names(), ["b"]);
    assert!(t.keys(&q(), PageAsk::first(10)).await.unwrap().items[0].paused);
    t.resume_key(q(), key("a")).await.unwrap();
    t.advance(secs(1)).await;
    assert_eq!(ran.names(), ["a"]);
}

#[tokio::test]
async fn a_full_queue_pushes_back() {
    async fn spill(_: Json<u64>, cx: Context) -> Result<(), JobError> {
        cx.put_document("spilled", "s", &1, None);
        cx.enqueue(job("more", 0));
        Ok(())
    }
    let t = Eventyard::in_memory()
        .queue(Queue::new("q").max_length(2))
        .queue(Queue::new("spill").attempts(3).backoff(Backoff::fixed(secs(10))))
        .route("row.#", "q")
        .handle("spill", spill)
        .handle("q", async |_: Json<u64>, cx: Context| {
            cx.clock().sleep(secs(1)).await;
            Ok::<(), JobError>(())
        })
        .test();
    t.pause(q()).await.unwrap();
    for _ in 0..2 {
        t.enqueue(job("x", 0)).await.unwrap();
    }
    let clock = Arc::clone(t.clock());
    let event = eventyard::Envelope::new("row.added", "s", clock.now(), "1");
    let yard: &Yard = &t;
    for refused in
        [t.enqueue(job("x", 0)).await.map(drop), yard.publish(event.clone()).await.map(drop)]
    {
        let error = refused.unwrap_err();
        assert!(matches!(&error, Error::QueueFull { limit: 2, .. }));
        assert_eq!((error.code(), error.is_retryable()), ("queue-full", true));
    }
    assert!(t.inspect().event(&event.id).await.unwrap().is_none(), "it is not in the log either");

    t.enqueue(JobRequest::new("spill", "spill").data(&0).unwrap()).await.unwrap();
    t.advance(secs(1)).await;
    let delayed = &t.jobs_named("spill", JobState::Delayed)[0];
    let attempts = t.inspect().attempts(&delayed.job.key()).await.unwrap();
    assert!(
        attempts[0].failure.message.contains("queue q lets at most 2 jobs wait"),
        "{attempts:?}"
    );
    assert!(t.inspect().document("spilled", "s").await.unwrap().is_none());
    t.resume(q()).await.unwrap();
    t.advance(secs(20)).await;
    assert_eq!(t.jobs_named("more", JobState::Completed).len(), 1);
    assert_eq!(t.jobs_named("spill", JobState::Completed).len(), 1);
}

#[tokio::test]
async fn jobs_that_say_the_same_are_dropped() {
    let (t, ran) = app(Queue::new("q"));
    let add = async |job: JobRequest| t.enqueue(job).await.unwrap().duplicate;
    let mut dropped = Vec::new();
    for name in ["first", "second"] {
        dropped.push(add(job(name, 5).deduplicate(key("d"))).await);
        dropped.push(add(job(name, 0).throttle(key("t"), secs(30))).await);
        dropped.push(add(job(name, 0).debounce(key("b"), secs(20))).await);
        t.advance(secs(10)).await;
    }
    // The unfinished one was done after 5 s, and each debounced one takes the place of the one before.
    assert_eq!(dropped, [false, false, false, false, true, false]);
    assert_eq!(ran.names(), ["first", "first", "second"]);
    t.advance(secs(30)).await;
    assert_eq!(ran.names(), ["second"], "the last of those that were debounced");
}

#[tokio::test]
async fn waiting_jobs_can_be_steered() {
    let (t, ran) = app(Queue::new("q").concurrency(1));
    t.pause(q()).await.unwrap();
    let mut keys = Vec::new();
    for name in ["a", "b", "c", "late"] {
        let added = t.enqueue(job(name, 0).priority(5)).await.unwrap();
        keys.push(eventyard::model::JobKey { queue: added.queue, id: added.id });
    }
    t.enqueue(job("stale", 0).ttl(secs(5))).await.unwrap();
    let now = t.clock().now();
    t.reprioritize(keys[1].clone(), 1).await.unwrap();
    t.reschedule(keys[3].clone(), now + secs(100)).await.unwrap();
    t.update(keys[2].clone(), &20).await.unwrap();
    let refused = t.reprioritize(keys[1].clone(), u32::MAX).await.unwrap_err();
    assert_eq!(refused.code(), "invalid-job");
    t.advance(secs(10)).await;
    t.resume(q()).await.unwrap();
    t.advance(secs(10)).await;
    assert_eq!(ran.names(), ["b", "a", "c"]);
    assert_eq!(t.jobs_named("c", JobState::Active).len(), 1, "its data says 20 seconds");
    assert_eq!(t.jobs_named("stale", JobState::Failed).len(), 1);
    t.advance(secs(100)).await;
    assert_eq!(ran.names(), ["late"]);
    let refused = t.update(keys[0].clone(), &1).await;
    assert_eq!(refused.unwrap_err().code(), "wrong-state");
}

#[tokio::test]
async fn updated_data_leaves_with_the_commit() {
    async fn count(Json(n): Json<u64>, cx: Context) -> Result<eventyard::Outcome, JobError> {
        assert_eq!(cx.key().map(GroupKey::as_str), Some("k"));
        cx.update_data(&(n + 1));
        match n {
            3 if cx.attempt() == 1 => Err(JobError::retry("its update is lost")),
            3 => eventyard::Outcome::done(&n),
            _ => Ok(eventyard::Outcome::Snooze(Duration::from_secs(1))),
        }
    }
    let t = Eventyard::in_memory().queue(Queue::new("q")).handle("q", count).test();
    t.enqueue(job("count", 0).key(key("k"))).await.unwrap();
    t.advance(secs(60)).await;
    let done = &t.jobs_named("count", JobState::Completed)[0];
    assert_eq!(done.result.as_deref(), Some(&b"3"[..]));
    assert_eq!(done.job.payload.data().as_ref(), b"4");
}
