//! From Node to Eventyard: BullMQ adds jobs of every kind, our workers handle them, and everything that BullMQ can be asked
//! agrees with what happened.

use std::{collections::BTreeSet, sync::Arc};

use eventyard::{Yard, model::SystemClock};
use serde_json::{Value, json};

use crate::{
    app::{self, Seen},
    node::{Node, VERSIONS, eventually},
    server::RedisServer,
    store,
};

/// How many jobs of each kind.
const COUNT: usize = 1000;
/// How many of them are handled at once.
const CONCURRENCY: usize = 50;

/// A Redis, BullMQ, and our workers when they are asked for.
struct Stage {
    version: u8,
    server: RedisServer,
    node: Node,
    seen: Arc<Seen>,
}

impl Stage {
    async fn set(version: u8) -> Self {
        let server = RedisServer::start();
        let node = Node::start(server.port(), version).await;
        Self { version, server, node, seen: Arc::default() }
    }

    /// Has BullMQ listen to the events of queues.
    async fn listen(&self, queues: &[&str]) {
        for queue in queues {
            self.node.call(json!({"on": "events", "name": queue, "call": "listen"})).await;
        }
    }

    /// Has BullMQ add jobs of a kind.
    async fn produce(&self, kind: &str) -> Value {
        self.node.call(json!({"on": "kind", "name": kind, "call": kind, "args": [COUNT]})).await
    }

    async fn work(&self, queues: &[&str], concurrency: usize) -> Yard {
        let sides = store::open(&self.server, Arc::new(SystemClock::default())).await;
        app::work(&sides, queues, concurrency, Arc::clone(&self.seen)).await
    }

    /// What BullMQ tells those who wait for these jobs.
    async fn results(&self, queue: &str, ids: &[String]) -> Vec<Value> {
        let call = json!({"on": "events", "name": queue, "call": "results", "args": [ids, 30_000]});
        self.node.call(call).await.as_array().unwrap().clone()
    }

    /// Everything that BullMQ says about jobs that were all handled once: whoever waits for them is told their result,
    /// they are counted, found, and were told by events.
    async fn all_handled(&self, queue: &str, ids: &[String]) {
        let version = self.version;
        let results = self.results(queue, ids).await;
        assert_eq!(results.len(), ids.len());
        for result in &results {
            assert_eq!(result["ok"]["by"], "eventyard", "BullMQ {version}, {queue}: {result}");
        }
        self.counted(queue, "completed", ids.len()).await;

        for id in [&ids[0], &ids[ids.len() - 1]] {
            let job = self.node.queue(queue, "getJob", json!([id])).await;
            assert_eq!(job["returnvalue"]["by"], "eventyard", "{job}");
            assert_eq!(job["returnvalue"]["n"], job["data"]["n"], "{job}");
            assert_eq!((&job["attemptsMade"], &job["attemptsStarted"]), (&json!(1), &json!(1)));
            let at = |field: &str| job[field].as_i64().unwrap_or_else(|| panic!("{field}: {job}"));
            assert!(at("timestamp") <= at("processedOn") && at("processedOn") <= at("finishedOn"));
            assert_eq!(job["failedReason"], Value::Null, "{job}");
            assert_eq!(self.node.job(queue, id, "getState", json!([])).await, "completed");
        }

        let what = format!("BullMQ {version}, {queue}");
        app::assert_each_once(&self.seen.of(queue), ids, &what);

        eventually("all events", async || {
            let told = self.told(queue).await;
            (told["completed"] == ids.len()).then_some(())
        })
        .await;
        let told = self.told(queue).await;
        for event in ["added", "active", "completed"] {
            assert_eq!(told[event], ids.len(), "BullMQ {version}, {queue}: {event} of {told}");
        }
        assert_eq!(told["failed"], Value::Null, "{told}");
    }

    /// Makes sure that all jobs of a queue are in one state, as BullMQ counts.
    async fn counted(&self, queue: &str, state: &str, count: usize) {
        let counts = self.node.queue(queue, "getJobCounts", json!([])).await;
        for (each, number) in counts.as_object().unwrap() {
            let wanted = if each == state { count } else { 0 };
            assert_eq!(*number, wanted, "BullMQ {}, {queue}: {each} of {counts}", self.version);
        }
    }

    async fn told(&self, queue: &str) -> Value {
        self.node.call(json!({"on": "events", "name": queue, "call": "told"})).await["counts"]
            .take()
    }
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// Jobs of a kind that all are handled once.
async fn handles(kind: &str, count: usize) {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        stage.listen(&[kind]).await;
        let added = ids(&stage.produce(kind).await);
        assert_eq!(added.len(), count, "BullMQ {version}");
        let yard = stage.work(&[kind], CONCURRENCY).await;
        stage.all_handled(kind, &added).await;
        yard.shutdown().await;
    }
}

/// Jobs of a kind that are handled one by one, in an order of the numbers that they carry.
async fn handles_in_order(kind: &str, order: impl Fn(usize) -> usize) {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        stage.listen(&[kind]).await;
        let added = ids(&stage.produce(kind).await);
        let yard = stage.work(&[kind], 1).await;
        stage.all_handled(kind, &added).await;
        let mut wanted: Vec<_> = (0..COUNT).collect();
        // Stable: those that come to the same stay in the order in which they were added.
        wanted.sort_by_key(|n| order(*n));
        let wanted: Vec<_> = wanted.iter().map(|n| added[*n].clone()).collect();
        app::assert_order(&stage.seen.of(kind), &wanted, &format!("BullMQ {version}"));
        yard.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_jobs() {
    handles_in_order("plain", |n| n).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_with_ids_of_their_own() {
    handles("custom", COUNT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delayed_jobs() {
    handles("delayed", COUNT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prioritised_jobs() {
    handles_in_order("prioritised", |n| n % 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_in_first_out() {
    handles_in_order("lifo", |n| COUNT - n).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_in_bulk() {
    handles("bulk", COUNT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_say_the_same() {
    handles("deduplicated", COUNT / 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_of_three_levels() {
    let queues = ["flows-root", "flows-middle", "flows-leaf"];
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        stage.listen(&queues).await;
        let added = stage.produce("flows").await;
        let yard = stage.work(&queues, CONCURRENCY).await;
        for (queue, level) in queues.iter().zip(["root", "middle", "leaf"]) {
            stage.all_handled(queue, &ids(&added[level])).await;
        }

        let root = &ids(&added["root"])[0];
        let ask = json!([{"queueName": "flows-root", "id": root, "prefix": "bull"}]);
        let flow = stage.node.call(json!({"on": "flow", "call": "getFlow", "args": ask})).await;
        let middle = flow["children"].as_array().unwrap();
        assert_eq!(middle.len(), 2, "BullMQ {version}: {flow}");
        for middle in middle {
            assert_eq!(middle["job"]["returnvalue"]["by"], "eventyard", "{flow}");
            let leaves = middle["children"].as_array().unwrap();
            assert_eq!(leaves.len(), 2, "{flow}");
            assert!(leaves.iter().all(|leaf| leaf["job"]["returnvalue"]["by"] == "eventyard"));
        }
        let values = stage.node.job("flows-root", root, "getChildrenValues", json!([])).await;
        let values = values.as_object().unwrap();
        assert_eq!(values.len(), 2, "{values:?}");
        assert!(values.values().all(|value| value["by"] == "eventyard"), "{values:?}");
        yard.shutdown().await;
    }
}

/// Each run of a scheduler is made by whoever takes the one before: our workers here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedulers() {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        stage.listen(&["scheduled"]).await;
        stage.produce("scheduled").await;
        let yard = stage.work(&["scheduled"], CONCURRENCY).await;
        eventually("the last run of each scheduler", async || {
            let counts = stage.node.queue("scheduled", "getJobCounts", json!([])).await;
            (counts["completed"] == COUNT).then_some(())
        })
        .await;
        stage.counted("scheduled", "completed", COUNT).await;
        let handled = stage.seen.of("scheduled");
        let each: BTreeSet<_> = handled.iter().collect();
        assert_eq!((handled.len(), each.len()), (COUNT, COUNT), "each run is handled once");
        let schedulers = stage.node.queue("scheduled", "getJobSchedulers", json!([0, -1])).await;
        let schedulers = schedulers.as_array().unwrap();
        assert_eq!(schedulers.len(), COUNT / 20);
        assert!(schedulers.iter().all(|one| one["iterationCount"] == 20), "{schedulers:?}");
        yard.shutdown().await;
    }
}

/// Failed jobs have their reason, retried ones the number of their attempts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_and_retries() {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        stage.listen(&["q"]).await;
        let jobs: Vec<_> = (0..300)
            .map(|n| {
                let data = json!({"n": n, "fail": n % 4, "reject": n % 10 == 9});
                let opts = json!({"attempts": 3, "backoff": {"type": "fixed", "delay": 20}});
                json!({"name": "job", "data": data, "opts": opts})
            })
            .collect();
        let added = stage.node.queue("q", "addBulk", json!([jobs])).await;
        let added: Vec<_> = added
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["id"].as_str().unwrap().to_owned())
            .collect();
        let yard = stage.work(&["q"], CONCURRENCY).await;
        for (n, result) in stage.results("q", &added).await.iter().enumerate() {
            match (n % 10, n % 4) {
                (9, _) => assert_eq!(result["error"], "it makes no sense", "{n}: {result}"),
                (_, 3) => assert_eq!(result["error"], "attempt 3 fails", "{n}: {result}"),
                _ => assert_eq!(result["ok"]["n"], n, "BullMQ {version}, {n}: {result}"),
            }
        }
        let job = stage.node.queue("q", "getJob", json!([added[2]])).await;
        assert_eq!(
            (&job["attemptsMade"], &job["returnvalue"]["n"]),
            (&json!(3), &json!(2)),
            "{job}"
        );
        let job = stage.node.queue("q", "getJob", json!([added[3]])).await;
        assert_eq!(job["attemptsMade"], 3, "{job}");
        assert_eq!(job["failedReason"], "attempt 3 fails", "{job}");
        assert_eq!(job["stacktrace"].as_array().unwrap().len(), 3, "{job}");
        let job = stage.node.queue("q", "getJob", json!([added[9]])).await;
        assert_eq!(job["attemptsMade"], 1, "{job}");
        yard.shutdown().await;
    }
}

/// A worker that waits is seen by Node, and woken by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_worker() {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        stage.listen(&["q"]).await;
        let yard = stage.work(&["q"], CONCURRENCY).await;
        let workers = eventually("a worker", async || {
            let workers = stage.node.queue("q", "getWorkers", json!([])).await;
            workers.as_array().filter(|workers| !workers.is_empty()).cloned()
        });
        let name = workers.await[0]["rawname"].as_str().unwrap().to_owned();
        assert!(name.starts_with("bull:cQ=="), "{name}");

        for opts in [json!({}), json!({"priority": 3}), json!({"delay": 100})] {
            let job = stage.node.queue("q", "add", json!(["job", {"n": 1}, opts])).await;
            let id = job["id"].as_str().unwrap().to_owned();
            stage.results("q", std::slice::from_ref(&id)).await;
            let job = stage.node.queue("q", "getJob", json!([id])).await;
            let at = |field: &str| job[field].as_i64().unwrap();
            let due = at("timestamp") + opts["delay"].as_i64().unwrap_or(0);
            let waited = at("processedOn") - due;
            // Far less than the time after which a worker looks by itself.
            assert!((0..1000).contains(&waited), "BullMQ {version}, {opts}: after {waited} ms");
        }
        yard.shutdown().await;
    }
}
