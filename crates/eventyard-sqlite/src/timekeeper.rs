//! Wakes the writer when the time of a delayed job comes.

use std::sync::Arc;

use crate::{request::Request, shared::Shared};

/// Runs until it is aborted.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut next_due = shared.next_due.subscribe();
    loop {
        let due = *next_due.borrow_and_update();
        let Some(due) = due else {
            if next_due.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            changed = next_due.changed() => if changed.is_err() { return },
            () = shared.clock().sleep_until(due) => {
                shared.inbox.push_now(Request::Promote);
                // The writer says when the next one is due, whether or not that changed.
                if next_due.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}
