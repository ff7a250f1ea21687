//! One tenant's backlog does not keep another waiting, however long it is.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod yard;

use std::sync::Arc;

use eventyard_core::{GroupKey, JobId, JobOptions, NewJob, Payload, Store, Write};
use yard::{claim, clock, commit, open, queue};

const BACKLOG: usize = 1_000_000;
const CONCURRENCY: usize = 50;

fn options(key: &str) -> Arc<JobOptions> {
    Arc::new(JobOptions { key: Some(GroupKey::new(key).unwrap()), ..JobOptions::default() })
}

fn job(id: String, options: &Arc<JobOptions>) -> Write {
    Write::Enqueue(NewJob {
        queue: queue("q"),
        id: JobId::new(id).unwrap(),
        name: "n".into(),
        payload: Payload::Data("1".into()),
        options: options.clone(),
        awaits_children: false,
    })
}

#[tokio::test]
async fn a_million_jobs_of_one_key_do_not_delay_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store.db"), clock()).await;
    let (many, few) = (options("many"), options("few"));
    for from in (0..BACKLOG).step_by(10_000) {
        let jobs = (from..from + 10_000).map(|n| job(format!("m{n}"), &many));
        commit(&store, jobs).await.unwrap();
    }
    let busy = claim(&store, "q", CONCURRENCY).await;
    assert_eq!(busy.len(), CONCURRENCY);
    commit(&store, [job("the-one".to_owned(), &few)]).await.unwrap();
    let mut picks = 0;
    loop {
        let leased = claim(&store, "q", 1).await.remove(0);
        picks += 1;
        if leased.job.id.as_str() == "the-one" {
            break;
        }
        assert!(picks <= CONCURRENCY, "{picks} picks went to the backlog first");
    }
    store.close().await;
}
