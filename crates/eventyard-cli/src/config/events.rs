//! `[events]`: how events are published, and how long they stay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Retention, TimeSpan};

/// How events are published, and how long they stay in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Events {
    /// The source of events that name none.
    pub(crate) source: String,
    /// How publishing treats the jobs that it adds: `queue` (they are stored, and publishing returns) or
    /// `synchronous` (it returns when each was tried once; the store is the process's memory, unless `store.url`
    /// names another).
    pub(crate) bus: Bus,
    /// How long events stay in the log.
    pub(crate) retention: Retention,
}

/// How publishing treats the jobs that it adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bus {
    /// They are stored, and publishing returns.
    #[default]
    Queue,
    /// Publishing returns when each was tried once. The store is the process's memory, unless `store.url` names
    /// another.
    Synchronous,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            source: "eventyard".to_owned(),
            bus: Bus::Queue,
            retention: Retention { age: Some(TimeSpan::secs(7 * 86_400)), count: None },
        }
    }
}
