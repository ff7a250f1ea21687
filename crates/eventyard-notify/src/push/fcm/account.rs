//! The service account that messages are sent as.

use std::{fmt, path::Path};

use jsonwebtoken::EncodingKey;
use serde::Deserialize;

/// Push notifications cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fcm: {what} {problem}")]
pub struct FcmSetupError {
    /// What it is about: the file, or a field of it.
    pub what: String,
    /// What is wrong with it.
    pub problem: String,
}

impl FcmSetupError {
    pub(super) fn new(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { what: what.into(), problem: problem.into() }
    }
}

/// What a service account's JSON file says, as far as it matters here.
#[derive(Deserialize)]
struct File {
    project_id: String,
    client_email: String,
    private_key: String,
    token_uri: String,
    private_key_id: Option<String>,
}

/// A service account.
pub(super) struct Account {
    pub(super) project_id: String,
    pub(super) client_email: String,
    pub(super) key: EncodingKey,
    pub(super) key_id: Option<String>,
    pub(super) token_uri: String,
}

impl Account {
    pub(super) fn read(path: &Path) -> Result<Self, FcmSetupError> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| FcmSetupError::new(&name, format!("cannot be read: {error}")))?;
        let file: File = serde_json::from_slice(&bytes).map_err(|error| {
            // The error's own text may quote a value, and one of the values is the key.
            let (line, column) = (error.line(), error.column());
            let problem = match missing_field(&error) {
                Some(field) => format!("lacks the field `{field}`; download it again"),
                None => {
                    format!("is not a service account's JSON file: line {line}, column {column}")
                }
            };
            FcmSetupError::new(&name, problem)
        })?;
        check_url("token_uri", &file.token_uri)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
        if file.project_id.is_empty() || !file.project_id.chars().all(is_plain) {
            let problem = format!("`{}` is not a project's id", file.project_id.escape_debug());
            return Err(FcmSetupError::new("project_id", problem));
        }
        let key = EncodingKey::from_rsa_pem(file.private_key.as_bytes())
            .map_err(|_| FcmSetupError::new("private_key", "is not an RSA key in PEM form"))?;
        Ok(Self {
            project_id: file.project_id,
            client_email: file.client_email,
            key,
            key_id: file.private_key_id,
            token_uri: file.token_uri,
        })
    }

    pub(super) fn project(&self) -> &str {
        &self.project_id
    }
}

fn missing_field(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let name = text.strip_prefix("missing field `")?.split('`').next()?;
    Some(name.to_owned())
}

/// Tokens travel to these addresses: they must be protected on the way.
pub(super) fn check_url(what: &str, url: &str) -> Result<(), FcmSetupError> {
    let parsed = reqwest::Url::parse(url)
        .map_err(|error| FcmSetupError::new(what, format!("`{url}` is not an address: {error}")))?;
    let is_local = parsed.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    });
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if is_local => Ok(()),
        _ => Err(FcmSetupError::new(what, format!("`{url}` is not protected; use https"))),
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("project_id", &self.project_id)
            .field("client_email", &self.client_email)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("account.json");
        std::fs::write(&path, json).unwrap();
        Account::read(&path).unwrap_err().to_string()
    }

    #[test]
    fn faults_are_told_without_the_key() {
        let check = |json: &str, expected: &str| {
            let text = error(json);
            assert!(text.contains(expected), "{expected} in {text}");
            assert!(!text.contains("SECRET"), "{text}");
        };
        check("{", "line 1, column");
        check(r#"{"private_key": ["SECRET"]}"#, "line 1, column");
        check(r#"{"project_id":"p","client_email":"e"}"#, "lacks the field `private_key`");
        let with = |project: &str, uri: &str| {
            serde_json::json!({
                "project_id": project, "client_email": "e", "private_key": "SECRET", "token_uri": uri
            })
            .to_string()
        };
        check(
            &with("p", "http://example.com/token"),
            "token_uri `http://example.com/token` is not protected",
        );
        check(&with("p/../q", "https://example.com/token"), "project_id");
        check(&with("p", "http://127.0.0.1:1/token"), "private_key is not an RSA key");
    }
}
