//! What can go wrong in a store.

use std::error::Error as StdError;

/// The kinds of [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The store cannot be reached or is busy; the same call may succeed later.
    Unavailable,
    /// There is no space to write to; the same call succeeds once there is.
    Full,
    /// The store was closed.
    Closed,
    /// Another process holds the store.
    Locked,
    /// What is stored is not what this version wrote or can read.
    Corrupt,
    /// The call asks for what this store does not do; see [`Capabilities`](crate::Capabilities).
    Unsupported,
}

impl StoreErrorKind {
    /// The stable code of the error, the name of its page in the documentation.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unavailable => "store-unavailable",
            Self::Full => "store-full",
            Self::Closed => "store-closed",
            Self::Locked => "store-locked",
            Self::Corrupt => "store-corrupt",
            Self::Unsupported => "store-unsupported",
        }
    }
}

/// A store could not do what it was asked. Nothing of the call took effect.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// An error of `kind`; the message says what was tried and what to do.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::Full)
    }

    /// The same error once more, for each of the callers that shared one durable write.
    #[must_use]
    pub fn share(&self) -> Self {
        Self { kind: self.kind, message: self.to_string(), source: None }
    }
}
