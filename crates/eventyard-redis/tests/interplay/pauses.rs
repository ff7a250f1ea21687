//! Queues that one side pauses and the other one resumes: BullMQ 5 moves the jobs of a paused queue elsewhere, BullMQ 6 does
//! not, and a list that is renamed onto another one takes its place. No job is lost.

use std::{collections::BTreeSet, sync::Arc};

use eventyard::{
    JobRequest, Yard,
    model::{JobState, QueueName, SystemClock},
};
use serde_json::json;

use crate::{
    app::{self, Seen},
    node::{Node, VERSIONS},
    server::RedisServer,
    store,
};

const Q: &str = "q";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Node,
    Us,
}
use Who::{Node as TheNode, Us};

struct Stage {
    node: Node,
    yard: Yard,
    ids: BTreeSet<String>,
}

impl Stage {
    async fn add(&mut self, who: Who) {
        let id = match who {
            TheNode => {
                let job = self.node.queue(Q, "add", json!(["job", {"n": 1}])).await;
                job["id"].as_str().unwrap().to_owned()
            }
            Us => {
                let job = JobRequest::new(Q, "job").data(&json!({"n": 1})).unwrap();
                self.yard.enqueue(job).await.unwrap().id.to_string()
            }
        };
        assert!(self.ids.insert(id), "ids do not meet");
    }

    async fn pause(&self, who: Who, paused: bool) {
        let queue = QueueName::new(Q).unwrap();
        match (who, paused) {
            (TheNode, true) => drop(self.node.queue(Q, "pause", json!([])).await),
            (TheNode, false) => drop(self.node.queue(Q, "resume", json!([])).await),
            (Us, true) => self.yard.pause(queue).await.unwrap(),
            (Us, false) => self.yard.resume(queue).await.unwrap(),
        }
    }
}

/// Takes these steps on a new queue, then works on it: each job is handled.
async fn check(version: u8, steps: &[(Who, &str)]) {
    let server = RedisServer::start_with(&["appendonly no"]);
    let node = Node::start(server.port(), version).await;
    let sides = store::open(&server, Arc::new(SystemClock::default())).await;
    let yard = app::plan(&sides, &[Q], 5).workers(false).start().await.unwrap();
    let mut stage = Stage { node, yard, ids: BTreeSet::new() };
    for (who, step) in steps {
        match *step {
            "add" => stage.add(*who).await,
            "pause" => stage.pause(*who, true).await,
            "resume" => stage.pause(*who, false).await,
            other => panic!("no step is called {other}"),
        }
    }
    let seen = Arc::new(Seen::default());
    let other = store::open(&server, Arc::new(SystemClock::default())).await;
    let works = app::work(&other, &[Q], 5, Arc::clone(&seen)).await;
    let count = stage.ids.len() as u64;
    let kept = app::counts(&stage.yard, Q).await.total();
    assert_eq!(kept, count, "BullMQ {version}: jobs are lost by {steps:?}");
    app::until(&stage.yard, Q, JobState::Completed, count).await;
    let handled: BTreeSet<_> = seen.of(Q).into_iter().collect();
    assert_eq!(handled, stage.ids, "BullMQ {version}: {steps:?}");
    works.shutdown().await;
    stage.yard.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_is_lost() {
    let (pause, resume, add) = ("pause", "resume", "add");
    for version in VERSIONS {
        for pauses in [TheNode, Us] {
            for resumes in [TheNode, Us] {
                check(
                    version,
                    &[
                        (TheNode, add),
                        (Us, add),
                        (pauses, pause),
                        (Us, add),
                        (TheNode, add),
                        (Us, add),
                        (resumes, resume),
                        (TheNode, add),
                    ],
                )
                .await;
            }
            // Paused twice, by both.
            let other = if pauses == Us { TheNode } else { Us };
            check(
                version,
                &[
                    (Us, add),
                    (TheNode, add),
                    (pauses, pause),
                    (Us, add),
                    (other, pause),
                    (TheNode, add),
                    (Us, add),
                    (other, resume),
                ],
            )
            .await;
        }
        // Nobody can know which version will come.
        let late = [(Us, add), (Us, pause), (Us, add), (TheNode, add), (TheNode, resume)];
        check(version, &late).await;
    }
}
