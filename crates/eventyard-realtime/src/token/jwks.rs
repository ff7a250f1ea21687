//! The public keys of an issuer: fetched, kept, and fetched again when a token names one that is not there.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use eventyard::model::{Clock, Timestamp};
use jsonwebtoken::{
    DecodingKey, Header,
    jwk::{Jwk, JwkSet, KeyOperations, PublicKeyUse},
};
use reqwest::{Client, Response, redirect::Policy};
use tokio::sync::Mutex;

use crate::{error::SetupError, refusal::Refusal};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest set of keys, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// How old keys may be: one that its issuer has taken back is forgotten by then.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// The keys at an address.
pub(super) struct Jwks {
    http: Client,
    url: String,
    refresh: Duration,
    clock: Arc<dyn Clock>,
    kept: RwLock<Kept>,
    /// Held by whoever fetches; others that need to wait for it.
    fetching: Mutex<()>,
}

#[derive(Default, Clone)]
struct Kept {
    keys: Option<Arc<JwkSet>>,
    /// When they were fetched.
    at: Timestamp,
    /// When it was last tried.
    tried: Option<Timestamp>,
}

impl Jwks {
    pub(super) fn new(
        url: &str,
        refresh: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let http = Client::builder()
            .timeout(TIMEOUT)
            // A redirect could lead to keys of somebody else.
            .redirect(Policy::none())
            .build()
            .map_err(|error| SetupError::new("jwt.jwks-url", format!("cannot be used: {error}")))?;
        let (kept, fetching) = (RwLock::default(), Mutex::default());
        Ok(Self { http, url: url.to_owned(), refresh, clock, kept, fetching })
    }

    /// The key that a token is to be verified with.
    pub(super) async fn key(&self, header: &Header) -> Result<DecodingKey, Refusal> {
        if let Some(key) = self.fresh(header) {
            return Ok(key);
        }
        let fetching = self.fetching.lock().await;
        // Somebody else may have fetched it in the meantime.
        if let Some(key) = self.fresh(header) {
            return Ok(key);
        }
        self.refetch().await;
        drop(fetching);
        match &self.kept().keys {
            None => Err(Refusal::unauthenticated(
                "the keys that tokens are verified with cannot be fetched; try again later",
            )),
            Some(keys) => find(keys, header)
                .ok_or_else(|| Refusal::unauthenticated("the token is signed with an unknown key")),
        }
    }

    /// The key, if it is there and young enough.
    fn fresh(&self, header: &Header) -> Option<DecodingKey> {
        let kept = self.kept();
        let is_fresh = self.clock.now().since(kept.at) < MAX_AGE;
        kept.keys.filter(|_| is_fresh).and_then(|keys| find(&keys, header))
    }

    /// Fetches the keys, unless that was tried a moment ago. Those that are kept stay if it fails.
    async fn refetch(&self) {
        let now = self.clock.now();
        if self.kept().tried.is_some_and(|tried| now.since(tried) < self.refresh) {
            return;
        }
        let fetched = self.fetch().await;
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.tried = Some(now);
        match fetched {
            Ok(keys) => {
                kept.at = now;
                kept.keys = Some(Arc::new(keys));
            }
            Err(problem) => {
                tracing::error!(url = self.url, problem, "the keys of tokens cannot be fetched");
            }
        }
    }

    fn kept(&self) -> Kept {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let response = self.http.get(&self.url).send().await.and_then(Response::error_for_status);
        let mut response = response.map_err(|error| error.to_string())?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(format!("the answer has more than {MAX_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|error| format!("the answer is no key set: {error}"))
    }
}

/// The key for a token: the one that it names, or the only one that fits if it names none.
fn find(keys: &JwkSet, header: &Header) -> Option<DecodingKey> {
    let mut fitting = keys.keys.iter().filter(|key| fits(key, header)).filter_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        (key.family() == header.alg.family()).then_some(key)
    });
    let first = fitting.next()?;
    (header.kid.is_some() || fitting.next().is_none()).then_some(first)
}

fn fits(key: &Jwk, header: &Header) -> bool {
    let common = &key.common;
    let for_signatures = !matches!(common.public_key_use, Some(PublicKeyUse::Encryption))
        && common
            .key_operations
            .as_ref()
            .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let named = header.kid.is_none() || header.kid == common.key_id;
    let algorithm = common.key_algorithm.is_none_or(|algorithm| {
        algorithm.to_string().parse::<jsonwebtoken::Algorithm>().is_ok_and(|a| a == header.alg)
    });
    for_signatures && named && algorithm
}
