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
    pub(crate) tokens: Vec<Token>,
}

/// A token: a text, which may do everything, or a table with its role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a token, or { token, role, name } with the role viewer, operator or admin"
)]
pub(crate) enum Token {
    /// A token that may do everything.
    Plain(Secret),
    /// A token with a role.
    Named(NamedToken),
}

/// A token with what it may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct NamedToken {
    /// The token.
    pub(crate) token: Secret,
    /// What it may do: `viewer` (look), `operator` (also publish, work on jobs, retry, pause) or `admin` (also
    /// remove).
    #[serde(default)]
    pub(crate) role: Role,
    /// Who uses it, for the log and the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// What a token may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Look at everything.
    Viewer,
    /// Publish, enqueue, work on jobs, retry, promote, pause.
    Operator,
    /// Also remove: drain, obliterate, clean, delete.
    #[default]
    Admin,
}

impl Token {
    /// The token itself.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Plain(token) | Self::Named(NamedToken { token, .. }) => token,
        }
    }

    /// What it may do.
    pub(crate) fn role(&self) -> Role {
        match self {
            Self::Plain(_) => Role::Admin,
            Self::Named(named) => named.role,
        }
    }

    /// Who uses it, if the configuration says so.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Plain(_) => None,
            Self::Named(named) => named.name.as_deref(),
        }
    }
}
