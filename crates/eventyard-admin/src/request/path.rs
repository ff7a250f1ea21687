//! The parts of a path.

use axum::{
    extract::{FromRequestParts, Path, rejection::PathRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::{Code, Problem};

/// The parameters of a path as a `T`: an identifier or a tuple of them, each checked against its rules.
#[derive(Debug, Clone)]
pub struct PathParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::from_request_parts(parts, state).await;
        read.map(|Path(value)| Self(value)).map_err(problem)
    }
}

fn problem(rejection: PathRejection) -> Problem {
    match rejection {
        PathRejection::FailedToDeserializePathParams(error) => {
            Problem::of(Code::INVALID_PARAMETER, error.body_text())
        }
        // Only a handler that does not fit its own route gets here.
        other => Problem::of(Code::INTERNAL, other.body_text()),
    }
}
