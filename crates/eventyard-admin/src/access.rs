//! What happens to every request: it gets an id and a line in the log, and a panic becomes an answer.

use std::{any::Any, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::{Instrument, field::Empty};
use uuid::Uuid;

use crate::{
    Code, Problem,
    problem::{REQUEST_PREFIX, Told},
};

/// The header that carries a request's id, in and out.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken over from a request.
const MAX_ID_BYTES: usize = 128;

/// Names the request, logs it, and names the occurrence of a problem by it.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    // The path as it is routed: the real one may hold a lease's token.
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let path = path.unwrap_or(request.uri().path()).to_owned();
    let span =
        tracing::debug_span!("request", id, method = %request.method(), path, caller = Empty);
    let begun = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    span.in_scope(|| tracing::debug!(status, took_ms = took.as_secs_f64() * 1000.0, "answered"));
    name(response, &id)
}

/// Puts the request's id on the answer.
fn name(mut response: Response, id: &str) -> Response {
    if let Some(Told(problem)) = response.extensions_mut().remove() {
        let told = problem.instance(format!("{REQUEST_PREFIX}{id}")).into_response();
        let (parts, body) = told.into_parts();
        // Headers that were added on the way out stay.
        response.headers_mut().extend(parts.headers);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = body;
    }
    let no_sniffing = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, no_sniffing);
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The id that the request brings along, if it is fit to be logged.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let fine = (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(fits);
    fine.then(|| id.to_owned())
}

/// The answer to a request whose handler panicked.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(message, "a request's handler panicked");
    Problem::of(Code::INTERNAL, "the request ran into a mistake in the server; it is in its log")
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_fit_to_be_logged_are_taken_over() {
        let long = "x".repeat(MAX_ID_BYTES + 1);
        for (id, taken) in
            [("abc-1_2.3", true), ("", false), ("a b", false), ("a\"b", false), (&*long, false)]
        {
            let headers = [(REQUEST_ID, HeaderValue::from_str(id).unwrap())].into_iter().collect();
            assert_eq!(given_id(&headers).is_some(), taken, "{id}");
        }
    }
}
