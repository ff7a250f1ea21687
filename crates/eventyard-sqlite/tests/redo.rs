//! What was acknowledged is there after a power cut, whatever SQLite had on the disk by then.
//!
//! A power cut is a copy of the store's files without SQLite's log: it has lost all that it did since its last
//! checkpoint.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod yard;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use eventyard_core::{
    Commit, GroupKey, Inspect, JobOptions, JobState, Keep, Leased, PageAsk, Store, StoreError,
    StoreErrorKind, Write,
};
use eventyard_sqlite::{Options, SqliteStore, Synchronous};
use yard::{claim, clock, commit, complete, count, job, job_with, look, open, settle};

/// The files of a redo log.
const REDO: [&str; 2] = ["store.db-redo0", "store.db-redo1"];

/// Copies those of the files that there are to a folder of their own, and tells the path of the store there.
fn copy(from: &Path, files: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let to = tempfile::tempdir().unwrap();
    for file in files.iter().filter(|file| from.join(file).exists()) {
        fs::copy(from.join(file), to.path().join(file)).unwrap();
    }
    let path = to.path().join("store.db");
    (to, path)
}

fn power_cut(folder: &Path) -> (tempfile::TempDir, PathBuf) {
    copy(folder, &["store.db", REDO[0], REDO[1]])
}

/// A store with an end behind it: all that it had is in its file.
async fn settled(folder: &Path) -> SqliteStore {
    let path = folder.join("store.db");
    let store = open(&path, clock()).await;
    commit(&store, [job("q", "old")]).await.unwrap();
    store.close().await;
    open(&path, clock()).await
}

async fn refused(path: &Path) -> StoreError {
    SqliteStore::open(Options::new(path).clock(clock())).await.expect_err("it is refused")
}

#[tokio::test]
async fn what_sqlite_lost_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = settled(folder.path()).await;
    commit(&store, (0..20).map(|n| job("q", &format!("j{n}")))).await.unwrap();
    let leased = claim(&store, "q", 3).await;
    assert!(settle(&store, &leased[0], complete(Keep::FOREVER)).await);
    let delay = JobOptions { delay: Some(Duration::from_secs(5)), ..JobOptions::default() };
    commit(&store, [job_with("p", "later", vec![0, 255], delay)]).await.unwrap();
    let before = look(&store).await;

    let (_folder, path) = power_cut(folder.path());
    let again = open(&path, clock()).await;
    assert_eq!(look(&again).await, before);
    // What was claimed before can be settled after.
    assert!(settle(&again, &leased[1], complete(Keep::FOREVER)).await);
    let before = look(&again).await;
    // And once more, from what was recovered.
    let (_second, path) = power_cut(path.parent().unwrap());
    let again = open(&path, clock()).await;
    assert_eq!(look(&again).await, before);
    again.close().await;
    let again = open(&path, clock()).await;
    assert_eq!(look(&again).await, before);
}

#[tokio::test]
async fn a_new_store_survives_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store.db"), clock()).await;
    commit(&store, [job("q", "a")]).await.unwrap();
    // What SQLite wrote before the first acknowledgement is on the disk.
    let wal = "store.db-wal";
    let (copied, path) = copy(folder.path(), &["store.db", wal, REDO[0]]);
    assert!(copied.path().join(wal).exists());
    assert_eq!(count(&open(&path, clock()).await, "q", JobState::Waiting).await, 1);
}

#[tokio::test]
async fn a_torn_group_was_never_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let store = settled(folder.path()).await;
    for id in ["a", "b", "c"] {
        commit(&store, [job("q", id)]).await.unwrap();
    }
    look(&store).await;
    let (cut, path) = power_cut(folder.path());
    let redo = cut.path().join(REDO[0]);
    let mut bytes = fs::read(&redo).unwrap();
    // The last group begins in the last block that is not all zeros.
    let last = bytes.chunks(4096).rposition(|block| block.iter().any(|byte| *byte != 0)).unwrap();
    bytes[last * 4096 + 40] ^= 1;
    fs::write(&redo, bytes).unwrap();

    let again = open(&path, clock()).await;
    let waiting = claim(&again, "q", 10).await;
    let ids: Vec<_> = waiting.iter().map(|leased| leased.job.id.as_str()).collect();
    assert_eq!(ids, ["old", "a", "b"]);
    // The place of the torn one is taken by the next.
    commit(&again, [job("q", "d")]).await.unwrap();
    assert_eq!(count(&again, "q", JobState::Waiting).await, 1);
}

#[tokio::test]
async fn rows_that_were_made_longer_are_so_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = settled(folder.path()).await;
    let keyed = |id: String| {
        let key = Some(GroupKey::new("k").unwrap());
        job_with("q", &id, vec![], JobOptions { key, ..JobOptions::default() })
    };
    for n in 0..20 {
        commit(&store, [keyed(format!("j{n}"))]).await.unwrap();
    }
    // The row is not what it was when it was written last.
    assert_eq!(claim(&store, "q", 3).await.len(), 3);
    for n in 20..25 {
        commit(&store, [keyed(format!("j{n}"))]).await.unwrap();
    }
    let (_copy, path) = power_cut(folder.path());
    let before = look(&store).await;
    store.close().await;
    let store = open(&path, clock()).await;
    assert_eq!(look(&store).await, before);
    store.close().await;
}

#[tokio::test]
async fn rows_that_came_and_went_are_so_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = settled(folder.path()).await;
    commit(&store, (0..40).map(|n| job("q", &format!("j{n}")))).await.unwrap();
    let keep_five = || complete(Keep { count: Some(5), age: None });
    // What is finished goes beyond what is kept in the middle of a row, before SQLite has written any of it.
    for claimed in [7, 1, 12, 3, 4] {
        let leased = claim(&store, "q", claimed).await;
        let settle =
            |leased: &Leased| Commit::under(leased.lease.clone(), [Write::Settle(keep_five())]);
        let (last, first) = leased.split_last().unwrap();
        for answer in store.commit(first.iter().map(settle).collect()).await.unwrap() {
            answer.unwrap();
        }
        store.renew(vec![last.lease.clone()], Duration::from_secs(3600)).await.unwrap();
    }
    let (_copy, path) = power_cut(folder.path());
    let before = look(&store).await;
    assert_eq!(count(&store, "q", JobState::Completed).await, 5);
    assert_eq!(count(&store, "q", JobState::Active).await, 5);
    assert_eq!(look(&open(&path, clock()).await).await, before);
    // Those that are in the file by now go first.
    for leased in claim(&store, "q", 3).await {
        assert!(settle(&store, &leased, keep_five()).await);
    }
    let (_copy, path) = power_cut(folder.path());
    let before = look(&store).await;
    assert_eq!(count(&store, "q", JobState::Completed).await, 5);
    assert_eq!(look(&open(&path, clock()).await).await, before);
}

#[tokio::test]
async fn a_massive_group_is_not_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = settled(folder.path()).await;
    commit(&store, [job("q", "before")]).await.unwrap();
    let massive = |n| job_with("q", &format!("j{n}"), vec![b'x'; 10_000], JobOptions::default());
    commit(&store, (0..100).map(massive)).await.unwrap();
    commit(&store, [job("q", "after")]).await.unwrap();
    let before = look(&store).await;
    let length = fs::metadata(folder.path().join(REDO[0])).unwrap().len();
    assert!(length < 500_000, "{length} bytes");
    // SQLite's log is on the disk before anyone is told, and before anything follows.
    let (_copied, path) = copy(folder.path(), &["store.db", "store.db-wal", REDO[0]]);
    assert_eq!(look(&open(&path, clock()).await).await, before);
}

#[tokio::test]
async fn files_take_turns_and_nothing_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let store = settled(folder.path()).await;
    for n in 0..300 {
        let data = vec![b'x'; 50_000];
        commit(&store, [job_with("q", &format!("j{n}"), data, JobOptions::default())])
            .await
            .unwrap();
    }
    let wal = "store.db-wal";
    // SQLite's log is synced before a file is used again: it is there after a power cut.
    let (_copied, path) = copy(folder.path(), &["store.db", wal, REDO[0], REDO[1]]);
    let again = open(&path, clock()).await;
    assert_eq!(count(&again, "q", JobState::Waiting).await, 301);
    for file in REDO {
        let length = fs::metadata(folder.path().join(file)).unwrap().len();
        assert!(length < 8 * 1024 * 1024, "{file} has {length} bytes");
    }
    // Without it there would be a gap, and that is said.
    let (_copied, path) = power_cut(folder.path());
    let error = refused(&path).await;
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains("not of the same time"), "{error}");
}

#[tokio::test]
async fn the_redo_log_of_another_store_is_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, another) = (settled(one.path()).await, settled(other.path()).await);
    commit(&store, [job("q", "a")]).await.unwrap();
    commit(&another, [job("q", "b")]).await.unwrap();
    look(&store).await;
    let (mixed, path) = copy(one.path(), &["store.db"]);
    fs::copy(other.path().join(REDO[0]), mixed.path().join(REDO[0])).unwrap();
    let error = refused(&path).await;
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains("store.db-redo0 belongs to another store"), "{error}");
}

#[tokio::test]
async fn a_clean_end_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = settled(folder.path()).await;
    commit(&store, [job("q", "a")]).await.unwrap();
    assert!(folder.path().join(REDO[0]).exists());
    store.close().await;
    for file in REDO {
        assert!(!folder.path().join(file).exists(), "{file}");
    }
}

#[tokio::test]
async fn who_opens_it_without_a_redo_log_finds_what_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let store = settled(folder.path()).await;
    commit(&store, [job("q", "a")]).await.unwrap();
    let before = look(&store).await;
    let (_cut, path) = power_cut(folder.path());
    let normal = Options::new(&path).clock(clock()).synchronous(Synchronous::Normal);
    let again = SqliteStore::open(normal).await.unwrap();
    assert_eq!(look(&again).await, before);
    commit(&again, [job("q", "b")]).await.unwrap();
    again.close().await;
    let again = open(&path, clock()).await;
    assert_eq!(count(&again, "q", JobState::Waiting).await, 3);
    let jobs = again.jobs(None, JobState::Waiting, PageAsk::first(10)).await;
    assert_eq!(jobs.unwrap().items.len(), 3);
}
