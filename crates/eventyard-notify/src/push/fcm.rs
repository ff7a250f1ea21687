//! Firebase Cloud Messaging, HTTP v1.

mod account;
mod answer;
mod token;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use eventyard::model::Clock;
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

pub use account::FcmSetupError;

use self::{account::Account, answer::Answer, token::Tokens};
use super::{Push, PushError, Pusher};

/// Where messages are sent unless said otherwise.
const BASE: &str = "https://fcm.googleapis.com";
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends push notifications through Firebase Cloud Messaging.
pub struct Fcm {
    http: Client,
    url: String,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
}

impl Fcm {
    /// A client for the project of a service account, whose JSON file lies at `path`. Nothing is sent yet.
    ///
    /// # Errors
    /// When the file cannot be read, lacks a field, or holds a key that cannot sign.
    pub fn from_file(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, FcmSetupError> {
        let account = Account::read(path)?;
        let http = Client::builder()
            .timeout(TIMEOUT)
            // A redirect would carry the assertion elsewhere.
            .redirect(Policy::none())
            .build()
            .map_err(|error| FcmSetupError::new("HTTP client", error.to_string()))?;
        let url = url(BASE, account.project());
        let tokens = Tokens::new(account, http.clone(), Arc::clone(&clock));
        tokens.try_key()?;
        Ok(Self { http, url, tokens, clock })
    }

    /// Sends to another address than Google's.
    ///
    /// # Errors
    /// When the address is neither `https` nor on this machine.
    pub fn base_url(mut self, base: &str) -> Result<Self, FcmSetupError> {
        account::check_url("base URL", base)?;
        self.url = url(base, self.tokens.project());
        Ok(self)
    }

    async fn send(&self, bearer: &str, message: &Value) -> Result<Answer, PushError> {
        let response = self
            .http
            .post(&self.url)
            .bearer_auth(bearer)
            .json(message)
            .send()
            .await
            .map_err(|error| unreachable(&error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").and_then(|v| v.to_str().ok());
        let retry_after = retry_after.map(ToOwned::to_owned);
        let body = response.bytes().await.map_err(|error| unreachable(&error))?;
        Ok(answer::read(status, retry_after.as_deref(), &body, self.clock.now()))
    }
}

fn url(base: &str, project: &str) -> String {
    format!("{}/v1/projects/{project}/messages:send", base.trim_end_matches('/'))
}

#[async_trait]
impl Pusher for Fcm {
    async fn push(&self, token: &str, push: &Push) -> Result<String, PushError> {
        let message = message(token, push);
        let bearer = self.tokens.get().await?;
        let answer = match self.send(&bearer, &message).await? {
            // The token was taken back before its time: one more try with a new one.
            Answer::Unauthorised(_) => {
                self.tokens.discard(&bearer).await;
                let bearer = self.tokens.get().await?;
                self.send(&bearer, &message).await?
            }
            answer => answer,
        };
        match answer {
            Answer::Sent(name) => Ok(name),
            Answer::Gone(problem) => Err(PushError::Unregistered(problem)),
            Answer::Wait { wait, problem } => Err(PushError::Wait { wait, problem }),
            Answer::Unauthorised(problem) | Answer::Failed(problem) => {
                Err(PushError::Failed(problem))
            }
        }
    }
}

fn message(token: &str, push: &Push) -> Value {
    json!({"message": {
        "token": token,
        "notification": {"title": push.title, "body": push.body},
        "data": push.data,
        "android": {"notification": {"tag": push.collapse}},
        "apns": {"headers": {"apns-collapse-id": push.collapse}},
    }})
}

fn unreachable(error: &reqwest::Error) -> PushError {
    PushError::Failed(format!("fcm cannot be reached: {}", token::in_full(error)))
}

impl fmt::Debug for Fcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fcm").field("url", &self.url).finish_non_exhaustive()
    }
}
