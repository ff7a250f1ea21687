//! The write-ahead log starts over instead of growing, also when writes never pause.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod yard;

use std::sync::Arc;

use eventyard_core::{Inspect, JobOptions, JobState, PageAsk};
use yard::{clock, commit, count, job_with, open};

/// What a log may take while 400 MB go through it.
const BOUND_BYTES: u64 = 128 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Arc::new(open(&path, clock()).await);
    let reader = {
        // Somebody looks at the jobs all the time.
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                store.jobs(None, JobState::Waiting, PageAsk::first(10)).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    };
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for batch in 0..50 {
                    let job = |n| {
                        let id = format!("{writer}-{batch}-{n}");
                        job_with("q", &id, vec![b'x'; 20_000], JobOptions::default())
                    };
                    commit(&store, (0..100).map(job)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    reader.abort();
    assert_eq!(count(&store, "q", JobState::Waiting).await, 20_000);
    let log = std::fs::metadata(folder.path().join("store.db-wal")).unwrap().len();
    assert!(log < BOUND_BYTES, "the log has {log} bytes");
}
