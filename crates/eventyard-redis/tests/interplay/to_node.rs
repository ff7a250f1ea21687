//! From Eventyard to Node: we add jobs of every kind, BullMQ's workers handle them, and what we say about them agrees with
//! what happened.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use eventyard::{
    Backoff, Flow, JobOptions, JobRequest, Schedule, Yard,
    model::{
        Deduplication, GroupKey, JobId, JobKey, JobState, PageAsk, QueueName, SystemClock,
        inspect::{ChildOutcome, JobStatus},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    app,
    node::{Node, VERSIONS, eventually},
    server::RedisServer,
    store,
};

/// How many jobs of each kind.
const COUNT: usize = 1000;
/// How many are added, or handled, at once.
const CONCURRENCY: usize = 50;
/// The queue of most tests.
const Q: &str = "q";

/// A Redis, BullMQ, and an application of ours that only adds jobs.
struct Stage {
    version: u8,
    server: RedisServer,
    node: Node,
    yard: Yard,
}

impl Stage {
    async fn set(version: u8, queues: &[&str]) -> Self {
        let server = RedisServer::start();
        let node = Node::start(server.port(), version).await;
        let sides = store::open(&server, Arc::new(SystemClock::default())).await;
        let yard = app::plan(&sides, queues, CONCURRENCY).workers(false).start().await.unwrap();
        Self { version, server, node, yard }
    }

    /// Adds jobs, some at once; returns their ids.
    async fn add(&self, requests: impl IntoIterator<Item = JobRequest>) -> Vec<String> {
        let mut ids = Vec::new();
        let mut requests = requests.into_iter().peekable();
        while requests.peek().is_some() {
            let some =
                requests.by_ref().take(CONCURRENCY).map(|request| self.yard.enqueue(request));
            for added in join_all(some).await {
                ids.push(added.unwrap().id.to_string());
            }
        }
        ids
    }

    /// Has BullMQ work on a queue.
    async fn work(&self, node: &Node, queue: &str, concurrency: usize) {
        self.work_under(node, queue, concurrency, json!({})).await;
    }

    /// The same, with more options.
    async fn work_under(&self, node: &Node, queue: &str, concurrency: usize, more: Value) {
        let mut options = json!({"concurrency": concurrency, "name": "w"});
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let call = json!({"on": "worker", "name": queue, "call": "start", "args": [options]});
        node.call(call).await;
    }

    async fn status(&self, queue: &str, id: &str) -> JobStatus {
        let status = self.yard.inspect().job(&key(queue, id)).await.unwrap();
        status.unwrap_or_else(|| panic!("BullMQ {}: {queue}/{id} is there", self.version))
    }

    /// What we say about jobs that Node completed: they are counted, have their result, and each was handled once.
    async fn all_handled(&self, queue: &str, ids: &[String]) {
        let version = self.version;
        app::until(&self.yard, queue, JobState::Completed, ids.len() as u64).await;
        let counts = app::counts(&self.yard, queue).await;
        assert_eq!(counts.total(), ids.len() as u64, "BullMQ {version}, {queue}: {counts:?}");
        for id in [&ids[0], &ids[ids.len() / 2], &ids[ids.len() - 1]] {
            let status = self.status(queue, id).await;
            let result: Value = serde_json::from_slice(&status.result.unwrap()).unwrap();
            let data: Value = serde_json::from_slice(status.job.payload.data()).unwrap();
            assert_eq!(result, json!({"by": "node", "n": data["n"]}), "BullMQ {version}");
            assert_eq!((status.job.attempts_made, status.job.crashes), (1, 0), "{id}");
            assert_eq!(status.worker.unwrap().as_str(), "w");
            assert!(status.job.created_at <= status.started_at.unwrap(), "{id}");
            assert!(status.started_at <= status.finished_at, "{id}");
            assert_eq!((status.due_at, status.failure), (None, None));
        }
        eventually("what Node says", async || {
            (self.handled(queue).len() >= ids.len()).then_some(())
        })
        .await;
        let what = format!("BullMQ {version}, {queue}");
        app::assert_each_once(&self.handled(queue), ids, &what);
    }

    /// The ids of the jobs of a queue that Node handled, in order.
    fn handled(&self, queue: &str) -> Vec<String> {
        let news = self.node.news("handled").into_iter().filter(|news| news["queue"] == queue);
        news.map(|news| news["job"].as_str().unwrap().to_owned()).collect()
    }
}

fn key(queue: &str, id: &str) -> JobKey {
    JobKey { queue: QueueName::new(queue).unwrap(), id: JobId::new(id).unwrap() }
}

/// The job with this number.
fn job(n: usize) -> JobRequest {
    JobRequest::new(Q, "job").data(&json!({ "n": n })).unwrap()
}

fn job_with(n: usize, set: impl FnOnce(&mut JobOptions)) -> JobRequest {
    let mut job = job(n);
    set(&mut job.options);
    job
}

/// Jobs that are added together and all are handled once.
async fn handles(count: usize, request: impl Fn(usize) -> JobRequest) {
    for version in VERSIONS {
        let stage = Stage::set(version, &[Q]).await;
        let ids = stage.add((0..COUNT).map(&request)).await;
        let each: BTreeSet<_> = ids.into_iter().collect();
        assert_eq!(each.len(), count, "BullMQ {version}");
        stage.work(&stage.node, Q, CONCURRENCY).await;
        stage.all_handled(Q, &each.into_iter().collect::<Vec<_>>()).await;
        stage.yard.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_jobs() {
    handles(COUNT, job).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_with_ids_of_their_own() {
    handles(COUNT, |n| job(n).id(JobId::new(format!("order-{n}")).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delayed_jobs() {
    let delay = |n: usize| Duration::from_millis(20 + (n as u64 % 50) * 10);
    handles(COUNT, |n| job(n).delay(delay(n))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_say_the_same() {
    let request = |n: usize| {
        let deduplication = Deduplication {
            id: GroupKey::new(format!("said-{}", n % (COUNT / 2))).unwrap(),
            ttl: None,
            extend: false,
            replace: false,
            keep_last_if_active: false,
        };
        job_with(n, |options| options.deduplication = Some(deduplication))
    };
    handles(COUNT / 2, request).await;
}

/// Adds jobs one after the other, so that their order is known, and has Node handle them one by one.
async fn handles_in_order(request: impl Fn(usize) -> JobRequest, order: impl Fn(usize) -> usize) {
    for version in VERSIONS {
        let stage = Stage::set(version, &[Q]).await;
        let mut ids = Vec::new();
        for n in 0..COUNT {
            ids.extend(stage.add([request(n)]).await);
        }
        stage.work(&stage.node, Q, 1).await;
        stage.all_handled(Q, &ids).await;
        let mut wanted: Vec<_> = (0..COUNT).collect();
        wanted.sort_by_key(|n| order(*n));
        let wanted: Vec<_> = wanted.iter().map(|n| ids[*n].clone()).collect();
        app::assert_order(&stage.handled(Q), &wanted, &format!("BullMQ {version}"));
        stage.yard.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_in_first_out() {
    handles_in_order(job, |n| n).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prioritised_jobs() {
    let priority = |n: usize| 1 + u32::try_from(n % 10).unwrap();
    handles_in_order(|n| job(n).priority(priority(n)), |n| n % 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_in_first_out() {
    handles_in_order(|n| job(n).lifo(), |n| COUNT - n).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_in_bulk() {
    for version in VERSIONS {
        let stage = Stage::set(version, &[Q]).await;
        let mut ids = Vec::new();
        for from in (0..COUNT).step_by(100) {
            let added =
                stage.yard.enqueue_all((from..from + 100).map(job).collect()).await.unwrap();
            ids.extend(added.iter().map(|added| added.id.to_string()));
        }
        stage.work(&stage.node, Q, 1).await;
        stage.all_handled(Q, &ids).await;
        app::assert_order(&stage.handled(Q), &ids, &format!("BullMQ {version}"));
        stage.yard.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_of_three_levels() {
    const QUEUES: [&str; 3] = ["root", "middle", "leaf"];
    for version in VERSIONS {
        let stage = Stage::set(version, &QUEUES).await;
        let node = |level: usize, n: usize| {
            JobRequest::new(QUEUES[level], "job").data(&json!({ "n": n })).unwrap()
        };
        let mut ids = [vec![], vec![], vec![]];
        for n in 0..COUNT / 7 {
            let middle =
                |m| Flow::new(node(1, m)).children([node(2, 0), node(2, 1)].map(Flow::new));
            let flow = Flow::new(node(0, n)).children([middle(0), middle(1)]);
            let added = stage.yard.enqueue_flow(flow).await.unwrap();
            ids[0].push(added.job.id.to_string());
            for middle in &added.children {
                ids[1].push(middle.job.id.to_string());
                ids[2].extend(middle.children.iter().map(|leaf| leaf.job.id.to_string()));
            }
        }
        for queue in QUEUES {
            stage.work(&stage.node, queue, CONCURRENCY).await;
        }
        for (queue, ids) in QUEUES.iter().zip(&ids) {
            stage.all_handled(queue, ids).await;
        }

        let root = key("root", &ids[0][0]);
        let children = stage.yard.children(&root, PageAsk::first(10)).await.unwrap().items;
        assert_eq!(children.len(), 2, "BullMQ {version}: {children:?}");
        for child in &children {
            let ChildOutcome::Completed(Some(result)) = &child.outcome else {
                panic!("BullMQ {version}: {child:?}");
            };
            let result: Value = serde_json::from_slice(result).unwrap();
            assert_eq!(result["by"], "node", "{result}");
        }
        let ask = json!([{"queueName": "root", "id": root.id.as_str(), "prefix": "bull"}]);
        let flow = stage.node.call(json!({"on": "flow", "call": "getFlow", "args": ask})).await;
        let leaves = flow["children"].as_array().unwrap().iter();
        let leaves = leaves.map(|middle| middle["children"].as_array().unwrap().len());
        assert_eq!(leaves.collect::<Vec<_>>(), [2, 2], "BullMQ {version}: {flow}");
        stage.yard.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules() {
    for version in VERSIONS {
        let stage = Stage::set(version, &[Q]).await;
        stage.work(&stage.node, Q, CONCURRENCY).await;
        for n in 0..COUNT / 20 {
            let every = Duration::from_millis(100);
            let schedule = Schedule::every(format!("tick-{n}"), every).limit(20).job(job(n));
            stage.yard.upsert_schedule(schedule).await.unwrap();
        }
        app::until(&stage.yard, Q, JobState::Completed, COUNT as u64).await;
        let handled = stage.handled(Q);
        let each: BTreeSet<_> = handled.iter().collect();
        assert_eq!((handled.len(), each.len()), (COUNT, COUNT), "each is handled once");
        stage.yard.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_and_retries() {
    for version in VERSIONS {
        let stage = Stage::set(version, &[Q]).await;
        let requests = (0..300).map(|n| {
            let data = json!({"n": n, "fail": n % 4, "reject": n % 10 == 9});
            let mut job = JobRequest::new(Q, "job").data(&data).unwrap();
            job.options.attempts = Some(3);
            job.options.backoff = Some(Backoff::fixed(Duration::from_millis(20)));
            job
        });
        let ids = stage.add(requests).await;
        stage.work(&stage.node, Q, CONCURRENCY).await;
        let failed = |n: usize| n % 10 == 9 || n % 4 == 3;
        let dead = (0..300).filter(|n| failed(*n)).count() as u64;
        app::until(&stage.yard, Q, JobState::Failed, dead).await;
        app::until(&stage.yard, Q, JobState::Completed, 300 - dead).await;
        for (n, id) in ids.iter().enumerate() {
            let status = stage.status(Q, id).await;
            let (state, attempts, why) = match (n % 10, n % 4) {
                (9, _) => (JobState::Failed, 1, Some("it makes no sense")),
                (_, 3) => (JobState::Failed, 3, Some("attempt 3 fails")),
                (_, fails) => (JobState::Completed, fails + 1, None),
            };
            assert_eq!(status.state, state, "BullMQ {version}: job {n}");
            assert_eq!(status.job.attempts_made as usize, attempts, "BullMQ {version}: job {n}");
            let failure = status.failure.map(|failure| failure.message);
            assert_eq!(failure.as_deref(), why, "BullMQ {version}: job {n}");
        }
        stage.yard.shutdown().await;
    }
}

/// A worker in Node is killed with jobs in its hands; another one takes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalls() {
    for version in VERSIONS {
        let stage = Stage::set(version, &[Q]).await;
        let slow =
            |n: usize| JobRequest::new(Q, "job").data(&json!({"n": n, "sleep": 200})).unwrap();
        let ids = stage.add((0..100).map(slow)).await;
        let soon = json!({"lockDuration": 2000, "stalledInterval": 1000, "maxStalledCount": 5});
        let victim = Node::start(stage.server.port(), version).await;
        stage.work_under(&victim, Q, CONCURRENCY, soon.clone()).await;
        eventually("jobs in its hands", async || {
            (victim.news("handled").len() >= CONCURRENCY).then_some(())
        })
        .await;
        victim.kill();
        stage.work_under(&stage.node, Q, CONCURRENCY, soon).await;
        app::until(&stage.yard, Q, JobState::Completed, 100).await;
        let handled: BTreeSet<_> = stage.handled(Q).into_iter().collect();
        assert!(handled.len() >= 50, "those that nobody had, and those that stalled");
        let mut stalled = 0;
        for id in &ids {
            let status = stage.status(Q, id).await;
            assert_eq!(status.state, JobState::Completed, "BullMQ {version}: {id}");
            stalled += u32::from(status.job.crashes > 0);
        }
        assert!(stalled > 0, "BullMQ {version}: we are told of stalls");
        stage.yard.shutdown().await;
    }
}

/// A worker in Node that waits is woken by a job of ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_worker() {
    for version in VERSIONS {
        let stage = Stage::set(version, &[Q]).await;
        stage.work(&stage.node, Q, 1).await;
        let delay = Duration::from_millis(100);
        for request in [job(1), job(2).priority(3), job(3).delay(delay), job(4).lifo()] {
            let wait = request.options.delay.unwrap_or_default();
            let id = stage.add([request]).await.remove(0);
            let status = eventually("a job that is handled", async || {
                let status = stage.status(Q, &id).await;
                (status.state == JobState::Completed).then_some(status)
            })
            .await;
            let due = status.job.created_at + wait;
            let started = status.started_at.unwrap();
            assert!(started >= due, "BullMQ {version}: {started:?} is before {due:?}");
            // Far less than the time after which a worker in Node looks by itself.
            assert!(
                started < due + Duration::from_secs(1),
                "BullMQ {version}: {started:?}, {due:?}"
            );
        }
        stage.yard.shutdown().await;
    }
}
