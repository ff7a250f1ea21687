//! Crashes: a real process with the embedded store is aborted at named points, started again until its work is
//! done, and then everything is counted.
//!
//! A test starts this very executable as the victim: the same test, told by an environment variable.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{
    collections::{BTreeMap, HashSet},
    env,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use eventyard::{
    Context, Dep, Event, Eventyard, JobError, Queue,
    event::WithAttributes,
    model::{
        EventId, JobState,
        inspect::{DocumentFilter, MAX_PAGE, PageAsk},
    },
};
use serde::{Deserialize, Serialize};

/// The folder of the victim's files.
const FOLDER: &str = "EVENTYARD_TEST_CRASH_FOLDER";
/// The run of the handler, counted from the start of the process, in which it aborts.
const IN_HANDLER: &str = "EVENTYARD_TEST_CRASH_IN_HANDLER";
/// The step that was saved, counted from the start of the process, behind which it aborts.
const BEHIND_STEP: &str = "EVENTYARD_TEST_CRASH_BEHIND_STEP";
/// How many events the victim publishes in all.
const EVENTS: usize = 200;
/// How many jobs it works on at once.
const CONCURRENCY: usize = 10;
/// How often it is started at the most.
const MAX_STARTS: usize = 20;

#[derive(Event, Serialize, Deserialize)]
#[event("thing.happened")]
struct Happened {
    number: usize,
}

#[derive(Event, Serialize, Deserialize)]
#[event("thing.noted")]
struct Noted {
    number: usize,
}

/// Lines on disk that survive the process.
struct Journal(Mutex<File>);

impl Journal {
    fn open(path: &Path) -> Self {
        Self(Mutex::new(OpenOptions::new().create(true).append(true).open(path).unwrap()))
    }

    fn add(&self, number: usize) {
        // In one write: the process may be aborted between two.
        self.0.lock().unwrap().write_all(format!("{number}\n").as_bytes()).unwrap();
    }

    /// How often each number stands in the journal.
    fn count(path: &Path) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            *counts.entry(line.parse().unwrap()).or_default() += 1;
        }
        counts
    }
}

/// Where a handler aborts its process.
struct Crash {
    at: Option<u32>,
    passed: AtomicU32,
}

impl Crash {
    fn told_by(variable: &str) -> Self {
        let at = env::var(variable).ok().map(|at| at.parse().unwrap());
        Self { at, passed: AtomicU32::new(0) }
    }

    fn pass(&self) {
        if Some(self.passed.fetch_add(1, Ordering::Relaxed)) == self.at {
            std::process::abort();
        }
    }
}

struct Crashes {
    in_handler: Crash,
    behind_step: Crash,
}

/// What the victim writes down: each run of a handler; each step, with one line when it is done and one when it is saved.
struct Journals {
    runs: Journal,
    steps: Journal,
}

/// The lines of a step that is done, and of one that is saved.
const fn done(number: usize) -> usize {
    2 * number
}

const fn saved(number: usize) -> usize {
    done(number) + 1
}

async fn note(
    event: Happened,
    journals: Dep<Journals>,
    crashes: Dep<Crashes>,
    cx: Context,
) -> Result<(), JobError> {
    journals.runs.add(event.number);
    crashes.in_handler.pass();
    let step = async || {
        journals.steps.add(done(event.number));
        Ok::<_, JobError>(event.number)
    };
    assert_eq!(cx.step("note", step).await?, event.number);
    journals.steps.add(saved(event.number));
    crashes.behind_step.pass();
    cx.publish(Noted { number: event.number });
    cx.put_document("noted", &format!("{:04}", event.number), &event.number, Some(0));
    Ok(())
}

/// Publishes what has not been acknowledged yet, and works until nothing is left.
#[tokio::main]
async fn victim(folder: &Path) {
    let acknowledged = Journal::count(&folder.join("acknowledged"));
    let acknowledge = Journal::open(&folder.join("acknowledged"));
    let url = format!("sqlite://{}", folder.join("store.db").display());
    let yard = Eventyard::open(&url)
        .await
        .unwrap()
        .queue(Queue::new("things").concurrency(CONCURRENCY).attempts(1))
        .queue(Queue::new("notes").concurrency(CONCURRENCY))
        .route("thing.happened", "things")
        .route("thing.noted", "notes")
        .handle("things", note)
        .handle("notes", async |_: Noted| Ok::<(), JobError>(()))
        .provide(Journals {
            runs: Journal::open(&folder.join("runs")),
            steps: Journal::open(&folder.join("steps")),
        })
        .provide(Crashes {
            in_handler: Crash::told_by(IN_HANDLER),
            behind_step: Crash::told_by(BEHIND_STEP),
        })
        .start()
        .await
        .unwrap();
    for number in (0..EVENTS).filter(|number| !acknowledged.contains_key(number)) {
        let id = EventId::new(format!("thing-{number}")).unwrap();
        yard.publish(WithAttributes::new(Happened { number }).id(id)).await.unwrap();
        acknowledge.add(number);
    }
    loop {
        let queues = yard.inspect().queues().await.unwrap();
        let is_open = |state| queues.values().any(|queue| queue.counts.get(state) > 0);
        if ![JobState::Waiting, JobState::Delayed, JobState::Active].into_iter().any(is_open) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    yard.shutdown().await;
}

/// Starts the victim until it ends well, with `crash` in its environment for the first `crashes` times.
fn crash_and_count(test: &str, crash: &(&str, String), crashes: usize) {
    if let Some(folder) = env::var_os(FOLDER) {
        return victim(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut starts = 0;
    loop {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env(FOLDER, folder.path());
        if starts < crashes {
            command.env(crash.0, &crash.1);
        }
        let output = command.output().unwrap();
        starts += 1;
        if output.status.success() {
            break;
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(starts <= crashes, "{crash:?}: a run without a crash failed: {errors}");
        assert!(starts < MAX_STARTS, "{crash:?}: it never ends well");
    }
    assert_eq!(starts, crashes + 1, "{crash:?}: every crash happened");
    tokio::runtime::Runtime::new().unwrap().block_on(check(folder.path(), crashes, crash));
}

async fn check(folder: &Path, crashes: usize, crash: &(&str, String)) {
    let runs = Journal::count(&folder.join("runs"));
    assert_eq!(runs.len(), EVENTS, "{crash:?}: every acknowledged event was handled");
    let again: usize = runs.values().map(|times| times - 1).sum();
    let bound = crashes * 2 * CONCURRENCY;
    assert!(again <= bound, "{crash:?}: {again} runs were repeated, more than {bound}");

    check_steps(folder, &runs, crash);

    let url = format!("sqlite://{}", folder.join("store.db").display());
    let yard = Eventyard::open(&url).await.unwrap().start().await.unwrap();
    let filter =
        DocumentFilter { collection: "noted".into(), prefix: String::new(), newest_first: false };
    let documents = yard.inspect().documents(filter, PageAsk::first(MAX_PAGE)).await.unwrap().items;
    assert_eq!(documents.len(), EVENTS, "{crash:?}");
    assert!(documents.iter().all(|document| document.version == 1), "{crash:?}: written once");
    let queues = yard.inspect().queues().await.unwrap();
    let counts: Vec<_> = queues
        .iter()
        .map(|(name, queue)| {
            (name.as_str(), queue.counts.get(JobState::Completed), queue.counts.total())
        })
        .collect();
    let all = EVENTS as u64;
    assert_eq!(counts, [("notes", all, all), ("things", all, all)], "{crash:?}: published once");
    yard.shutdown().await;
}

/// No step ran again that was saved, also where its handler ran again.
fn check_steps(folder: &Path, runs: &BTreeMap<usize, usize>, crash: &(&str, String)) {
    let path = folder.join("steps");
    let mut known = HashSet::new();
    for line in fs::read_to_string(&path).unwrap().lines() {
        let line: usize = line.parse().unwrap();
        let number = line / 2;
        if line == saved(number) {
            known.insert(number);
        } else {
            assert!(!known.contains(&number), "{crash:?}: step {number} was saved, and ran again");
        }
    }
    assert_eq!(known.len(), EVENTS, "{crash:?}");
    if crash.0 == BEHIND_STEP {
        let times = Journal::count(&path);
        let spared = |(number, runs): (&usize, &usize)| *runs > 1 && times[&done(*number)] == 1;
        assert!(runs.iter().any(spared), "{crash:?}: a step was not run again with its handler");
    }
}

/// Crashes at the named point of the store, at several of the times that it is passed.
fn crash_at(test: &str, point: &str, passes: &[u32]) {
    for at in passes {
        crash_and_count(test, &("EVENTYARD_CRASH_AT", format!("{point}:{at}")), 2);
    }
}

#[test]
fn before_a_group_is_written() {
    crash_at("before_a_group_is_written", "before-group", &[1, 2, 20, 60]);
}

#[test]
fn after_a_group_is_written() {
    crash_at("after_a_group_is_written", "after-group", &[1, 2, 20, 60]);
}

#[test]
fn before_a_commit() {
    crash_at("before_a_commit", "before-commit", &[1]);
}

#[test]
fn after_a_commit() {
    crash_at("after_a_commit", "after-commit", &[1]);
}

#[test]
fn in_a_handler() {
    for at in [0, 5, 40] {
        crash_and_count("in_a_handler", &(IN_HANDLER, at.to_string()), 2);
    }
}

#[test]
fn between_steps() {
    for at in [0, 5, 40] {
        crash_and_count("between_steps", &(BEHIND_STEP, at.to_string()), 2);
    }
}
