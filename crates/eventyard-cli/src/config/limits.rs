//! `[limits]`: what is accepted at the door.

use eventyard_core::limits::Limits as Core;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is accepted at the door. Each limit is checked before anything is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// The largest request body, in bytes.
    pub(crate) body_bytes: usize,
    /// The most events or jobs in one batch.
    pub(crate) batch: usize,
    /// The deepest nesting of JSON.
    pub(crate) depth: usize,
    /// The most bytes of all request headers together.
    pub(crate) header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let Core { body_bytes, batch, depth, header_bytes } = Core::default();
        Self { body_bytes, batch, depth, header_bytes }
    }
}

impl From<&Limits> for Core {
    fn from(limits: &Limits) -> Self {
        let Limits { body_bytes, batch, depth, header_bytes } = *limits;
        Self { body_bytes, batch, depth, header_bytes }
    }
}
