//! Which tokens are accepted: fixed by configuration, never by the token.

use std::{fmt, str::FromStr, time::Duration};

use jsonwebtoken::AlgorithmFamily;

use crate::error::SetupError;

/// Where the keys come from that tokens are verified with.
#[derive(Clone, PartialEq, Eq)]
pub enum Keys {
    /// A secret that the issuer shares.
    Secret(Vec<u8>),
    /// The issuer's public keys, fetched from this address and kept.
    Jwks {
        /// The address of the JSON Web Key Set.
        url: String,
        /// How long to wait before it is fetched again because of a key that is not in it.
        refresh: Duration,
    },
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.write_str("Secret(********)"),
            Self::Jwks { url, .. } => f.debug_tuple("Jwks").field(url).finish(),
        }
    }
}

/// An algorithm that tokens may be signed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm(jsonwebtoken::Algorithm);

impl Algorithm {
    /// HMAC with SHA-256.
    pub const HS256: Self = Self(jsonwebtoken::Algorithm::HS256);
    /// RSA with SHA-256.
    pub const RS256: Self = Self(jsonwebtoken::Algorithm::RS256);

    /// The names of all.
    pub const NAMES: [&'static str; 12] = [
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
        "ES384", "EdDSA",
    ];

    pub(super) fn is(self, other: jsonwebtoken::Algorithm) -> bool {
        self.0 == other
    }

    fn is_of_a_secret(self) -> bool {
        self.0.family() == AlgorithmFamily::Hmac
    }
}

/// A name that no algorithm has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no algorithm; there are {names}", names = Algorithm::NAMES.join(", "))]
pub struct UnknownAlgorithm(String);

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        name.parse().map(Self).map_err(|_| UnknownAlgorithm(name.to_owned()))
    }
}

/// Which tokens are accepted. Each must have a time at which it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The keys.
    pub keys: Keys,
    /// The algorithms, all of the kind that fits the keys.
    pub algorithms: Vec<Algorithm>,
    /// The issuer that a token must name, if any.
    pub issuer: Option<String>,
    /// The audiences of which a token must name one; empty when it need not.
    pub audience: Vec<String>,
    /// How far the clocks of the issuer and of this machine may be apart.
    pub leeway: Duration,
    /// The claim that lists the rooms that a token opens.
    pub rooms_claim: String,
}

impl Policy {
    /// Tokens that are signed by HS256 with a secret.
    #[must_use]
    pub fn secret(secret: impl Into<Vec<u8>>) -> Self {
        Self::new(Keys::Secret(secret.into()), Algorithm::HS256)
    }

    /// Tokens that are signed by RS256 with one of the keys at `url`.
    #[must_use]
    pub fn jwks(url: impl Into<String>) -> Self {
        let refresh = Duration::from_secs(30);
        Self::new(Keys::Jwks { url: url.into(), refresh }, Algorithm::RS256)
    }

    fn new(keys: Keys, algorithm: Algorithm) -> Self {
        Self {
            keys,
            algorithms: vec![algorithm],
            issuer: None,
            audience: Vec::new(),
            leeway: Duration::ZERO,
            rooms_claim: "rooms".to_owned(),
        }
    }

    /// Checks that keys and algorithms fit each other.
    ///
    /// # Errors
    /// Names the key that is wrong, and what to do.
    pub fn check(&self) -> Result<(), SetupError> {
        let of_a_secret = match &self.keys {
            Keys::Secret(secret) if secret.is_empty() => {
                return Err(SetupError::new(
                    "jwt.secret",
                    "is missing; set JWT_SECRET to the secret that tokens are signed with, or jwt.jwks-url",
                ));
            }
            Keys::Secret(_) => true,
            Keys::Jwks { url, .. } => {
                check_url(url)?;
                false
            }
        };
        if self.algorithms.is_empty() {
            return Err(SetupError::new("jwt.algorithms", "is empty; name at least one"));
        }
        match self.algorithms.iter().find(|a| a.is_of_a_secret() != of_a_secret) {
            None => Ok(()),
            Some(Algorithm(algorithm)) => {
                let problem = if of_a_secret {
                    "needs a public key, but jwt.secret is a shared secret; set jwt.jwks-url, or use HS256"
                } else {
                    "needs a shared secret, but the keys come from jwt.jwks-url; use RS256, ES256 or EdDSA"
                };
                Err(SetupError::new(
                    "jwt.algorithms",
                    format!("names {algorithm:?}, which {problem}"),
                ))
            }
        }
    }
}

fn check_url(url: &str) -> Result<(), SetupError> {
    let parsed = reqwest::Url::parse(url)
        .map_err(|error| SetupError::new("jwt.jwks-url", format!("is no address: {error}")))?;
    let host = parsed.host_str().unwrap_or_default();
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if parsed.scheme() == "https" || parsed.scheme() == "http" && is_here {
        return Ok(());
    }
    Err(SetupError::new(
        "jwt.jwks-url",
        "is neither https nor on this machine; whoever sits between could hand out keys of their own",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_algorithms_fit() {
        let check = |policy: Policy, algorithms: &[&str], expected: &str| {
            let algorithms = algorithms.iter().map(|name| name.parse().unwrap()).collect();
            let error = Policy { algorithms, ..policy }.check().err();
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(
                error.starts_with(expected) && error.is_empty() == expected.is_empty(),
                "{error}"
            );
        };
        let (secret, jwks) = (Policy::secret("s"), Policy::jwks("https://id.example.com/keys"));
        check(secret.clone(), &["HS256", "HS512"], "");
        check(jwks.clone(), &["RS256", "ES256", "EdDSA"], "");
        check(secret.clone(), &[], "realtime.jwt.algorithms is empty");
        check(
            secret.clone(),
            &["HS256", "RS256"],
            "realtime.jwt.algorithms names RS256, which needs a public key",
        );
        check(jwks, &["HS256"], "realtime.jwt.algorithms names HS256, which needs a shared secret");
        check(Policy::secret(""), &["HS256"], "realtime.jwt.secret is missing; set JWT_SECRET");
        check(
            Policy::jwks("http://id.example.com/"),
            &["RS256"],
            "realtime.jwt.jwks-url is neither https",
        );
        check(Policy::jwks("http://127.0.0.1:8080/"), &["RS256"], "");
        check(Policy::jwks("keys"), &["RS256"], "realtime.jwt.jwks-url is no address");
        for none in ["none", "None", "NONE", ""] {
            assert!(none.parse::<Algorithm>().is_err());
        }
        for name in Algorithm::NAMES {
            assert!(name.parse::<Algorithm>().is_ok());
        }
        assert!(!format!("{secret:?}").contains("\"s\""), "a secret is never shown");
    }
}
