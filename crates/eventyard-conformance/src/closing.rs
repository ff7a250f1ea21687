//! The end of a store.

use eventyard_core::{
    Commit, EventId, JobId, JobState, LeaseToken, PageAsk, StoreError, StoreErrorKind, Write,
    inspect::{DocumentFilter, EventFilter},
};

use crate::{
    Fixture,
    fixture::{LEASE, UPKEEP},
    given::{HOUR, job, key},
};

fn is_closed<T>(answer: Result<T, StoreError>) {
    let kind = answer.err().map(|error| error.kind());
    assert_eq!(kind, Some(StoreErrorKind::Closed));
}

/// A closed store refuses every call; closing it again does nothing.
pub async fn a_closed_store_refuses(f: &Fixture) {
    f.enqueue([job("q", "a"), job("q", "b")]).await;
    let leased = f.claim_one("q").await;
    f.store.close().await;
    f.store.close().await;
    is_closed(f.store.commit(vec![Commit::of([Write::Enqueue(job("q", "c"))])]).await);
    is_closed(f.store.claim(f.ask("q", 1, HOUR)).await);
    is_closed(f.store.renew(vec![leased.lease.clone()], LEASE).await);
    is_closed(f.store.maintain(UPKEEP).await);
    is_closed(f.inspect.queues().await);
    is_closed(f.inspect.jobs(None, JobState::Failed, PageAsk::first(1)).await);
    is_closed(f.inspect.job(&key("q", "a")).await);
    is_closed(f.inspect.queues_of(&JobId::new("a").unwrap()).await);
    is_closed(f.inspect.attempts(&key("q", "a")).await);
    is_closed(f.inspect.logs(&key("q", "a")).await);
    is_closed(f.inspect.leased(LeaseToken::from_u128(1)).await);
    is_closed(f.inspect.events(EventFilter::default(), PageAsk::first(1)).await);
    is_closed(f.inspect.event(&EventId::new("e").unwrap()).await);
    is_closed(f.inspect.document("c", "k").await);
    let filter =
        DocumentFilter { collection: "c".to_owned(), prefix: String::new(), newest_first: false };
    is_closed(f.inspect.documents(filter, PageAsk::first(1)).await);
}

/// A claim that waits ends when the store is closed.
pub async fn closing_ends_waiting_claims(f: &Fixture) {
    let waiting = f.wait("q", HOUR);
    f.store.close().await;
    match waiting.await {
        Ok(leased) => assert_eq!(leased, []),
        Err(error) => assert_eq!(error.kind(), StoreErrorKind::Closed),
    }
}
