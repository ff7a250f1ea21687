//! Removing what is old and nobody asked to keep, day by day.

use std::time::Duration;

use eventyard::Yard;

use crate::config::Config;

/// How often it is looked for. Every node does it: what one has removed, the others do not find.
const INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes old entries of the audit trail, notifications, closed tickets and mails in the mailbox, now and every day.
///
/// # Cancel safety
/// It goes on until it is dropped, which is safe at any time.
pub(super) async fn keep_house(yard: Yard, config: Config) {
    loop {
        let now = yard.clock().now();
        let audit = eventyard_admin::forget_audit(&yard, now - config.dashboard.keep_audit.get());
        tell("entries of the audit trail", audit.await);
        if config.notifies() {
            let old = eventyard_notify::forget(&yard, now - config.notifications.keep.get());
            tell("notifications, tickets and mails", old.await);
        }
        yard.clock().sleep_until(now + INTERVAL).await;
    }
}

fn tell(what: &str, removed: Result<u64, impl std::fmt::Display>) {
    match removed {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "old {what} are removed"),
        Err(error) => tracing::warn!(%error, "old {what} stay for now"),
    }
}
