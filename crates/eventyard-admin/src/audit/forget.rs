//! Entries that are old go.

use eventyard::{
    Error, Yard,
    model::{
        Commit, PageAsk, Timestamp, Write,
        inspect::{DocumentFilter, MAX_PAGE},
    },
};

use super::entry::{COLLECTION, first_id};

/// Removes the entries of the audit trail that were written before `time`; returns how many.
///
/// # Errors
/// When the store cannot do it; what was removed until then stays removed.
pub async fn forget_audit(yard: &Yard, time: Timestamp) -> Result<u64, Error> {
    let end = first_id(time);
    let mut removed = 0;
    loop {
        let filter = DocumentFilter {
            collection: COLLECTION.to_owned(),
            prefix: String::new(),
            newest_first: false,
        };
        let page = yard.inspect().documents(filter, PageAsk::first(MAX_PAGE)).await?;
        let old = page.items.into_iter().map(|entry| entry.key).take_while(|key| *key < end);
        let remove = |key| Write::Delete { collection: COLLECTION.to_owned(), key };
        let writes: Vec<_> = old.map(remove).collect();
        if writes.is_empty() {
            return Ok(removed);
        }
        removed += writes.len() as u64;
        yard.commit(Commit::of(writes)).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use eventyard::{
        Eventyard,
        model::{ManualClock, MemoryStore},
    };

    use super::*;
    use crate::{Caller, Deed, audit::entry::Entry};

    #[tokio::test]
    async fn old_entries_go_and_young_ones_stay() {
        let start = Timestamp::from_millis(1_800_000_000_000);
        let clock = Arc::new(ManualClock::new(start));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let yard = Eventyard::on(store, clock).start().await.unwrap();
        let at = |n: u64| start + Duration::from_millis(n);
        let entry = |n| Entry::new(at(n), &Caller::anyone(), None, Deed::new("job.retry")).write();
        for first in (0..2500).step_by(500) {
            let writes = (first..first + 500).map(|n| entry(n).unwrap());
            yard.commit(Commit::of(writes)).await.unwrap();
        }
        assert_eq!(forget_audit(&yard, at(2100)).await.unwrap(), 2100);
        assert_eq!(forget_audit(&yard, at(2100)).await.unwrap(), 0);
        assert_eq!(forget_audit(&yard, at(5000)).await.unwrap(), 400);
    }
}
