//! A disk that is full refuses writes and nothing else; when there is space again, the store goes on.
//!
//! The tests run themselves once more: on a small file system of their own, and with a limit on the size of files.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod yard;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use eventyard_core::{JobOptions, JobState, Store, StoreError, StoreErrorKind, Upkeep};
use eventyard_sqlite::SqliteStore;
use yard::{ask, claim, clock, commit, complete, count, job, job_with, open, settle};

/// Where the second run works.
const FOLDER: &str = "EVENTYARD_TEST_SMALL_DISK";

/// Runs one test of this file in a shell, after what sets up its world.
fn again(test: &str, set_up: &str, shell: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{set_up} && exec \"$0\" --exact {test} --ignored --nocapture");
    let status = Command::new(shell[0])
        .args(&shell[1..])
        .args(["sh", "-c", &script])
        .arg(env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .status();
    let status = status.expect("`unshare` and `sh` are installed (apt-get install util-linux)");
    assert!(
        status.success(),
        "{test}: {status}; to mount, it needs to be root or to have user namespaces"
    );
}

fn folder() -> PathBuf {
    env::var_os(FOLDER).expect("set by the test that runs this one").into()
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let mount = format!("mount -t tmpfs -o size=12m tmpfs \"${FOLDER}\"");
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let shell: &[&str] = if is_root {
        &["unshare", "--mount"]
    } else {
        &["unshare", "--user", "--map-root-user", "--mount"]
    };
    again("on_a_small_disk", &mount, shell);
}

#[test]
fn a_disk_that_refuses_a_write_is_tried_again() {
    again("with_small_files", "trap '' XFSZ; ulimit -S -f 16384", &["env"]);
}

#[tokio::test]
#[ignore = "run by a_full_disk_refuses_and_recovers"]
async fn on_a_small_disk() {
    let ballast = folder().join("ballast");
    fs::write(&ballast, vec![0; 4 * 1024 * 1024]).unwrap();
    check(&folder(), || fs::remove_file(&ballast).unwrap()).await;
}

#[tokio::test]
#[ignore = "run by a_disk_that_refuses_a_write_is_tried_again"]
async fn with_small_files() {
    check(&folder(), || {
        let pid = std::process::id().to_string();
        let raised = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
        assert!(raised.expect("`prlimit` is installed (apt-get install util-linux)").success());
    })
    .await;
}

/// Fills the disk, looks at what the store says, makes room, and looks again.
async fn check(folder: &Path, make_room: impl FnOnce()) {
    let (path, clock) = (folder.join("store.db"), clock());
    let store = open(&path, clock.clone()).await;
    commit(&store, [job("other", "early")]).await.unwrap();
    let early = claim(&store, "other", 1).await.remove(0);

    let (added, error) = fill(&store).await;
    assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
    assert!(error.is_retryable());
    assert!(error.to_string().contains("store.db"), "{error}");
    assert_eq!(count(&store, "q", JobState::Waiting).await, added);
    // Everyone who needs the disk is told the same, and told at once.
    let big = job_with("q", "big", vec![b'x'; 20_000_000], JobOptions::default());
    assert_eq!(commit(&store, [big]).await.unwrap_err().kind(), StoreErrorKind::Full);
    // Who needs no disk is served.
    assert!(store.claim(ask("nothing", 1, Duration::ZERO)).await.unwrap().is_empty());

    make_room();
    commit(&store, [job("q", "late")]).await.unwrap();
    assert_eq!(count(&store, "q", JobState::Waiting).await, added + 1);
    assert!(settle(&store, &early, complete(eventyard_core::Keep::FOREVER)).await);
    let upkeep = Upkeep { limit: 10, max_crashes: 3, keep_events: eventyard_core::Keep::FOREVER };
    store.maintain(upkeep).await.unwrap();
    store.close().await;

    let store = open(&path, clock).await;
    assert_eq!(count(&store, "q", JobState::Waiting).await, added + 1);
    assert_eq!(claim(&store, "q", 10_000).await.len() as u64, added + 1);
}

/// Adds jobs until that fails.
async fn fill(store: &SqliteStore) -> (u64, StoreError) {
    for n in 0..100_000 {
        let next = job_with("q", &format!("j{n}"), vec![b'x'; 20_000], JobOptions::default());
        if let Err(error) = commit(store, [next]).await {
            return (n, error);
        }
    }
    panic!("the disk is larger than it should be");
}
