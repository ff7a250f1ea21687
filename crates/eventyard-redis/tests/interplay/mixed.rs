//! Workers of Node and of Eventyard on one queue, killed at random: each job is done, none is lost.
//!
//! Our workers are processes too: this very executable, told by an environment variable.

use std::{
    collections::BTreeSet,
    env,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use eventyard::{
    JobRequest,
    model::{JobState, SystemClock},
};
use serde_json::json;

use crate::{
    app,
    node::{Node, VERSIONS, eventually},
    server::RedisServer,
    store,
};

/// The address of the Redis that a worker process works on.
const URL: &str = "EVENTYARD_TEST_REDIS";
/// How many jobs, half of them from Node.
const COUNT: usize = 3000;
/// How often a worker is killed.
const KILLS: usize = 20;
/// How long the workers have between two kills.
const BETWEEN: Duration = Duration::from_millis(400);
const Q: &str = "q";

/// One worker in a process of its own.
enum Worker {
    Node(Node),
    Ours(Child),
}

impl Worker {
    /// Starts one; those with an even number are Node's, in either version.
    async fn start(number: usize, server: &RedisServer) -> Self {
        if number % 2 == 1 {
            let mut command = Command::new(env::current_exe().unwrap());
            command.args(["--exact", "mixed::each_job_is_done", "--nocapture"]);
            command.env(URL, server.url()).stdout(Stdio::null());
            return Self::Ours(command.spawn().unwrap());
        }
        let node = Node::start(server.port(), VERSIONS[number / 2 % 2]).await;
        let options = json!([{
            "concurrency": 10, "name": "node", "lockDuration": 2000, "stalledInterval": 1000,
            "maxStalledCount": 10,
        }]);
        node.call(json!({"on": "worker", "name": Q, "call": "start", "args": options})).await;
        Self::Node(node)
    }

    fn kill(self) {
        match self {
            Self::Node(node) => node.kill(),
            Self::Ours(mut child) => {
                child.kill().unwrap();
                child.wait().unwrap();
            }
        }
    }
}

/// Works until it is killed.
async fn victim(url: &str) -> ! {
    let sides = store::open_at(url, Arc::new(SystemClock::default())).await;
    let _yard = app::work(&sides, &[Q], 10, Arc::default()).await;
    std::future::pending().await
}

/// The same row of numbers in each run: which worker is the next to die.
fn random(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    usize::try_from(*seed % 1000).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_job_is_done() {
    if let Ok(url) = env::var(URL) {
        victim(&url).await;
    }
    let server = RedisServer::start();
    let sides = store::open(&server, Arc::new(SystemClock::default())).await;
    let yard = app::plan(&sides, &[Q], 10).workers(false).start().await.unwrap();
    let node = Node::start(server.port(), VERSIONS[0]).await;

    let data = |n: usize| json!({"n": n, "sleep": 5 + n % 60});
    let mut ids = BTreeSet::new();
    for from in (0..COUNT).step_by(100) {
        let theirs: Vec<_> = (from..from + 50)
            .map(|n| json!({"name": "job", "data": data(n), "opts": {"attempts": 3}}))
            .collect();
        let theirs = node.queue(Q, "addBulk", json!([theirs])).await;
        ids.extend(
            theirs.as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()),
        );
        let ours = (from + 50..from + 100)
            .map(|n| JobRequest::new(Q, "job").data(&data(n)).unwrap())
            .collect();
        let ours = yard.enqueue_all(ours).await.unwrap();
        ids.extend(ours.iter().map(|added| added.id.to_string()));
    }
    assert_eq!(ids.len(), COUNT);

    let mut workers = Vec::new();
    for number in 0..4 {
        workers.push(Worker::start(number, &server).await);
    }
    let mut seed = 0x2545_f491_4f6c_dd1d;
    let mut killed = [0, 0];
    for _ in 0..KILLS {
        let until = Instant::now() + BETWEEN;
        eventually("the time of the next kill", async || (Instant::now() >= until).then_some(()))
            .await;
        let number = random(&mut seed) % workers.len();
        killed[number % 2] += 1;
        let fresh = Worker::start(number, &server).await;
        std::mem::replace(&mut workers[number], fresh).kill();
    }
    assert!(killed[0] > 3 && killed[1] > 3, "both kinds are killed: {killed:?}");

    app::until(&yard, Q, JobState::Completed, COUNT as u64).await;
    let counts = app::counts(&yard, Q).await;
    assert_eq!(counts.total(), COUNT as u64, "no job is lost: {counts:?}");
    let theirs = node.queue(Q, "getJobCounts", json!([])).await;
    assert_eq!(theirs["completed"], COUNT, "{theirs}");

    let done = node.queue(Q, "getJobs", json!(["completed", 0, -1])).await;
    let (mut by_node, mut by_us, mut again) = (0, 0, 0);
    for job in done.as_array().unwrap() {
        assert!(ids.remove(job["id"].as_str().unwrap()), "{job} was added once");
        assert_eq!(job["returnvalue"]["n"], job["data"]["n"], "{job}");
        again += usize::from(job["attemptsStarted"] != 1);
        match job["returnvalue"]["by"].as_str() {
            Some("node") => by_node += 1,
            Some("eventyard") => by_us += 1,
            _ => panic!("{job}"),
        }
    }
    assert!(ids.is_empty(), "{ids:?}");
    println!("{by_node} by Node, {by_us} by us, {again} started again; kills {killed:?}");
    assert!(by_node > 0 && by_us > 0 && again > 0);

    workers.into_iter().for_each(Worker::kill);
    yard.shutdown().await;
}
