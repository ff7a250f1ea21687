//! How to reach an SMTP server.

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use eventyard::secs;

/// The most connections to one server.
const MAX_CONNECTIONS: usize = 100;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// Not at all: for servers on the same machine or network.
    None,
    /// Begins in clear text and must change to TLS before anything is said; the server must offer it.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Required,
}

impl Tls {
    /// The port that servers use for it.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Required => 465,
        }
    }
}

/// A user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub username: String,
    /// The password; never shown.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// How to reach an SMTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpOptions {
    /// The server's name, as its certificate has it, or its address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who to log in as, if the server wants that.
    pub credentials: Option<Credentials>,
    /// A PEM file of authorities to trust besides the well-known ones.
    pub ca_file: Option<PathBuf>,
    /// The most connections at once; more mail waits for one.
    pub connections: usize,
    /// How long the server may take over each step.
    pub timeout: Duration,
    /// How this machine calls itself; its host name when absent.
    pub hello_name: Option<String>,
}

impl SmtpOptions {
    /// The usual options for a server: STARTTLS on port 587, up to 5 connections, 20 s for each step.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: Tls::StartTls.port(),
            tls: Tls::StartTls,
            credentials: None,
            ca_file: None,
            connections: 5,
            timeout: secs(20),
            hello_name: None,
        }
    }

    /// Protects the connection in this way, on its usual port.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self.port = tls.port();
        self
    }

    /// Uses another port than the usual one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Logs in.
    #[must_use]
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        let (username, password) = (username.into(), password.into());
        self.credentials = Some(Credentials { username, password });
        self
    }

    /// What contradicts itself.
    pub(super) fn check(&self) -> Result<(), SmtpSetupError> {
        let invalid = |field, problem: String| Err(SmtpSetupError { field, problem });
        if self.host.trim().is_empty() {
            return invalid("host", "is empty; name the mail server".to_owned());
        }
        if !(1..=MAX_CONNECTIONS).contains(&self.connections) {
            let n = self.connections;
            return invalid("connections", format!("is {n}; use 1 to {MAX_CONNECTIONS}"));
        }
        if self.timeout.is_zero() {
            return invalid("timeout", "is zero; give the server some time".to_owned());
        }
        if self.hello_name.as_ref().is_some_and(|name| {
            name.is_empty() || name.chars().any(|c| c.is_control() || c.is_whitespace())
        }) {
            return invalid("helloName", "is not a host name".to_owned());
        }
        if self.credentials.is_some() && self.tls == Tls::None && !self.is_loopback() {
            let problem = format!(
                "would send the password to {} in clear text; use starttls or required",
                self.host
            );
            return invalid("tls", problem);
        }
        Ok(())
    }

    fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// An SMTP server's options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mail server: {field} {problem}")]
pub struct SmtpSetupError {
    /// The option.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_told() {
        let check = |options: SmtpOptions, expected: Option<&str>| {
            let field = options.check().err().map(|error| error.field);
            assert_eq!(field, expected, "{options:?}");
        };
        let new = SmtpOptions::new;
        check(new("mail.example.com"), None);
        check(new("mail.example.com").credentials("u", "p"), None);
        check(new("mail.example.com").tls(Tls::None).credentials("u", "p"), Some("tls"));
        check(new("[::1]").tls(Tls::None).credentials("u", "p"), None);
        check(new(" "), Some("host"));
        check(SmtpOptions { connections: 0, ..new("m") }, Some("connections"));
        check(SmtpOptions { timeout: Duration::ZERO, ..new("m") }, Some("timeout"));
        check(SmtpOptions { hello_name: Some("a\r\nb".into()), ..new("m") }, Some("helloName"));
    }

    #[test]
    fn passwords_are_never_shown() {
        let text = format!("{:?}", SmtpOptions::new("m").credentials("u", "hunter2"));
        assert!(!text.contains("hunter2"), "{text}");
    }
}
