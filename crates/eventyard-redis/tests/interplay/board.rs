//! Bull Board on our queues: it shows them, and we obey what people do there.

use std::sync::Arc;

use eventyard::{
    JobRequest, Yard,
    model::{JobId, JobKey, JobState, QueueName, SystemClock, inspect::JobStatus},
    secs,
};
use serde_json::{Value, json};

use crate::{
    app::{self, Seen},
    node::{Node, VERSIONS, eventually},
    server::RedisServer,
    store,
};

const Q: &str = "q";

/// A queue of ours with workers, and a board that shows it.
struct Stage {
    version: u8,
    node: Node,
    yard: Yard,
    seen: Arc<Seen>,
    _server: RedisServer,
}

impl Stage {
    async fn set(version: u8) -> Self {
        let server = RedisServer::start();
        let node = Node::start(server.port(), version).await;
        let sides = store::open(&server, Arc::new(SystemClock::default())).await;
        let seen = Arc::default();
        let yard = app::work(&sides, &[Q], 5, Arc::clone(&seen)).await;
        node.call(json!({"on": "board", "call": "serve", "args": [Q]})).await;
        Self { version, node, yard, seen, _server: server }
    }

    /// Does on the board what its page does by this call.
    async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let args = json!([method, format!("/api/queues{path}"), body]);
        self.node.call(json!({"on": "board", "call": "ask", "args": args})).await
    }

    /// What the board shows of the queue, with the jobs in a state.
    async fn shown(&self, state: &str) -> Value {
        let path = format!("?activeQueue={Q}&status={state}&page=1&jobsPerPage=100");
        let mut answer = self.ask("GET", &path, Value::Null).await;
        answer["queues"][0].take()
    }

    async fn add(&self, id: &str, data: Value, delay: u64) {
        let job = JobRequest::new(Q, "job").data(&data).unwrap();
        let job = job.id(JobId::new(id).unwrap());
        let job = if delay > 0 { job.delay(secs(delay)) } else { job };
        self.yard.enqueue(job).await.unwrap();
    }

    async fn status(&self, id: &str) -> Option<JobStatus> {
        self.yard.inspect().job(&key(id)).await.unwrap()
    }

    async fn becomes(&self, id: &str, state: JobState) -> JobStatus {
        eventually(&format!("BullMQ {}: {id} {state}", self.version), async || {
            self.status(id).await.filter(|status| status.state == state)
        })
        .await
    }
}

fn key(id: &str) -> JobKey {
    JobKey { queue: QueueName::new(Q).unwrap(), id: JobId::new(id).unwrap() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_queues_are_shown() {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        stage.add("good", json!({"n": 1}), 0).await;
        stage.add("bad", json!({"n": 2, "reject": true}), 0).await;
        stage.add("later", json!({"n": 3}), 600).await;
        stage.becomes("good", JobState::Completed).await;
        stage.becomes("bad", JobState::Failed).await;

        let shown = stage.shown("failed").await;
        let counts = ["completed", "failed", "delayed"].map(|state| shown["counts"][state].clone());
        assert_eq!(counts, [1, 1, 1], "BullMQ {version}: {shown}");
        assert_eq!((&shown["isPaused"], &shown["hasWorkers"]), (&json!(false), &json!(true)));
        let [job] = &shown["jobs"].as_array().unwrap()[..] else { panic!("{shown}") };
        assert_eq!((&job["id"], &job["name"]), (&json!("bad"), &json!("job")), "{job}");
        assert_eq!(job["failedReason"], "it makes no sense", "{job}");
        assert_eq!(job["isFailed"], true, "{job}");
        let shown = stage.shown("completed").await;
        assert_eq!(shown["jobs"][0]["returnValue"], json!({"by": "eventyard", "n": 1}), "{shown}");
        assert_eq!(shown["jobs"][0]["data"]["n"], 1, "{shown}");
        assert_eq!(shown["jobs"][0]["attempts"], 1, "{shown}");
        let shown = stage.shown("delayed").await;
        assert_eq!(shown["jobs"][0]["delay"], 600_000, "{shown}");
        stage.yard.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_steered() {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        let nothing = Value::Null;

        stage.add("bad", json!({"reject": true}), 0).await;
        stage.becomes("bad", JobState::Failed).await;
        stage.ask("PATCH", "/q/bad/update-data", json!({"jobData": {"n": 7}})).await;
        stage.ask("PUT", "/q/bad/retry", nothing.clone()).await;
        let status = stage.becomes("bad", JobState::Completed).await;
        assert_eq!(status.result.as_deref(), Some(&br#"{"by":"eventyard","n":7}"#[..]));

        stage.add("later", json!({"n": 1}), 600).await;
        stage.ask("PUT", "/q/later/promote", nothing.clone()).await;
        stage.becomes("later", JobState::Completed).await;

        stage.add("unwanted", json!({"n": 1}), 600).await;
        stage.ask("PUT", "/q/unwanted/clean", nothing.clone()).await;
        assert_eq!(stage.status("unwanted").await, None);

        let new = json!({"name": "job", "data": {"n": 5}, "options": {"jobId": "new"}});
        stage.ask("POST", "/q/add", new).await;
        stage.becomes("new", JobState::Completed).await;
        assert_eq!(stage.seen.of(Q), ["bad", "bad", "later", "new"], "BullMQ {version}");
        stage.yard.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_are_steered() {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        let nothing = Value::Null;

        for id in ["x", "y"] {
            stage.add(id, json!({"reject": true}), 0).await;
            stage.becomes(id, JobState::Failed).await;
        }
        stage.ask("PUT", "/q/retry/failed", nothing.clone()).await;
        eventually("both again", async || (stage.seen.of(Q).len() == 4).then_some(())).await;
        stage.becomes("x", JobState::Failed).await;
        stage.becomes("y", JobState::Failed).await;

        // It cleans what is older than five seconds.
        eventually("cleaning", async || {
            stage.ask("PUT", "/q/clean/failed", nothing.clone()).await;
            let gone = stage.status("x").await.is_none() && stage.status("y").await.is_none();
            gone.then_some(())
        })
        .await;

        stage.ask("PUT", "/q/pause", nothing.clone()).await;
        stage.add("waits", json!({}), 0).await;
        assert_eq!(stage.status("waits").await.unwrap().state, JobState::Paused);
        let shown = stage.shown("latest").await;
        assert_eq!(shown["isPaused"], true, "{shown}");
        let queues = stage.yard.inspect().queues().await.unwrap();
        assert!(queues[&QueueName::new(Q).unwrap()].paused, "BullMQ {version}");
        stage.ask("PUT", "/q/resume", nothing.clone()).await;
        stage.becomes("waits", JobState::Completed).await;

        // The other way round: what we pause and limit is shown.
        stage.yard.pause(QueueName::new(Q).unwrap()).await.unwrap();
        assert_eq!(stage.shown("latest").await["isPaused"], true, "BullMQ {version}");
        stage.add("dropped", json!({}), 0).await;
        stage.ask("PUT", "/q/empty", nothing.clone()).await;
        assert_eq!(stage.status("dropped").await, None, "BullMQ {version}");
        stage.yard.resume(QueueName::new(Q).unwrap()).await.unwrap();
        assert_eq!(stage.shown("latest").await["isPaused"], false, "BullMQ {version}");

        stage.ask("PUT", "/q/concurrency", json!({"concurrency": 2})).await;
        let queues = stage.yard.inspect().queues().await.unwrap();
        let limits = &queues[&QueueName::new(Q).unwrap()].limits;
        assert_eq!(limits.concurrency, Some(2), "BullMQ {version}");
        stage.yard.shutdown().await;
    }
}
