//! `[auth]`: who may call the server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Secret;

/// Who may call the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Auth {
    /// The tokens that are accepted as `Authorization: Bearer TOKEN`. Empty: no credential is asked for, which
    /// is allowed on a loopback address only.
    pub(crate) tokens: Vec<Secret>,
}
