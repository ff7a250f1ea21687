//! `[channels]`: the ways in which notifications leave.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Secret, TimeSpan};

/// The ways in which notifications leave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Channels {
    /// A folder with templates that replace the built-in ones, file by file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) templates_dir: Option<PathBuf>,
    /// The mail server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) smtp: Option<Smtp>,
    /// Push notifications by Firebase Cloud Messaging.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fcm: Option<Fcm>,
    /// The mailbox: mails are kept in the store and shown at `/api/v1/mailbox`, not sent.
    pub(crate) mailbox: Mailbox,
}

/// The mail server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Smtp {
    /// Its name or address.
    pub(crate) host: String,
    /// Its port. When absent, the usual one of `security`: 587, 465 or 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub(crate) security: Security,
    /// The user to log in as; together with `password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    /// The password to log in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<Secret>,
    /// The sender of the mails: `ada@example.com` or `Ada <ada@example.com>`.
    pub(crate) from: String,
    /// How long sending one mail may take.
    #[serde(default = "ten_seconds")]
    pub(crate) timeout: TimeSpan,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Security {
    /// It begins in the clear and must be upgraded.
    #[default]
    Starttls,
    /// It is TLS from the start.
    Tls,
    /// Not at all: for a server on the same machine.
    None,
}

/// Push notifications by Firebase Cloud Messaging.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Fcm {
    /// The service account's key file, as downloaded from Google.
    pub(crate) credentials: PathBuf,
    /// How long sending one message may take.
    #[serde(default = "ten_seconds")]
    pub(crate) timeout: TimeSpan,
}

/// The mailbox in place of a mail server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Mailbox {
    /// Whether mails are kept instead of sent.
    pub(crate) enabled: bool,
}

const fn ten_seconds() -> TimeSpan {
    TimeSpan::secs(10)
}
