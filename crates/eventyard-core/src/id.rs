//! Identifiers: short, checked strings that are cheap to clone.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// The longest identifier that is accepted, in bytes.
pub const MAX_ID_BYTES: usize = 256;
/// The longest name of a step, in bytes.
pub const MAX_STEP_NAME_BYTES: usize = 128;

/// An identifier that does not fit its rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct InvalidId {
    /// Which kind of identifier it was, in words: `queue name`, `job id`.
    pub what: &'static str,
    /// What is wrong with it and what is allowed.
    pub problem: String,
}

fn check(what: &'static str, text: &str) -> Result<(), InvalidId> {
    check_within(what, text, MAX_ID_BYTES)
}

fn check_step(what: &'static str, text: &str) -> Result<(), InvalidId> {
    check_within(what, text, MAX_STEP_NAME_BYTES)
}

fn check_within(what: &'static str, text: &str, most: usize) -> Result<(), InvalidId> {
    let problem = if text.is_empty() {
        "is empty; give it at least one character".to_owned()
    } else if text.len() > most {
        format!("has {} bytes; at most {most} are allowed", text.len())
    } else if text.chars().any(char::is_control) {
        "holds a control character; use printable characters only".to_owned()
    } else {
        return Ok(());
    };
    Err(InvalidId { what, problem })
}

fn check_queue(what: &'static str, text: &str) -> Result<(), InvalidId> {
    check(what, text)?;
    match text.chars().find(|c| matches!(c, ':' | '/' | '?' | '#' | ' ')) {
        Some(c) => Err(InvalidId {
            what,
            problem: format!("`{text}` holds {c:?}; use letters, digits, `-`, `_` and `.`"),
        }),
        None => Ok(()),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` and takes it as an identifier.
            ///
            /// # Errors
            /// When it is empty, longer than is allowed, or holds a forbidden character.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref();
                $check($what, text)?;
                Ok(Self(text.into()))
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;
            fn try_from(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// The id of an event; unique in the event log, where it makes publishing idempotent.
    EventId,
    "event id",
    check
);
id!(
    /// The id of a job; unique on its queue. A job made from an event has the event's id.
    JobId,
    "job id",
    check
);
id!(
    /// The name of a queue.
    QueueName,
    "queue name",
    check_queue
);
id!(
    /// What jobs of one queue have in common, such as a tenant: the queue is fair between its keys, and can
    /// order and limit each of them.
    GroupKey,
    "key",
    check
);
id!(
    /// Who holds a lease: a name for operators, not a key.
    WorkerId,
    "worker",
    check
);
id!(
    /// The name of a step, unique in its job; at most [`MAX_STEP_NAME_BYTES`] long.
    StepName,
    "step name",
    check_step
);

impl EventId {
    /// A new id, unique and rising with time (UUID version 7).
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid_v7())
    }
}

impl JobId {
    /// A new id, unique and rising with time (UUID version 7).
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid_v7())
    }
}

impl From<EventId> for JobId {
    fn from(id: EventId) -> Self {
        Self(id.0)
    }
}

impl WorkerId {
    /// What the name of a worker inside an Eventyard process begins with; workers outside have other names. A
    /// store for one process knows by it, when it is opened, whose leases ended with the process before.
    pub const LOCAL: &str = "local/";

    /// Whether the worker lives inside an Eventyard process.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.as_str().starts_with(Self::LOCAL)
    }
}

fn uuid_v7() -> Arc<str> {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    Arc::from(&*uuid::Uuid::now_v7().hyphenated().encode_lower(&mut text))
}

/// Names one job: its queue and its id there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct JobKey {
    /// The queue that the job is on.
    pub queue: QueueName,
    /// The job's id on that queue.
    pub id: JobId,
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.queue, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked() {
        let long = "x".repeat(MAX_ID_BYTES + 1);
        for (text, ok) in [("a", true), ("", false), ("a\nb", false), (&*long, false)] {
            assert_eq!(JobId::new(text).is_ok(), ok, "{text:?}");
        }
        for (bytes, ok) in [(MAX_STEP_NAME_BYTES, true), (MAX_STEP_NAME_BYTES + 1, false)] {
            assert_eq!(StepName::new("x".repeat(bytes)).is_ok(), ok, "{bytes}");
        }
        for (text, ok) in [("emails", true), ("a.b-c_d", true), ("a:b", false), ("a b", false)] {
            assert_eq!(QueueName::new(text).is_ok(), ok, "{text:?}");
        }
    }

    #[test]
    fn generated_ids_rise() {
        let ids: Vec<_> = (0..1000).map(|_| EventId::generate()).collect();
        assert!(ids.is_sorted());
    }
}
