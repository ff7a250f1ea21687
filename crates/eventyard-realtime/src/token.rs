//! Tokens: who a client is, and for how long.

mod claims;
mod jwks;
mod policy;

use std::sync::Arc;

use eventyard::model::{Clock, Timestamp};
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};

pub use policy::{Algorithm, Keys, Policy, UnknownAlgorithm};

use self::{claims::Claims, jwks::Jwks};
use crate::{error::SetupError, refusal::Refusal};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// A secret should be at least as long as what HS256 makes of it.
const GOOD_SECRET_BYTES: usize = 32;

/// Who a client is, by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The claim `userId`, or else `sub`.
    pub(crate) user: Arc<str>,
    /// When the token ends.
    pub(crate) until: Timestamp,
    /// The rooms that the token opens.
    pub(crate) rooms: Vec<String>,
}

/// Checks tokens by a policy.
pub(crate) struct Verifier {
    policy: Policy,
    keys: Source,
    clock: Arc<dyn Clock>,
}

enum Source {
    Secret(DecodingKey),
    Jwks(Jwks),
}

impl Verifier {
    /// A verifier that takes what `policy` says.
    pub(crate) fn new(policy: Policy, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        policy.check()?;
        let keys = match &policy.keys {
            Keys::Secret(secret) => {
                if secret.len() < GOOD_SECRET_BYTES {
                    tracing::warn!(
                        "realtime.jwt.secret has {} bytes and may be guessed; use {GOOD_SECRET_BYTES} or more, \
                         such as what `openssl rand -hex 32` prints",
                        secret.len()
                    );
                }
                Source::Secret(DecodingKey::from_secret(secret))
            }
            Keys::Jwks { url, refresh } => {
                Source::Jwks(Jwks::new(url, *refresh, Arc::clone(&clock))?)
            }
        };
        Ok(Self { policy, keys, clock })
    }

    /// Who holds this token.
    pub(crate) async fn verify(&self, token: &str) -> Result<Identity, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::unauthenticated(format!(
                "the token has {} bytes; at most {MAX_TOKEN_BYTES} are allowed",
                token.len()
            )));
        }
        // An algorithm that is not known, `none` above all, is refused here.
        let header = decode_header(token)
            .map_err(|_| Refusal::unauthenticated("the token is no signed JWT"))?;
        if !self.policy.algorithms.iter().any(|algorithm| algorithm.is(header.alg)) {
            return Err(Refusal::unauthenticated(format!(
                "the token is signed by {:?}, which is not accepted here",
                header.alg
            )));
        }
        let claims = match &self.keys {
            Source::Secret(key) => signed(token, key, &header)?,
            Source::Jwks(jwks) => signed(token, &jwks.key(&header).await?, &header)?,
        };
        claims.identity(&self.policy, self.clock.now())
    }
}

/// What the token says, if this key has signed it.
fn signed(token: &str, key: &DecodingKey, header: &Header) -> Result<Claims, Refusal> {
    let mut validation = Validation::new(header.alg);
    // Only the signature is checked here: times are measured by the application's clock.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    use jsonwebtoken::errors::ErrorKind;
    let data = decode::<Claims>(token, key, &validation).map_err(|error| {
        Refusal::unauthenticated(match error.kind() {
            ErrorKind::InvalidSignature => "the token's signature is wrong".to_owned(),
            ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => {
                format!("the token's claims cannot be read: {error}")
            }
            _ => "the token cannot be verified".to_owned(),
        })
    })?;
    Ok(data.claims)
}
