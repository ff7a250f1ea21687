//! `[dashboard]`: the pages at `/queues`, and what they do not show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TimeSpan;

/// The pages at `/queues`, and what they and the API do not show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Dashboard {
    /// Whether the dashboard is served at `/queues`.
    pub(crate) enabled: bool,
    /// Members of payloads that are shown as `••••••`, by their path: `card.number`, `*.secret` below any member,
    /// `**.password` at any depth. Workers get what is stored.
    pub(crate) mask: Vec<String>,
    /// How long the audit trail keeps what people did to queues, jobs and schedules.
    pub(crate) keep_audit: TimeSpan,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self { enabled: true, mask: Vec::new(), keep_audit: TimeSpan::secs(365 * 86_400) }
    }
}
