//! How few rows jobs take that stand together: what a claim and an end cost goes by rows.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod yard;

use std::path::Path;

use eventyard_core::{Commit, GroupKey, JobOptions, Keep, Leased, Settlement, Store, Write};
use eventyard_sqlite::SqliteStore;
use rusqlite::Connection;
use yard::{claim, clock, commit, complete, job, job_with, look, open, settle};

const KEYS: usize = 3;
const JOBS_OF_A_KEY: usize = 33;

/// The jobs that each row of a table stands for.
fn rows(path: &Path, table: &str) -> Vec<i64> {
    let conn = Connection::open(path).unwrap();
    let mut statement = conn.prepare(&format!("SELECT n FROM {table}")).unwrap();
    let rows = statement.query_map((), |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn keyed(id: &str, key: usize) -> Write {
    let key = Some(GroupKey::new(format!("key-{key}")).unwrap());
    job_with("q", id, vec![], JobOptions { key, ..JobOptions::default() })
}

/// Adds jobs of each key in turns, as tenants do that know nothing of one another.
async fn store(path: &Path) -> SqliteStore {
    let store = open(path, clock()).await;
    for n in 0..KEYS * JOBS_OF_A_KEY {
        commit(&store, [keyed(&format!("j{n}"), n % KEYS)]).await.unwrap();
    }
    store
}

/// Waits until the file has what was acknowledged.
async fn show(store: &SqliteStore) {
    look(store).await;
}

#[tokio::test]
async fn jobs_of_a_key_that_are_added_one_by_one_are_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = store(&path).await;
    show(&store).await;
    // The first of a key comes before it is known that more do.
    let (firsts, rest) = (1, JOBS_OF_A_KEY as i64 - 1);
    let mut ready = rows(&path, "ready");
    ready.sort_unstable();
    assert_eq!(ready, [[firsts; KEYS], [rest; KEYS]].concat());
    store.close().await;
}

#[tokio::test]
async fn jobs_that_are_claimed_together_are_held_and_end_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = open(&path, clock()).await;
    for n in 0..20 {
        commit(&store, [job("q", &format!("j{n}"))]).await.unwrap();
    }
    show(&store).await;
    assert_eq!(rows(&path, "ready"), [1; 20], "each was asked for on its own");
    let leased = claim(&store, "q", 100).await;
    show(&store).await;
    assert_eq!(rows(&path, "lease"), [20]);

    let settle = |leased: &Leased| {
        Commit::under(leased.lease.clone(), [Write::Settle(complete(Keep::FOREVER))])
    };
    store.commit(leased.iter().map(settle).collect()).await.unwrap();
    show(&store).await;
    assert_eq!((rows(&path, "lease"), rows(&path, "finished")), (vec![], vec![20]));
    store.close().await;
}

#[tokio::test]
async fn a_row_that_was_taken_from_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = store(&path).await;
    let leased = claim(&store, "q", 4).await;
    let release =
        |leased: &Leased| Commit::under(leased.lease.clone(), [Write::Settle(Settlement::Release)]);
    store.commit(leased.iter().map(release).collect()).await.unwrap();
    for n in 0..KEYS {
        commit(&store, [keyed(&format!("late-{n}"), n)]).await.unwrap();
    }
    show(&store).await;
    let all = KEYS * JOBS_OF_A_KEY + KEYS;
    assert_eq!(rows(&path, "ready").iter().sum::<i64>(), all as i64);
    assert_eq!(claim(&store, "q", 10_000).await.len(), all);
    store.close().await;
}

#[tokio::test]
async fn what_is_read_across_keys_is_handed_out_key_by_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = store(&path).await;
    let numbers = |key| (key..KEYS * JOBS_OF_A_KEY).step_by(KEYS).map(|n| format!("j{n}"));
    // A turn is a quarter of what is asked for; the first key gets a second one.
    let shares = [20, 10, 10].into_iter().enumerate();
    let expected: Vec<_> = shares.flat_map(|(key, share)| numbers(key).take(share)).collect();
    let leased = claim(&store, "q", 40).await;
    let ids: Vec<_> = leased.iter().map(|leased| leased.job.id.to_string()).collect();
    assert_eq!(ids, expected);

    // Who reads the file finds each job under the lease that was handed out.
    let seen = look(&store).await;
    store.close().await;
    let store = open(&path, clock()).await;
    assert_eq!(look(&store).await, seen);
    for leased in &leased {
        assert!(settle(&store, leased, complete(Keep::NOTHING)).await, "{}", leased.job.id);
    }
    store.close().await;
}
