//! Random sequences of operations, on a store and on [`MemoryStore`] side by side.
//!
//! After each operation both must give the same answer, lease tokens aside, and tell the same events; every few
//! operations everything that can be seen of them must be the same. A failing sequence is made as short as possible
//! and printed, one operation a line.

mod apply;
mod build;
mod flavour;
mod job;
mod limits;
mod name;
mod op;
mod write;

use std::{env, fmt::Write as _, time::Duration};

use eventyard_core::MemoryStore;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use self::{apply::Side, op::Op};
use crate::{Fixture, given::clock_like, run::runtime, snapshot::Snapshot};

/// How many sequences are tried. They are the same in every run, so that a run says something about a change and nothing
/// about luck; as many as the environment variable `EVENTYARD_RANDOM_CASES` says are new ones each time.
pub const CASES: u32 = 128;
/// Where the sequences come from that are the same in every run.
const SEED: u64 = 0x5eed;
/// The most operations of one sequence.
const MAX_OPS: usize = 120;
/// Everything is compared after this many operations, and at the end.
const LOOK_EVERY: usize = 5;
/// The longest that a sequence may take, in real time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tries random sequences of operations.
///
/// # Panics
/// When the store does something that [`MemoryStore`] does not; with the operations that led there.
pub fn agrees_with_memory(factory: impl AsyncFn() -> Fixture) {
    try_sequences(factory, Life::Whole);
}

/// Tries random sequences of operations on a store that is opened again in between. What ends with an opening
/// takes no part: the feed, whose turn it is, and what counts against a rate.
///
/// # Panics
/// As [`agrees_with_memory`].
pub fn agrees_with_memory_when_reopened(factory: impl AsyncFn() -> Fixture) {
    try_sequences(factory, Life::Reopened);
}

/// Whether a store is open from the beginning of a sequence to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Whole,
    Reopened,
}

fn try_sequences(factory: impl AsyncFn() -> Fixture, life: Life) {
    let cases = env::var("EVENTYARD_RANDOM_CASES")
        .ok()
        .map(|text| text.parse().expect("EVENTYARD_RANDOM_CASES is a number of sequences"));
    let config = Config {
        cases: cases.unwrap_or(CASES),
        rng_seed: if cases.is_some() { RngSeed::Random } else { RngSeed::Fixed(SEED) },
        failure_persistence: None,
        max_shrink_iters: 5000,
        ..Config::default()
    };
    let runtime = runtime();
    let outcome =
        TestRunner::new(config).run(&op::sequences(MAX_OPS, life == Life::Whole), |ops| {
            let compared = Box::pin(compare(&factory, &ops, life));
            let compared =
                runtime.block_on(async { tokio::time::timeout(PATIENCE, compared).await });
            compared
                .unwrap_or_else(|_| Err("the store hangs".to_owned()))
                .map_err(TestCaseError::fail)
        });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, ops)) => {
            panic!("{reason}\n\nafter these operations:\n{}", lines(&ops))
        }
        Err(TestError::Abort(reason)) => panic!("no sequence could be tried: {reason}"),
    }
}

fn lines(ops: &[Op]) -> String {
    let mut text = String::new();
    for (n, op) in ops.iter().enumerate() {
        let _ = writeln!(text, "{n:4}. {op:?}");
    }
    text
}

/// Runs a sequence on both stores; says where they part.
async fn compare(
    factory: &impl AsyncFn() -> Fixture,
    ops: &[Op],
    life: Life,
) -> Result<(), String> {
    let theirs = factory().await;
    let clock = clock_like(&theirs.clock);
    let memory = Fixture::new(MemoryStore::new(clock.clone()), clock);
    let (mut memory, mut theirs) = (Side::new(memory), Side::new(theirs));
    for (n, op) in ops.iter().enumerate() {
        let (expected, actual) = (memory.apply(op).await, theirs.apply(op).await);
        if expected != actual {
            return Err(format!(
                "operation {n} is answered in two ways:\n    memory: {expected}\n    store:  {actual}"
            ));
        }
        if life == Life::Whole {
            listen(&mut memory, &mut theirs)
                .map_err(|why| format!("after operation {n}: {why}"))?;
        }
        if (n + 1) % LOOK_EVERY == 0 || n + 1 == ops.len() {
            look(&mut memory, &mut theirs, life)
                .await
                .map_err(|why| format!("after operation {n}: {why}"))?;
        }
    }
    theirs.fixture.store.close().await;
    Ok(())
}

/// Compares what was told since the last time.
fn listen(memory: &mut Side, theirs: &mut Side) -> Result<(), String> {
    let (expected, actual) = (memory.heard(), theirs.heard());
    if expected != actual {
        return Err(format!("what is told is:\n    memory: {expected}\n    store:  {actual}"));
    }
    Ok(())
}

/// Compares everything that can be seen.
async fn look(memory: &mut Side, theirs: &mut Side, life: Life) -> Result<(), String> {
    let (expected, actual) = (memory.promote_due().await, theirs.promote_due().await);
    if expected != actual {
        return Err(format!("a claim on an unknown queue: memory {expected}, store {actual}"));
    }
    if life == Life::Whole {
        listen(memory, theirs)?;
    }
    let (expected, actual) = (memory.leases_held().await, theirs.leases_held().await);
    if expected != actual {
        return Err(format!("the leases held are:\n    memory: {expected}\n    store:  {actual}"));
    }
    let expected = Snapshot::try_take(&memory.fixture).await;
    let expected = expected.map_err(|why| format!("in memory, {why}"))?;
    let actual = Snapshot::try_take(&theirs.fixture).await?;
    match expected.difference(&actual, ["memory", "store "]) {
        Some(difference) => Err(format!("the stores differ:{difference}")),
        None => Ok(()),
    }
}
