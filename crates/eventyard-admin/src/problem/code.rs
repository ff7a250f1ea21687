//! Every code that a problem of the API can have.

use axum::http::StatusCode;

/// The kind of a problem: a stable name, which is also its page in `docs/errors`, with its status and title.
///
/// Endpoints outside of this crate make their own with [`Code::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub(super) name: &'static str,
    pub(super) status: u16,
    pub(super) title: &'static str,
}

impl Code {
    /// A code of an endpoint outside of this crate. Give it a page in `docs/errors`.
    #[must_use]
    pub const fn new(status: u16, name: &'static str, title: &'static str) -> Self {
        Self { name, status, title }
    }

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The kind of problem in words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.title
    }

    /// The code with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        CODES.iter().copied().find(|code| code.name == name)
    }
}

macro_rules! codes {
    ($($constant:ident = $status:literal $name:literal $title:literal;)*) => {
        impl Code {
            $(#[doc = concat!("`", $name, "`, status ", $status, ": ", $title, ".")]
            pub const $constant: Self = Self::new($status, $name, $title);)*
        }

        /// Every code of this crate and of the engine.
        pub const CODES: &[Code] = &[$(Code::$constant),*];
    };
}

codes! {
    // What HTTP alone can get wrong.
    MALFORMED_JSON = 400 "malformed-json" "The body is not JSON";
    JSON_TOO_DEEP = 400 "json-too-deep" "The JSON is nested too deeply";
    INVALID_PARAMETER = 400 "invalid-parameter" "A parameter of the address has a wrong value";
    INVALID_CURSOR = 400 "invalid-cursor" "The cursor is not one of this listing";
    UNREADABLE_BODY = 400 "unreadable-body" "The body could not be read to its end";
    UNAUTHENTICATED = 401 "unauthenticated" "A credential is needed";
    FORBIDDEN = 403 "forbidden" "The credential's role does not allow this";
    FOREIGN_HOST = 403 "foreign-host" "The API is not addressed by this host";
    FOREIGN_ORIGIN = 403 "foreign-origin" "A page of another origin may not do this";
    NO_SUCH_ROUTE = 404 "no-such-route" "There is nothing at this address";
    NO_SUCH_EVENT = 404 "no-such-event" "There is no such event";
    METHOD_NOT_ALLOWED = 405 "method-not-allowed" "The address does not take this method";
    REQUEST_TIMEOUT = 408 "request-timeout" "The body did not arrive in time";
    AMBIGUOUS_JOB = 409 "ambiguous-job" "Several queues have a job with this id";
    BODY_TOO_LARGE = 413 "body-too-large" "The body is too large";
    BATCH_TOO_LONG = 413 "batch-too-long" "The batch has too many items";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported-media-type" "The body's media type is not taken here";
    INVALID_BODY = 422 "invalid-body" "The body does not have the right shape";
    TOO_MANY_REQUESTS = 429 "too-many-requests" "Too many requests at once";
    HEADERS_TOO_LARGE = 431 "headers-too-large" "The headers are too large";
    INTERNAL = 500 "internal" "The server failed";

    // What the engine refuses.
    MALFORMED_EVENT = 422 "malformed-event" "An event's attributes cannot be read";
    INVALID_EVENT = 422 "invalid-event" "An event breaks the schema of its type";
    UNROUTED_EVENT = 422 "unrouted-event" "No route takes the event";
    INVALID_JOB = 422 "invalid-job" "A job cannot be added as it is";
    INVALID_LIMITS = 422 "invalid-limits" "The limits of a queue cannot be used";
    NO_SUCH_PARENT = 409 "no-such-parent" "There is no such parent for the job";
    NOT_ITS_CHILD = 409 "not-its-child" "The job exists already and is no child of this parent";
    QUEUE_FULL = 429 "queue-full" "The queue takes no more jobs for now";
    NO_SUCH_QUEUE = 404 "no-such-queue" "There is no such queue";
    NO_SUCH_JOB = 404 "no-such-job" "There is no such job";
    INVALID_SCHEDULE = 422 "invalid-schedule" "A schedule cannot be as it is asked for";
    NO_SUCH_REPLAY = 404 "no-such-replay" "There is no such replay";
    NO_SUCH_SCHEDULE = 404 "no-such-schedule" "There is no such schedule";
    NO_SUCH_LEASE = 404 "no-such-lease" "The lease does not hold";
    STALE_LEASE = 409 "stale-lease" "The lease has passed to another worker";
    WRONG_STATE = 409 "wrong-state" "The job is in a state that does not allow this";
    VERSION_CONFLICT = 409 "version-conflict" "The document was changed in between";
    INVALID_STEP = 422 "invalid-step" "A step cannot be saved as it is";
    TOO_MANY_STEPS = 409 "too-many-steps" "The job has as many steps as it may have";
    QUEUE_NOT_EMPTY = 409 "queue-not-empty" "The queue still has jobs";
    MALFORMED_COMMIT = 500 "malformed-commit" "The writes of one commit contradict each other";
    ENCODE = 500 "encode" "A value cannot be written as JSON";
    SETUP = 500 "setup" "The application contradicts itself";
    STORE_URL = 500 "store-url" "The store's address is not understood";

    // What the store cannot do.
    STORE_UNAVAILABLE = 503 "store-unavailable" "The store does not answer";
    STORE_FULL = 503 "store-full" "The store has no space left";
    STORE_CLOSED = 503 "store-closed" "The store is closed";
    STORE_LOCKED = 503 "store-locked" "Another process holds the store";
    STORE_CORRUPT = 500 "store-corrupt" "What is stored cannot be read";
    STORE_UNSUPPORTED = 501 "store-unsupported" "The store cannot do this";
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    /// Each page says these things, in this order.
    const SECTIONS: [&str; 3] = ["## What it means", "## Why it happens", "## What to do"];

    #[test]
    fn every_code_has_its_page() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        for code in CODES {
            let path = folder.join(format!("{}.md", code.name));
            let page = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}; write the page", path.display()));
            assert!(
                page.starts_with(&format!("# {}\n", code.name)),
                "{} does not begin with its code",
                path.display()
            );
            let places: Vec<_> = SECTIONS.iter().map(|section| page.find(section)).collect();
            assert!(
                places.iter().all(Option::is_some) && places.is_sorted(),
                "{}: {SECTIONS:?}",
                path.display()
            );
            let status = format!("HTTP status {}", code.status);
            assert!(page.contains(&status), "{} does not say `{status}`", path.display());
        }
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = CODES.iter().map(|code| code.name).collect();
        assert_eq!(names.len(), CODES.len());
    }
}
