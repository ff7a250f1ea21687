//! Compares sends to rooms and to everyone with `socket.io` on Node, in one run on one machine.
//!
//! ```text
//! EVENTYARD_NODE=FOLDER cargo run --release -p eventyard-realtime --example compare [SOCKETS]
//! ```
//!
//! `FOLDER/node_modules` has `socket.io` and `socket.io-client` (`npm install --prefix FOLDER socket.io@4.8.4
//! socket.io-client@4.8.4`). Each server is a process of its own; one process of plain WebSockets is the crowd.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::{env, process::Stdio, sync::Arc, time::Instant};

use eventyard::{
    Eventyard, JobRequest,
    model::{Clock, SystemClock},
};
use eventyard_realtime::{InProcess, Message, Options, Policy, Realtime, default_queue};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

const SECRET: &str = "the secret of this comparison, long enough";
/// How many sockets are in each room.
const ROOM: usize = 10;
/// How many messages are delivered in one wave; then the crowd says that it has them all.
const WAVE: usize = 20_000;
/// How many waves are measured, after some that are not.
const WAVES: usize = 30;
const WARM_UP: usize = 5;

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some("serve") => serve().await,
        sockets => compare(sockets.map_or(1000, |n| n.parse().unwrap())).await,
    }
}

async fn compare(sockets: usize) {
    let folder = env::temp_dir().join(format!("eventyard-compare-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let tokens = folder.join("tokens.json");
    std::fs::write(&tokens, crowd_of(sockets)).unwrap();
    println!("{sockets} sockets, {ROOM} in a room, {WAVES} waves of {WAVE} deliveries");
    let own = env::current_exe().unwrap();
    let node = |script: &str| {
        let mut command = Command::new("node");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node/").to_owned() + script);
        command
    };
    let rust = || {
        let mut command = Command::new(&own);
        command.arg("serve");
        command
    };
    // Each twice, so that the order does not decide.
    for (name, command, cases) in [
        ("socket.io", node("peer.mjs"), &["broadcast", "rooms"][..]),
        ("eventyard", rust(), &["broadcast", "rooms", "jobs"]),
        ("socket.io", node("peer.mjs"), &["broadcast", "rooms"]),
        ("eventyard", rust(), &["broadcast", "rooms", "jobs"]),
    ] {
        let mut server = Process::start(command);
        let url = server.line().await;
        let mut crowd = node("crowd.mjs");
        crowd.arg(&url).arg(&tokens);
        let mut crowd = Process::start(crowd);
        assert_eq!(crowd.line().await, "ready");
        let mut expected = 0;
        for case in cases {
            let each = if *case == "broadcast" { sockets } else { ROOM };
            let sends = WAVE / each;
            let mut begin = (Instant::now(), server.cpu_ms());
            for wave in 0..WARM_UP + WAVES {
                if wave == WARM_UP {
                    begin = (Instant::now(), server.cpu_ms());
                }
                expected += sends * each;
                crowd.tell(&format!("expect {expected}")).await;
                server.tell(&format!("{case} {sends} {}", sockets / ROOM)).await;
                assert_eq!(crowd.line().await, format!("done {expected}"));
            }
            let (took, cpu) = (begin.0.elapsed().as_secs_f64(), server.cpu_ms() - begin.1);
            let deliveries = (WAVES * sends * each) as f64;
            println!(
                "{name:<10} {case:<10} {:>9.0} sends/s {:>9.0} deliveries/s {:>6.2} us of CPU a delivery {:>5} MiB",
                (WAVES * sends) as f64 / took,
                deliveries / took,
                cpu as f64 * 1000.0 / deliveries,
                server.memory_mib(),
            );
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// The tokens of the crowd, each with a room.
fn crowd_of(sockets: usize) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let one = |n: usize| {
        let room = format!("room:{}", n % (sockets / ROOM));
        let claims = json!({"userId": format!("u{n}"), "exp": 4_102_444_800_i64, "rooms": [room]});
        json!({"token": encode(&Header::default(), &claims, &key).unwrap()})
    };
    serde_json::to_string(&(0..sockets).map(one).collect::<Vec<_>>()).unwrap()
}

/// The server on Eventyard.
async fn serve() {
    let mut options = Options::new(Policy::secret(SECRET));
    options.jobs = None;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let relay = Arc::new(InProcess::default());
    let realtime = Realtime::start(options, relay, clock).await.unwrap();
    let app = realtime.handlers(Eventyard::in_memory().queue(default_queue()));
    let yard = app.start().await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let router = realtime.router(&yard);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let words: Vec<&str> = line.split(' ').collect();
        let (times, rooms): (usize, usize) = (words[1].parse().unwrap(), words[2].parse().unwrap());
        let message = |n: usize| {
            let data = json!({"n": n, "text": "the quick brown fox jumps over the lazy dog"});
            match words[0] {
                "broadcast" => Message::to_everyone("m", &data),
                _ => Message::to_room(format!("room:{}", n % rooms), "m", &data),
            }
            .unwrap()
        };
        if words[0] == "jobs" {
            let jobs: Vec<JobRequest> =
                (0..times).map(|n| message(n).into_job().unwrap()).collect();
            yard.enqueue_all(jobs).await.unwrap();
            continue;
        }
        for n in 0..times {
            realtime.send([message(n)]).await.unwrap();
        }
    }
}

/// A child that is told and tells lines. It is killed when it is dropped.
struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .env("JWT_SECRET", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, output }
    }

    async fn line(&mut self) -> String {
        self.output.next_line().await.unwrap().expect("it runs")
    }

    async fn tell(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// How much processor time it has used; Linux counts in hundredths of a second.
    fn cpu_ms(&self) -> u64 {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = |field: usize| fields[field].parse::<u64>().unwrap();
        (ticks(11) + ticks(12)) * 10
    }

    fn memory_mib(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id().unwrap())).unwrap()
    }
}
