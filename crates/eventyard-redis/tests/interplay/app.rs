//! Our workers, which handle jobs as those in Node do; see `handle` in `node/peer.mjs`.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use eventyard::{
    Backoff, Context, Dep, Eventyard, JobError, Keep, Outcome, Queue, Yard,
    model::{Job, JobState, QueueName, inspect::Counts},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{node::eventually, store::Sides};

/// What a job's data says about how it is handled.
#[derive(Deserialize)]
#[serde(default)]
struct Orders {
    n: Value,
    fail: u32,
    reject: bool,
    sleep: u64,
}

impl Default for Orders {
    fn default() -> Self {
        Self { n: Value::Null, fail: 0, reject: false, sleep: 0 }
    }
}

/// What was handled, in order: the queue and the id of each job.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Vec<(String, String)>>);

impl Seen {
    /// The ids of the jobs of a queue that were handled, in order.
    pub(crate) fn of(&self, queue: &str) -> Vec<String> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|(on, _)| on == queue).map(|(_, id)| id.clone()).collect()
    }
}

async fn handle(job: Job, cx: Context, seen: Dep<Seen>) -> Result<Outcome, JobError> {
    let attempt = cx.attempt();
    seen.0.lock().unwrap().push((job.queue.to_string(), job.id.to_string()));
    let orders: Orders = match serde_json::from_slice(job.payload.data())? {
        Value::Null => Orders::default(),
        data => serde_json::from_value(data)?,
    };
    if orders.sleep > 0 {
        cx.clock().sleep(Duration::from_millis(orders.sleep)).await;
    }
    if orders.reject {
        return Err(JobError::dead_letter("it makes no sense"));
    }
    if attempt <= orders.fail {
        return Err(JobError::retry(format!("attempt {attempt} fails")));
    }
    Outcome::done(&json!({"by": "eventyard", "n": orders.n}))
}

/// A queue that keeps all its jobs and retries soon.
pub(crate) fn queue(name: &str, concurrency: usize) -> Queue {
    Queue::new(name)
        .concurrency(concurrency)
        .backoff(Backoff::fixed(Duration::from_millis(20)))
        .keep_completed(Keep::FOREVER)
        .keep_failed(Keep::FOREVER)
        .lease(Duration::from_secs(2))
}

/// An application with these queues and nobody who works on them.
pub(crate) fn plan(sides: &Sides, queues: &[&str], concurrency: usize) -> Eventyard {
    let Sides { store, inspect, clock } = sides.clone();
    let app = Eventyard::on_parts(store, inspect, clock);
    queues.iter().fold(app, |app, name| app.queue(queue(name, concurrency)))
}

/// Works on these queues; what is handled is noted in the `Seen` that is given.
pub(crate) async fn work(
    sides: &Sides,
    queues: &[&str],
    concurrency: usize,
    seen: std::sync::Arc<Seen>,
) -> Yard {
    let app = plan(sides, queues, concurrency).provide_arc(seen);
    let app = queues.iter().fold(app, |app, name| app.handle(name, handle));
    app.start().await.unwrap()
}

/// How many jobs of a queue are in each state.
pub(crate) async fn counts(yard: &Yard, queue: &str) -> Counts {
    let queues = yard.inspect().queues().await.unwrap();
    queues.get(&QueueName::new(queue).unwrap()).map(|status| status.counts).unwrap_or_default()
}

/// Waits until so many jobs of a queue are in a state.
pub(crate) async fn until(yard: &Yard, queue: &str, state: JobState, count: u64) {
    eventually(&format!("{count} jobs {state} on {queue}"), async || {
        (counts(yard, queue).await.get(state) == count).then_some(())
    })
    .await;
}

/// Makes sure that each of these jobs was handled once, and no other.
///
/// # Panics
/// When it was not: with how many, and some of them.
pub(crate) fn assert_each_once(handled: &[String], wanted: &[String], what: &str) {
    let mut times = BTreeMap::<&str, i64>::new();
    wanted.iter().for_each(|id| *times.entry(id).or_default() -= 1);
    handled.iter().for_each(|id| *times.entry(id).or_default() += 1);
    let wrong: Vec<_> = times.into_iter().filter(|(_, times)| *times != 0).collect();
    let some = &wrong[..wrong.len().min(3)];
    assert!(
        wrong.is_empty(),
        "{what}: {} of {} jobs were handled too often or not at all, such as {some:?}",
        wrong.len(),
        wanted.len()
    );
}

/// Makes sure that jobs were handled in this order.
///
/// # Panics
/// When they were not: with the first place that differs.
pub(crate) fn assert_order(handled: &[String], wanted: &[String], what: &str) {
    assert_eq!(handled.len(), wanted.len(), "{what}");
    let first = handled.iter().zip(wanted).position(|(handled, wanted)| handled != wanted);
    if let Some(at) = first {
        let (handled, wanted) = (&handled[at..], &wanted[at..]);
        let some = |ids: &[String]| ids.iter().take(5).cloned().collect::<Vec<_>>();
        panic!("{what}: from {at} on {:?}, not {:?}", some(handled), some(wanted));
    }
}
