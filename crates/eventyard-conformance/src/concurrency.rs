//! Many callers at once.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use eventyard_core::{Claim, Commit, Effect, JobState, Keep, Settlement, Store, Write};
use futures_util::FutureExt;
use tokio::task::JoinSet;

use crate::{
    Fixture,
    given::{HOUR, event, job, numbered, publish, put},
};

fn complete() -> Write {
    Write::Settle(Settlement::Complete { result: None, keep: Keep::FOREVER })
}

/// Claims in small bites until the queue is empty; the ids that were handed out.
async fn drain(store: Arc<dyn Store>, ask: Claim) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let leased = store.claim(ask.clone()).await.unwrap();
        if leased.is_empty() {
            return seen;
        }
        seen.extend(leased.iter().map(|l| l.job.id.to_string()));
        let settled = leased.into_iter().map(|l| Commit::under(l.lease, [complete()]));
        for answer in store.commit(settled.collect()).await.unwrap() {
            assert_eq!(answer, Ok(vec![Effect::Done]));
        }
        tokio::task::yield_now().await;
    }
}

/// However many claim at once, each job is handed out once.
pub async fn each_job_is_handed_out_once(f: &Fixture) {
    f.enqueue(numbered("q", 600)).await;
    let mut workers = JoinSet::new();
    for n in 0..12 {
        let ask = f.ask("q", 1 + n % 5, Duration::ZERO);
        workers.spawn(drain(f.store.clone(), ask));
    }
    let seen: Vec<_> = workers.join_all().await.concat();
    assert_eq!(seen.len(), 600, "none is lost, none is handed out twice");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 600);
    assert_eq!(f.counts("q").await.get(JobState::Completed), 600);
}

/// Jobs that are added while workers wait reach them all, each once, without any time passing.
pub async fn waiting_workers_get_all_jobs(f: &Fixture) {
    const JOBS: usize = 300;
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..6 {
        let (store, ask, sender) = (f.store.clone(), f.ask("q", 2, HOUR), sender.clone());
        workers.spawn(async move {
            loop {
                for l in store.claim(ask.clone()).await.unwrap() {
                    let commit = Commit::under(l.lease, [complete()]);
                    assert!(store.commit(vec![commit]).await.unwrap()[0].is_ok());
                    sender.send(l.job.id).unwrap();
                }
            }
        });
    }
    let mut adders = JoinSet::new();
    for adder in 0..3 {
        let store = f.store.clone();
        adders.spawn(async move {
            for n in 0..JOBS / 3 {
                let job = job("q", &format!("{adder}-{n}"));
                store.commit(vec![Commit::of([Write::Enqueue(job)])]).await.unwrap();
            }
        });
    }
    adders.join_all().await;
    let mut ids = BTreeSet::new();
    for _ in 0..JOBS {
        assert!(ids.insert(seen.recv().await.unwrap()), "handed out twice");
    }
    assert!(seen.try_recv().is_err());
    workers.abort_all();
}

/// Claims whose futures are dropped at any moment lose no job, and count no attempt.
pub async fn dropped_claims_lose_nothing(f: &Fixture) {
    const JOBS: usize = 200;
    let mut tasks = JoinSet::new();
    for n in 0..JOBS {
        let (store, ask) = (f.store.clone(), f.ask("q", 3, HOUR));
        tasks.spawn(async move {
            let mut claim = Box::pin(store.claim(ask.clone()));
            let mut early = claim.as_mut().now_or_never();
            for _ in 0..n % 4 {
                if early.is_none() {
                    tokio::task::yield_now().await;
                    early = claim.as_mut().now_or_never();
                }
            }
            // What did arrive is given back by hand; what did not is dropped on its way.
            for l in early.into_iter().flat_map(Result::unwrap) {
                assert_eq!(l.lease.attempt, 1);
                let release = Write::Settle(Settlement::Release);
                let commit = Commit::under(l.lease, [release]);
                assert!(store.commit(vec![commit]).await.unwrap()[0].is_ok());
            }
        });
        f.enqueue([job("q", &format!("j{n}"))]).await;
    }
    tasks.join_all().await;
    let mut seen = BTreeSet::new();
    while seen.len() < JOBS {
        // What is on its way back wakes this claim.
        for l in f.store.claim(f.ask("q", 50, HOUR)).await.unwrap() {
            assert_eq!((l.lease.attempt, l.job.attempts_made), (1, 0));
            assert!(seen.insert(l.job.id), "handed out twice");
        }
    }
}

/// Of many who publish one event at once, one is first; the jobs exist once.
pub async fn one_publisher_is_first(f: &Fixture) {
    let mut publishers = JoinSet::new();
    for _ in 0..20 {
        let store = f.store.clone();
        publishers.spawn(async move {
            let commit = Commit::of([publish(&event("e", "k"), &["one", "two"])]);
            let mut answers = store.commit(vec![commit]).await.unwrap();
            matches!(answers.remove(0).unwrap()[..], [Effect::Published { duplicate: false, .. }])
        });
    }
    let first = publishers.join_all().await.into_iter().filter(|first| *first).count();
    assert_eq!(first, 1);
    assert_eq!(f.claim_ids("one", 9).await, ["e"]);
    assert_eq!(f.claim_ids("two", 9).await, ["e"]);
}

/// Of many who count a document up, each sees a version of its own.
pub async fn versions_are_not_lost(f: &Fixture) {
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let (store, inspect) = (f.store.clone(), f.inspect.clone());
        writers.spawn(async move {
            for _ in 0..10 {
                loop {
                    let document = inspect.document("things", "n").await.unwrap();
                    let version = document.map_or(0, |document| document.version);
                    let commit = Commit::of([put("n", "v", Some(version))]);
                    if store.commit(vec![commit]).await.unwrap()[0].is_ok() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    writers.join_all().await;
    let document = f.inspect.document("things", "n").await.unwrap().unwrap();
    assert_eq!(document.version, 80);
}

/// Of many who settle one attempt, one succeeds.
pub async fn one_settlement_wins(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    let mut workers = JoinSet::new();
    for n in 0..10 {
        let (store, lease) = (f.store.clone(), lease.clone());
        workers.spawn(async move {
            let put = put(&format!("by-{n}"), "v", None);
            let commit = Commit::under(lease, [put, complete()]);
            store.commit(vec![commit]).await.unwrap()[0].is_ok()
        });
    }
    let won = workers.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
    let filter = eventyard_core::inspect::DocumentFilter {
        collection: "things".to_owned(),
        prefix: "by-".to_owned(),
        newest_first: false,
    };
    let page = f.inspect.documents(filter, eventyard_core::PageAsk::first(99)).await.unwrap();
    assert_eq!(page.items.len(), 1);
}
