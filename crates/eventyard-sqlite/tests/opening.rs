//! What is refused when a store is opened, and why.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod yard;

use std::{fs, path::Path};

use eventyard_core::{Store, StoreError, StoreErrorKind};
use eventyard_sqlite::{Options, SqliteStore};
use rusqlite::Connection;
use yard::{clock, commit, job, open};

async fn refused(path: &Path) -> StoreError {
    SqliteStore::open(Options::new(path)).await.expect_err("it is refused")
}

fn assert_says(error: &StoreError, kind: StoreErrorKind, words: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "`{error}` says `{word}`");
    }
}

#[tokio::test]
async fn a_store_in_use_says_who_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = open(&path, clock()).await;
    let pid = format!("process {}", std::process::id());
    let error = refused(&path).await;
    assert_says(
        &error,
        StoreErrorKind::Locked,
        &[&pid, "since 2027-01-15T08:00:00.000Z", "store.db", "--data-dir"],
    );
    commit(&store, [job("q", "a")]).await.unwrap();
    store.close().await;
    open(&path, clock()).await;
}

#[tokio::test]
async fn a_newer_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    open(&path, clock()).await.close().await;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let error = refused(&path).await;
    assert_says(&error, StoreErrorKind::Corrupt, &["schema version 999", "newer eventyard"]);
}

#[tokio::test]
async fn what_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    let content = "this is not a database ".repeat(500);
    fs::write(&text, &content).unwrap();
    assert_says(&refused(&text).await, StoreErrorKind::Corrupt, &["text.db", "backup"]);
    assert_eq!(fs::read_to_string(&text).unwrap(), content);

    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert_says(&refused(&foreign).await, StoreErrorKind::Corrupt, &["another program"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = refused(&folder.path().join("file/store.db")).await;
    assert_says(&error, StoreErrorKind::Unavailable, &["file"]);
}
