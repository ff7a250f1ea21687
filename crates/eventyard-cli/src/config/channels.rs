//! `[channels]`: the ways in which notifications leave.

use std::path::PathBuf;

use eventyard_notify::mail::{self, Credentials, SmtpOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Secret, TimeSpan};

/// The ways in which notifications leave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Channels {
    /// The sender of mails, `ada@example.com` or `Ada <ada@example.com>`. A mail server needs one; the mailbox
    /// has a default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// A folder with templates that replace the built-in ones, file by file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) templates_dir: Option<PathBuf>,
    /// The mail server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) smtp: Option<Smtp>,
    /// The mailbox: mails are kept in the store and shown at `/api/v1/mailbox`, not sent.
    pub(crate) mailbox: Mailbox,
    /// Push notifications by Firebase Cloud Messaging.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fcm: Option<Fcm>,
}

/// The mail server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Smtp {
    /// Its name, as its certificate has it, or its address.
    pub(crate) host: String,
    /// Its port. When absent, the usual one of `tls`: 587, 465 or 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    /// How the connection is protected: `starttls`, `required` (TLS from the first byte) or `none`.
    #[serde(default)]
    pub(crate) tls: Tls,
    /// The user to log in as; together with `password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    /// The password to log in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<Secret>,
    /// A PEM file of authorities to trust besides the well-known ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The most connections at once; more mail waits for one.
    #[serde(default = "five")]
    pub(crate) connections: usize,
    /// How long the server may take over each step.
    #[serde(default = "twenty_seconds")]
    pub(crate) timeout: TimeSpan,
    /// How this machine calls itself; its host name when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hello_name: Option<String>,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tls {
    /// It begins in the clear and must be upgraded.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Required,
    /// Not at all: for a server on the same machine or network.
    None,
}

/// The mailbox in place of a mail server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Mailbox {
    /// Whether mails are kept instead of sent.
    pub(crate) enabled: bool,
}

/// Push notifications by Firebase Cloud Messaging.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Fcm {
    /// The service account's key file, as downloaded from Google.
    pub(crate) credentials: PathBuf,
    /// Where messages are sent when not to Google.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base_url: Option<String>,
}

impl Smtp {
    /// The same as the mailer takes it.
    pub(crate) fn options(&self) -> SmtpOptions {
        let tls = match self.tls {
            Tls::Starttls => mail::Tls::StartTls,
            Tls::Required => mail::Tls::Required,
            Tls::None => mail::Tls::None,
        };
        let credentials = self.username.clone().zip(self.password.as_ref());
        SmtpOptions {
            host: self.host.clone(),
            port: self.port.unwrap_or(tls.port()),
            tls,
            credentials: credentials.map(|(username, password)| Credentials {
                username,
                password: password.reveal().to_owned(),
            }),
            ca_file: self.ca_file.clone(),
            connections: self.connections,
            timeout: self.timeout.get(),
            hello_name: self.hello_name.clone(),
        }
    }
}

const fn five() -> usize {
    5
}

const fn twenty_seconds() -> TimeSpan {
    TimeSpan::secs(20)
}
