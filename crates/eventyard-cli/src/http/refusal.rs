//! The errors of the notifications as problems.

use eventyard::{Error as EngineError, FieldError, model::Page};
use eventyard_admin::{Code, Problem, listing};
use eventyard_notify::{Error, event::UnknownMock};

const NO_SUCH_TICKET: Code = Code::new(404, "no-such-ticket", "There is no such ticket");
const NO_SUCH_DEVICE: Code = Code::new(404, "no-such-device", "There is no such device");
const NO_SUCH_NOTIFICATION: Code =
    Code::new(404, "no-such-notification", "There is no such notification");
const NO_SUCH_MOCK_EVENT: Code =
    Code::new(404, "no-such-mock-event", "There is no such mock event");
const INVALID_VALUE: Code = Code::new(422, "invalid-value", "A value cannot be used");

const CODES: [Code; 5] =
    [NO_SUCH_TICKET, NO_SUCH_DEVICE, NO_SUCH_NOTIFICATION, NO_SUCH_MOCK_EVENT, INVALID_VALUE];

/// The problem that an error is.
pub(super) fn refusal(error: Error) -> Problem {
    let code = error.code();
    let code = Code::named(code).or(CODES.into_iter().find(|own| own.name() == code));
    let detail = error.to_string();
    match error {
        Error::Engine(error) => error.into(),
        // It stands in the address, not in the body.
        Error::Invalid(FieldError { field, problem }) if field == "userId" => {
            Problem::of(Code::INVALID_PARAMETER, detail).field(field, problem)
        }
        Error::Invalid(FieldError { field, problem }) => {
            Problem::of(INVALID_VALUE, detail).field(field, problem)
        }
        _ => Problem::of(code.unwrap_or(Code::INTERNAL), detail),
    }
}

/// The page that was asked for; a cursor that the store does not know is the caller's mistake.
pub(super) fn page<T>(
    answer: Result<Page<T>, Error>,
    has_cursor: bool,
) -> Result<Page<T>, Problem> {
    match answer {
        Ok(page) => Ok(page),
        Err(Error::Engine(EngineError::Store(error))) => listing(Err(error), "cursor", has_cursor),
        Err(error) => Err(refusal(error)),
    }
}

/// The problem that the name of a mock event is.
pub(super) fn no_such_mock_event(error: &UnknownMock) -> Problem {
    Problem::of(NO_SUCH_MOCK_EVENT, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_code_has_its_page() {
        for code in CODES {
            let name = code.name();
            let path =
                Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/errors/{name}.md"));
            let page = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}; write the page", path.display()));
            assert!(page.starts_with(&format!("# {name}\n")), "{}", path.display());
            let status = format!("HTTP status {}", code.status().as_u16());
            assert!(page.contains(&status), "{} does not say `{status}`", path.display());
        }
    }

    #[test]
    fn errors_have_their_code() {
        let check = |error: Error, status: u16, code: &str| {
            let problem = refusal(error);
            assert_eq!((problem.status().as_u16(), problem.code()), (status, code), "{problem:?}");
        };
        let missing = |what| Error::NotFound { what, id: "x".to_owned() };
        check(missing("ticket"), 404, "no-such-ticket");
        check(missing("device"), 404, "no-such-device");
        check(missing("notification"), 404, "no-such-notification");
        check(Error::Busy { what: "ticket", id: "x".to_owned() }, 409, "version-conflict");
        let invalid = |field: &str| {
            Error::Invalid(FieldError { field: field.to_owned(), problem: "is empty".to_owned() })
        };
        check(invalid("userId"), 400, "invalid-parameter");
        check(invalid("token"), 422, "invalid-value");
        let source = serde_json::from_str::<u8>("x").unwrap_err();
        let damaged = Error::Damaged { collection: "c".to_owned(), key: "k".to_owned(), source };
        check(damaged, 500, "store-corrupt");
        check(Error::Engine(EngineError::NoSuchQueue("q".to_owned())), 404, "no-such-queue");
    }
}
