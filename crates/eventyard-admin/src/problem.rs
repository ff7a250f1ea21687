//! What is answered when something is wrong: RFC 9457 problem details.

mod code;
mod from_error;

use std::time::Duration;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

pub use code::{CODES, Code};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// What the `type` of every problem begins with; the rest is the error's code, the name of its page in
/// `docs/errors`.
pub const TYPE_PREFIX: &str = "urn:eventyard:error:";

/// What the `instance` of every problem begins with; the rest is the id of the request.
pub(crate) const REQUEST_PREFIX: &str = "urn:eventyard:request:";

/// Why a request was refused or failed: RFC 9457 problem details.
///
/// ```
/// # use eventyard_admin::{Code, Problem};
/// let problem = Problem::of(Code::INVALID_BODY, "a preference names a channel")
///     .field("channel", "is `fax`; use email, push or in-app");
/// assert_eq!(problem.status().as_u16(), 422);
/// assert_eq!(problem.code(), "invalid-body");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Details>);

/// What a problem says. Boxed, so that the way of success carries no weight.
#[derive(Debug, Clone, PartialEq)]
struct Details {
    code: Code,
    detail: String,
    errors: Vec<FieldProblem>,
    instance: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One thing that is wrong with one field of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field: `data.userEmail`, `opts.attempts`, `[3].id`.
    #[schema(example = "opts.attempts")]
    pub field: String,
    /// What is wrong with it, and what is allowed.
    #[schema(example = "is 0; use 1 to 10000")]
    pub problem: String,
}

impl Problem {
    /// A problem; `detail` says what was tried, on what, and what to do.
    #[must_use]
    pub fn of(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Details {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            instance: None,
            headers: Vec::new(),
        }))
    }

    /// Adds a field at fault. The first becomes the problem's `field`.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, problem: impl Into<String>) -> Self {
        self.0.errors.push(FieldProblem { field: field.into(), problem: problem.into() });
        self
    }

    /// Says where in the request the fields at fault are: `[3].`, `opts.`.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        for error in &mut self.0.errors {
            error.field.insert_str(0, place);
        }
        self
    }

    /// Says when the same request may succeed: `Retry-After`, in whole seconds.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Names this one occurrence; the API does so with the id of the request.
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.0.instance = Some(instance.into());
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code.name
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.code.status()
    }

    /// The sentence for a person.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What is wrong, field by field.
    #[must_use]
    pub fn errors(&self) -> &[FieldProblem] {
        &self.0.errors
    }

    fn document(&self) -> ProblemDocument<'_> {
        ProblemDocument {
            kind: format!("{TYPE_PREFIX}{}", self.0.code.name),
            title: self.0.code.title,
            status: self.0.code.status,
            detail: &self.0.detail,
            field: self.0.errors.first().map(|error| error.field.as_str()),
            errors: &self.0.errors,
            instance: self.0.instance.as_deref(),
        }
    }
}

/// Why a request was refused or failed: RFC 9457 problem details.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    /// Names the kind of problem for good: `urn:eventyard:error:` and the code of its page in the documentation.
    #[serde(rename = "type")]
    #[schema(example = "urn:eventyard:error:invalid-job", format = "uri")]
    kind: String,
    /// The kind of problem in words.
    #[schema(example = "A job cannot be added as it is")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What was tried, on what, and what to do.
    #[schema(example = "opts.attempts: is 0; use 1 to 10000")]
    detail: &'a str,
    /// The field at fault, when there is one; the first of `errors`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "opts.attempts")]
    field: Option<&'a str>,
    /// Every field at fault.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldProblem],
    /// Names this one occurrence by the id of its request, which is in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "urn:eventyard:request:01890a5d-ac96-774b-bcce-b302099a8057")]
    instance: Option<&'a str>,
}

/// The problem stays with its response, so that the outermost layer can name the occurrence.
#[derive(Clone)]
pub(crate) struct Told(pub(crate) Problem);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = match serde_json::to_vec(&self.document()) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, code = self.0.code.name, "a problem cannot be written as JSON");
                b"{}".to_vec()
            }
        };
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in &self.0.headers {
            headers.insert(name, value.clone());
        }
        response.extensions_mut().insert(Told(self));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_rfc_9457() {
        let problem = Problem::of(Code::INVALID_JOB, "opts.attempts: is 0; use 1 to 10000")
            .field("opts.attempts", "is 0; use 1 to 10000")
            .field("opts.delay", "is negative")
            .instance("urn:eventyard:request:r-1");
        assert_eq!(
            serde_json::to_value(problem.document()).unwrap(),
            serde_json::json!({
                "type": "urn:eventyard:error:invalid-job",
                "title": "A job cannot be added as it is",
                "status": 422,
                "detail": "opts.attempts: is 0; use 1 to 10000",
                "field": "opts.attempts",
                "errors": [
                    {"field": "opts.attempts", "problem": "is 0; use 1 to 10000"},
                    {"field": "opts.delay", "problem": "is negative"},
                ],
                "instance": "urn:eventyard:request:r-1",
            })
        );
    }

    #[test]
    fn waits_are_rounded_up_to_seconds() {
        for (ms, seconds) in [(0, "0"), (1, "1"), (1000, "1"), (1500, "2")] {
            let problem = Problem::of(Code::STORE_UNAVAILABLE, "busy")
                .retry_after(Duration::from_millis(ms))
                .into_response();
            assert_eq!(problem.headers()[header::RETRY_AFTER], seconds);
        }
    }
}
