//! What is old goes: notifications, tickets that are closed, and mails in the mailbox.

use eventyard::{
    Yard,
    model::{
        Commit, Document, PageAsk, Timestamp, Write,
        inspect::{DocumentFilter, MAX_PAGE},
    },
};

use crate::{
    Error, key,
    mail::MAILBOX,
    notification::NOTIFICATIONS,
    ticket::{Status, TICKETS, Ticket},
};

/// Removes notifications, closed tickets and mails in the mailbox that were written before `time`; returns how many.
/// Tickets that are open stay, however old.
///
/// # Errors
/// When the store cannot do it; what was removed until then stays removed.
pub async fn forget(yard: &Yard, time: Timestamp) -> Result<u64, Error> {
    let first = key::first_at(time);
    let is_old = |document: &Document| *key::id(&document.key) < *first;
    let is_closed = |document: &Document| {
        serde_json::from_slice(&document.value)
            .is_ok_and(|ticket: Ticket| ticket.status == Status::Closed)
    };
    let mut removed = sweep(yard, NOTIFICATIONS.name, is_old).await?;
    removed += sweep(yard, TICKETS.name, |ticket| is_old(ticket) && is_closed(ticket)).await?;
    removed += sweep(yard, MAILBOX.name, is_old).await?;
    Ok(removed)
}

/// Removes the documents of a collection that are to go; returns how many.
async fn sweep(
    yard: &Yard,
    collection: &str,
    goes: impl Fn(&Document) -> bool,
) -> Result<u64, Error> {
    let (mut removed, mut cursor) = (0, None);
    loop {
        let filter = DocumentFilter {
            collection: collection.to_owned(),
            prefix: String::new(),
            newest_first: false,
        };
        let page = yard.inspect().documents(filter, PageAsk { limit: MAX_PAGE, cursor }).await?;
        let gone = page.items.into_iter().filter(&goes);
        let deletes =
            gone.map(|Document { collection, key, .. }| Write::Delete { collection, key });
        let deletes: Vec<_> = deletes.collect();
        if !deletes.is_empty() {
            removed += deletes.len() as u64;
            yard.commit(Commit::of(deletes)).await?;
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use eventyard::{
        Eventyard,
        model::{JobId, ManualClock, MemoryStore},
    };
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn what_is_old_goes_and_open_tickets_stay() {
        let start = Timestamp::from_millis(1_800_000_000_000);
        let clock = Arc::new(ManualClock::new(start));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let yard = Eventyard::on(store, clock).start().await.unwrap();
        let document =
            |collection: &str, user: &str, n: u64, value: serde_json::Value| Write::Put {
                collection: collection.to_owned(),
                key: {
                    let at = start + Duration::from_millis(n);
                    format!("{user}{}", key::in_time(at, &JobId::new(format!("j{n}")).unwrap()))
                },
                value: value.to_string().into(),
                expected: None,
            };
        let ticket = |status: &str| {
            json!({
                "id": "t", "subject": "", "description": "", "userId": "u", "userEmail": "", "bookingId": "",
                "priority": "high", "status": status, "createdAt": "2026-01-01T00:00:00Z", "eventId": "",
            })
        };
        let mut writes = Vec::new();
        for n in 0..1500 {
            writes.push(document("notifications", ["a/", "b/"][n as usize % 2], n, json!({})));
        }
        for n in 0..10 {
            writes.push(document("tickets", "", n, ticket(["open", "closed"][n as usize % 2])));
            writes.push(document("mailbox", "", n, json!({})));
        }
        for writes in writes.chunks(500) {
            yard.commit(Commit::of(writes.to_vec())).await.unwrap();
        }
        let at = |n| start + Duration::from_millis(n);
        assert_eq!(forget(&yard, at(4)).await.unwrap(), 4 + 2 + 4);
        assert_eq!(forget(&yard, at(4)).await.unwrap(), 0);
        assert_eq!(forget(&yard, at(1499)).await.unwrap(), 1495 + 3 + 6);
        let left = crate::ticket::list(&**yard.inspect(), PageAsk::first(20)).await.unwrap();
        assert_eq!(left.items.len(), 5, "they are open");
    }
}
