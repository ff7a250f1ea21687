//! What can go wrong in a transport.

use std::error::Error as StdError;

/// The kinds of [`TransportError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportErrorKind {
    /// The broker cannot be reached or is busy; the same call may succeed later.
    Unavailable,
    /// The broker has no space; the same call succeeds once it has.
    Full,
    /// The broker does not allow it, or does not take this event.
    Refused,
    /// The call asks for what this transport does not do; see
    /// [`TransportCapabilities`](super::TransportCapabilities).
    Unsupported,
    /// The transport was closed.
    Closed,
}

impl TransportErrorKind {
    /// The stable code of the error, the name of its page in the documentation.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unavailable => "transport-unavailable",
            Self::Full => "transport-full",
            Self::Refused => "transport-refused",
            Self::Unsupported => "transport-unsupported",
            Self::Closed => "transport-closed",
        }
    }
}

/// A transport could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    kind: TransportErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// An error of `kind`; the message says what was tried and what to do.
    #[must_use]
    pub fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The error of every call on a transport that was closed.
    #[must_use]
    pub fn closed() -> Self {
        Self::new(TransportErrorKind::Closed, "the transport has been closed")
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// The stable code of the error, the name of its page in the documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, TransportErrorKind::Unavailable | TransportErrorKind::Full)
    }

    /// The same error once more, for each of those that shared one call.
    #[must_use]
    pub fn share(&self) -> Self {
        Self { kind: self.kind, message: self.message.clone(), source: None }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TransportErrorKind::{Closed, Full, Refused, Unavailable, Unsupported};

    #[test]
    fn every_code_has_its_page() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        for kind in [Unavailable, Full, Refused, Unsupported, Closed] {
            let page = folder.join(format!("{}.md", kind.code()));
            assert!(page.is_file(), "{}: write the page", page.display());
        }
    }
}
