//! What can be wrong with the setup.

/// Something that was configured cannot be; nothing has been started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("realtime.{key} {problem}")]
pub struct SetupError {
    /// The key, as the configuration writes it below `realtime`: `jwt.secret`, `routes[0].room`.
    pub key: String,
    /// What is wrong with it, and what to do.
    pub problem: String,
}

impl SetupError {
    pub(crate) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into() }
    }
}
