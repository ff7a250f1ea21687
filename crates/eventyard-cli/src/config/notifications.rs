//! `[notifications]`: the booking notifications that come with the program.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TimeSpan;

/// The booking notifications that come with the program: mails, push and in-app messages and tickets, made
/// from booking and payment events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Notifications {
    /// Whether this process works on them, on the queues `emails`, `notifications` and `tickets`. When absent,
    /// it does if there is a channel for mails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
    /// Whether the six routes from booking and payment events to these queues are added to `routes.rules`.
    pub(crate) routes: bool,
    /// How long notifications, closed tickets and mails in the mailbox are kept. Open tickets stay.
    pub(crate) keep: TimeSpan,
}

impl Default for Notifications {
    fn default() -> Self {
        Self { enabled: None, routes: true, keep: TimeSpan::secs(365 * 86_400) }
    }
}
