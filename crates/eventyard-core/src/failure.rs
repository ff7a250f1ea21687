//! Why an attempt of a job did not succeed.

use serde::{Deserialize, Serialize};

/// The longest error message that is kept, in bytes; the rest is cut.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024;

/// What ended an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The handler returned an error.
    Error,
    /// The attempt took longer than its timeout.
    Timeout,
    /// The worker disappeared: its lease ended without a word.
    Crash,
    /// The handler panicked.
    Panic,
    /// The payload is not what the handler expects.
    Payload,
    /// The handler asked for the job to be dead-lettered at once.
    Rejected,
    /// The job was cancelled.
    Cancelled,
    /// No attempt began within the job's time to live.
    Expired,
    /// A child failed that the job cannot do without.
    Child,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Error,
        Self::Timeout,
        Self::Crash,
        Self::Panic,
        Self::Payload,
        Self::Rejected,
        Self::Cancelled,
        Self::Expired,
        Self::Child,
    ];

    /// The kind's name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::Panic => "panic",
            Self::Payload => "payload",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Child => "child",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Why an attempt did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What ended the attempt.
    pub kind: FailureKind,
    /// The error, for a person to read.
    pub message: String,
    /// The chain of causes or the stack, one per line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stack: Option<String>,
}

impl Failure {
    /// A failure of `kind` with a message, cut to [`MAX_MESSAGE_BYTES`].
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: cut(message.into()), stack: None }
    }

    /// Adds the chain of causes or the stack, cut to [`MAX_MESSAGE_BYTES`].
    #[must_use]
    pub fn with_stack(mut self, stack: impl Into<String>) -> Self {
        self.stack = Some(cut(stack.into()));
        self
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_MESSAGE_BYTES {
        text.truncate(text.floor_char_boundary(MAX_MESSAGE_BYTES));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut_between_characters() {
        let failure = Failure::new(FailureKind::Error, "é".repeat(MAX_MESSAGE_BYTES));
        assert!(failure.message.len() <= MAX_MESSAGE_BYTES + '…'.len_utf8());
        assert!(failure.message.ends_with("é…"));
    }

    #[test]
    fn names_are_those_of_json() {
        for kind in FailureKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.as_str()));
            assert_eq!(FailureKind::from_name(kind.as_str()), Some(kind));
        }
    }
}
