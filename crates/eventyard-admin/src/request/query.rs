//! The part of an address behind the question mark.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

use super::field;
use crate::{Code, Problem};

/// The parameters of a query as a `T`.
#[derive(Debug, Clone)]
pub struct QueryParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        field::problem(Code::INVALID_PARAMETER, error.path(), &error.inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Ask {
        limit: Option<u32>,
        queue: Option<String>,
    }

    #[test]
    fn rejections_name_the_parameter() {
        assert!(read::<Ask>("limit=5&queue=e%20mails").is_ok());
        assert!(read::<Ask>("").is_ok());
        for (query, field) in [("limit=x", "limit"), ("limit=", "limit"), ("limt=5", "limt")] {
            let problem = read::<Ask>(query).unwrap_err();
            assert_eq!(problem.code(), "invalid-parameter");
            assert_eq!(problem.errors()[0].field, field, "{problem:?}");
        }
    }
}
