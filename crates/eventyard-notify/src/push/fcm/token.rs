//! Access tokens: asked for with a signed assertion (RFC 7523), and kept until shortly before they end.

use std::{sync::Arc, time::Duration};

use eventyard::{
    model::{Clock, Timestamp},
    secs,
};
use jsonwebtoken::{Algorithm, Header, encode};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{
    account::{Account, FcmSetupError},
    answer,
};
use crate::push::PushError;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
/// How long an assertion holds.
const ASSERTION: Duration = secs(60 * 60);
/// How long before its end a token is replaced.
const MARGIN: Duration = secs(60);

/// The access tokens of one account. At most one is asked for at a time; all others wait for it.
pub(super) struct Tokens {
    account: Account,
    http: Client,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<Token>>,
}

struct Token {
    text: Arc<str>,
    until: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refused {
    error: String,
    error_description: String,
}

impl Tokens {
    pub(super) fn new(account: Account, http: Client, clock: Arc<dyn Clock>) -> Self {
        Self { account, http, clock, current: Mutex::new(None) }
    }

    pub(super) fn project(&self) -> &str {
        self.account.project()
    }

    /// Signs something, so that a key that cannot is found before the first message.
    pub(super) fn try_key(&self) -> Result<(), FcmSetupError> {
        let cannot = |_| {
            FcmSetupError::new("private_key", "cannot sign; use an RSA key of 2048 bits or more")
        };
        self.assertion().map(drop).map_err(cannot)
    }

    /// A token that holds.
    pub(super) async fn get(&self) -> Result<Arc<str>, PushError> {
        let mut current = self.current.lock().await;
        let now = self.clock.now();
        if let Some(token) = current.as_ref().filter(|token| now < token.until) {
            return Ok(Arc::clone(&token.text));
        }
        let token = self.ask(now).await?;
        let text = Arc::clone(&token.text);
        *current = Some(token);
        Ok(text)
    }

    /// Forgets a token that was not taken, unless it has been replaced meanwhile.
    pub(super) async fn discard(&self, text: &str) {
        let mut current = self.current.lock().await;
        current.take_if(|token| *token.text == *text);
    }

    async fn ask(&self, now: Timestamp) -> Result<Token, PushError> {
        let assertion = self.assertion().map_err(|error| {
            PushError::Failed(format!("fcm: the assertion cannot be signed: {error}"))
        })?;
        let failed = |error: &reqwest::Error| {
            PushError::Failed(format!("fcm: no access token: {}", in_full(error)))
        };
        let response = self
            .http
            .post(&self.account.token_uri)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("grant_type={GRANT}&assertion={assertion}"))
            .send()
            .await
            .map_err(|error| failed(&error))?;
        let status = response.status();
        let retry_after = response.headers().get("retry-after").and_then(|v| v.to_str().ok());
        let wait = retry_after.and_then(|text| answer::wait(text, now));
        let body = response.bytes().await.map_err(|error| failed(&error))?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), wait, &body));
        }
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| {
            PushError::Failed("fcm: the answer to the assertion holds no access token".to_owned())
        })?;
        let lasts = secs(granted.expires_in);
        Ok(Token {
            text: granted.access_token.into(),
            until: now + lasts.saturating_sub(MARGIN.min(lasts / 2)),
        })
    }

    fn assertion(&self) -> Result<String, jsonwebtoken::errors::Error> {
        let account = &self.account;
        let iat = self.clock.now().as_millis() / 1000;
        let claims = Claims {
            iss: &account.client_email,
            scope: SCOPE,
            aud: &account.token_uri,
            iat,
            exp: iat + ASSERTION.as_secs() as i64,
        };
        let header = Header { kid: account.key_id.clone(), ..Header::new(Algorithm::RS256) };
        encode(&header, &claims, &account.key)
    }
}

fn refused(status: u16, wait: Option<Duration>, body: &[u8]) -> PushError {
    let Refused { error, error_description } = serde_json::from_slice(body).unwrap_or_default();
    let problem = format!("fcm: no access token: answered {status} {error}: {error_description}");
    match wait {
        Some(wait) if matches!(status, 429 | 503) => PushError::Wait { wait, problem },
        _ => PushError::Failed(problem),
    }
}

/// An error with its causes.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
