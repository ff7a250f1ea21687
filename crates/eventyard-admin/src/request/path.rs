//! The parts of a path.

use axum::{
    extract::{FromRequestParts, RawPathParams, rejection::RawPathParamsRejection},
    http::request::Parts,
};
use eventyard::model::{EventId, GroupKey, JobId, QueueName};

use crate::{Code, Problem};

/// The parameters of a path: one value, or a pair in their order, each checked against its rules.
#[derive(Debug, Clone)]
pub struct PathParams<T>(pub T);

/// A value that is one part of a path.
pub trait PathParam: Sized {
    /// Reads it; percent-encoding is undone already.
    ///
    /// # Errors
    /// Says what is wrong, and what is allowed.
    fn read(text: &str) -> Result<Self, String>;
}

impl PathParam for String {
    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

macro_rules! identifiers {
    ($($name:ident),*) => {
        $(impl PathParam for $name {
            fn read(text: &str) -> Result<Self, String> {
                Self::new(text).map_err(|error| error.problem)
            }
        })*
    };
}

identifiers!(EventId, GroupKey, JobId, QueueName);

/// All parameters of a path.
pub trait PathValues: Sized {
    /// Takes them in their order.
    ///
    /// # Errors
    /// Names the one that is wrong.
    fn take<'a>(params: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Problem>;
}

impl<T: PathParam> PathValues for T {
    fn take<'a>(mut params: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Problem> {
        next(&mut params)
    }
}

impl<A: PathParam, B: PathParam> PathValues for (A, B) {
    fn take<'a>(mut params: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Problem> {
        Ok((next(&mut params)?, next(&mut params)?))
    }
}

fn next<'a, T: PathParam>(
    params: &mut impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<T, Problem> {
    let Some((name, text)) = params.next() else {
        // Only a handler that does not fit its own route gets here.
        return Err(Problem::of(Code::INTERNAL, "the path has too few parts"));
    };
    T::read(text).map_err(|what| {
        Problem::of(Code::INVALID_PARAMETER, format!("`{name}` in the path {what}"))
            .field(name, what)
    })
}

impl<S: Send + Sync, T: PathValues + Send> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(problem)?;
        T::take(params.iter()).map(Self)
    }
}

fn problem(rejection: RawPathParamsRejection) -> Problem {
    match rejection {
        RawPathParamsRejection::InvalidUtf8InPathParam(error) => {
            Problem::of(Code::INVALID_PARAMETER, error.body_text())
        }
        other => Problem::of(Code::INTERNAL, other.body_text()),
    }
}
