//! What can go wrong for those who read and change preferences, notifications, devices and tickets.

use eventyard::{FieldError, model::StoreError};

/// A call failed. Nothing of the call took effect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine could not do it.
    #[error(transparent)]
    Engine(#[from] eventyard::Error),
    /// A document is not what it should be.
    #[error("the document {collection}/{key} is damaged; remove it or write it again: {source}")]
    Damaged {
        /// Its collection.
        collection: String,
        /// Its key.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// There is no such thing.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was looked for: `ticket`, `notification`, `device`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A value cannot be used.
    #[error("{}: {}", .0.field, .0.problem)]
    Invalid(FieldError),
    /// Others changed the same document again and again.
    #[error("{what} `{id}` is being changed by others; try again")]
    Busy {
        /// What was to be changed.
        what: &'static str,
        /// Its id.
        id: String,
    },
}

impl Error {
    /// The stable code of the error, the name of its page in the documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Engine(error) => error.code(),
            Self::Damaged { .. } => "store-corrupt",
            Self::NotFound { what: "ticket", .. } => "no-such-ticket",
            Self::NotFound { what: "device", .. } => "no-such-device",
            Self::NotFound { .. } => "no-such-notification",
            Self::Invalid(_) => "invalid-value",
            Self::Busy { .. } => "version-conflict",
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Engine(error) => error.is_retryable(),
            Self::Busy { .. } => true,
            Self::Damaged { .. } | Self::NotFound { .. } | Self::Invalid(_) => false,
        }
    }

    pub(crate) fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid(FieldError { field: field.into(), problem: problem.into() })
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}
