//! A Node process with BullMQ that does what it is told, line by line; see `node/peer.mjs`.

use std::{
    collections::HashMap,
    env,
    io::{BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::oneshot;

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// The prefix of every queue.
pub(crate) const PREFIX: &str = "bull";
/// The versions of BullMQ that are spoken to.
pub(crate) const VERSIONS: [u8; 2] = [5, 6];

/// Looks until there is something.
///
/// # Panics
/// When there is nothing for too long.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

type Answers = HashMap<u64, oneshot::Sender<Result<Value, String>>>;

/// A process of its own. It closes what it opened when it is dropped.
pub(crate) struct Node {
    child: Child,
    input: Mutex<Option<ChildStdin>>,
    heard: Arc<Mutex<Heard>>,
    calls: AtomicU64,
}

#[derive(Default)]
struct Heard {
    answers: Answers,
    news: Vec<Value>,
    ended: bool,
}

impl Node {
    /// Starts one that uses this version of BullMQ, on the Redis at `port`.
    pub(crate) async fn start(port: u16, version: u8) -> Self {
        let arguments = [port.to_string(), PREFIX.to_owned(), version.to_string()];
        let mut child = script("peer.mjs")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("node cannot be run: {error}; run cargo xtask test"));
        let heard = Arc::new(Mutex::new(Heard::default()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let hears = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                hear(&mut hears.lock().unwrap(), &line);
            }
            let mut heard = hears.lock().unwrap();
            heard.ended = true;
            // Whoever waits is told by the end of its channel.
            heard.answers.clear();
        });
        let input = Mutex::new(child.stdin.take());
        let node = Self { child, input, heard, calls: AtomicU64::new(0) };
        eventually("node that is ready", async || node.news("ready").pop()).await;
        node
    }

    /// Calls a method of a queue.
    pub(crate) async fn queue(&self, queue: &str, call: &str, args: Value) -> Value {
        self.call(json!({"on": "queue", "name": queue, "call": call, "args": args})).await
    }

    /// Calls a method of a job.
    pub(crate) async fn job(&self, queue: &str, id: &str, call: &str, args: Value) -> Value {
        self.call(json!({"on": "job", "name": queue, "job": id, "call": call, "args": args})).await
    }

    /// Calls something else; `what` has no arguments if it names none.
    pub(crate) async fn call(&self, what: Value) -> Value {
        let answer = self.try_call(what.clone()).await;
        answer.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// The same, where it may be refused.
    pub(crate) async fn try_call(&self, mut what: Value) -> Result<Value, String> {
        let id = self.calls.fetch_add(1, Ordering::Relaxed);
        what["id"] = json!(id);
        let (answer, answered) = oneshot::channel();
        self.heard.lock().unwrap().answers.insert(id, answer);
        let sent = self.input.lock().unwrap().as_mut().map(|input| writeln!(input, "{what}"));
        assert!(matches!(sent, Some(Ok(()))), "{what}: node has ended");
        tokio::time::timeout(PATIENCE, answered)
            .await
            .unwrap_or_else(|_| panic!("{what}: no answer within {PATIENCE:?}"))
            .unwrap_or_else(|_| panic!("{what}: node ended"))
    }

    /// What it has told of this kind so far.
    pub(crate) fn news(&self, kind: &str) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        assert!(!heard.ended, "node ended by itself");
        heard.news.iter().filter(|news| news["news"] == kind).cloned().collect()
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The end of its input ends it, but not a handler that never returns.
        drop(self.input.lock().unwrap().take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hear(heard: &mut Heard, line: &str) {
    let Ok(mut line) = serde_json::from_str::<Value>(line) else {
        // Something that a library prints.
        eprintln!("node: {line}");
        return;
    };
    match line["id"].as_u64().filter(|_| line.get("news").is_none()) {
        None => heard.news.push(line),
        Some(id) => {
            let Some(answer) = heard.answers.remove(&id) else { return };
            // The caller may have given up.
            let _ = answer.send(match line.get("error") {
                Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
                None => Ok(line["ok"].take()),
            });
        }
    }
}

/// A script of these tests, with the packages that it imports.
pub(crate) fn script(name: &str) -> Command {
    // From the folder of any crate, since the tests of others use this too.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packages =
        env::var_os("EVENTYARD_NODE").map_or_else(|| root.join("target/tools/node"), PathBuf::from);
    assert!(
        packages.join("node_modules").exists(),
        "the test needs the packages in {}; install them with: cargo xtask test",
        packages.display()
    );
    let mut command = Command::new("node");
    command.arg(root.join("crates/eventyard-redis/tests/interplay/node").join(name));
    command.env("EVENTYARD_NODE", packages);
    command
}
