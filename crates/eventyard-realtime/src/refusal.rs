//! What a client is told when it is refused something.

use std::fmt;

use eventyard::{Error, FieldError};
use serde::Serialize;

/// What the `type` of every refusal begins with; the rest is its code, the name of its page in `docs/errors`.
const TYPE_PREFIX: &str = "urn:eventyard:error:";

/// Why a client is refused something, as problem details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: &'static str,
    detail: String,
    fields: Vec<FieldError>,
}

impl Refusal {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), fields: Vec::new() }
    }

    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new("unauthenticated", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new("forbidden", detail)
    }

    pub(crate) fn too_many_connections(detail: impl Into<String>) -> Self {
        Self::new("too-many-connections", detail)
    }

    pub(crate) fn too_many_rooms(detail: impl Into<String>) -> Self {
        Self::new("too-many-rooms", detail)
    }

    pub(crate) fn too_many_messages(detail: impl Into<String>) -> Self {
        Self::new("too-many-requests", detail)
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new("body-too-large", detail)
    }

    pub(crate) fn unknown_message(detail: impl Into<String>) -> Self {
        Self::new("unknown-message", detail)
    }

    pub(crate) fn invalid_body(field: &str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        let mut refusal = Self::new("invalid-body", format!("`{field}` {problem}"));
        refusal.fields.push(FieldError { field: field.to_owned(), problem });
        refusal
    }

    pub(crate) fn field(mut self, field: &str, problem: impl Into<String>) -> Self {
        self.fields.push(FieldError { field: field.to_owned(), problem: problem.into() });
        self
    }

    /// The code: the name of the page that explains it.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }
}

/// What is the caller's doing is told; what is not is told only in the server's log.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = error.code();
        match error {
            Error::InvalidEvent { kind, fields } => {
                let detail = Error::InvalidEvent { kind, fields: fields.clone() }.to_string();
                Self { code, detail, fields }
            }
            Error::Unrouted { .. } | Error::QueueFull { .. } | Error::InvalidJob(_) => {
                Self::new(code, error.to_string())
            }
            error => {
                tracing::error!(%error, "an event of a client could not be published");
                let detail = if error.is_retryable() {
                    "it could not be stored for now; send it again later"
                } else {
                    "the server failed; its log says why"
                };
                Self::new(code, detail)
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl Serialize for Refusal {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Field<'a> {
            field: &'a str,
            problem: &'a str,
        }
        #[derive(Serialize)]
        struct Problem<'a> {
            r#type: String,
            detail: &'a str,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            errors: Vec<Field<'a>>,
        }
        let errors =
            self.fields.iter().map(|f| Field { field: &f.field, problem: &f.problem }).collect();
        let r#type = format!("{TYPE_PREFIX}{}", self.code);
        Problem { r#type, detail: &self.detail, errors }.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn refusals_are_problem_details() {
        let refusal = Refusal::invalid_body("token", "is missing");
        assert_eq!(
            serde_json::to_value(&refusal).unwrap(),
            serde_json::json!({
                "type": "urn:eventyard:error:invalid-body", "detail": "`token` is missing",
                "errors": [{"field": "token", "problem": "is missing"}],
            })
        );
        assert_eq!(refusal.to_string(), "invalid-body: `token` is missing");
    }

    #[test]
    fn every_code_has_a_page() {
        for refusal in [
            Refusal::unauthenticated(""),
            Refusal::forbidden(""),
            Refusal::too_many_connections(""),
            Refusal::too_many_rooms(""),
            Refusal::too_many_messages(""),
            Refusal::too_large(""),
            Refusal::unknown_message(""),
            Refusal::invalid_body("", ""),
        ] {
            let code = refusal.code();
            let page =
                Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/errors/{code}.md"));
            assert!(page.is_file(), "{code}");
        }
    }
}
