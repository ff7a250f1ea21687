//! How long something finished stays.

use eventyard::Keep;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TimeSpan;

/// How long something finished stays: until one of the limits is passed. What is left out does not limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// The longest time; `"0s"` keeps nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age: Option<TimeSpan>,
    /// The most that are kept, the newest of them; 0 keeps nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<u64>,
}

impl From<Retention> for Keep {
    fn from(retention: Retention) -> Self {
        Self { age: retention.age.map(TimeSpan::get), count: retention.count }
    }
}
