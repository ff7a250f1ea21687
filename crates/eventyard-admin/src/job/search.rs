//! Which jobs somebody looks for.

use eventyard::model::{GroupKey, Timestamp, inspect::JobStatus};
use serde::{Deserialize, Deserializer, de::Error};

/// An instant in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let instant = text.parse().map(Self);
        instant
            .map_err(|_| D::Error::custom(format!("is `{text}`; write it as 2026-01-31T09:00:00Z")))
    }
}

/// What a job must be like. Texts are compared without regard to case.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    name: Option<String>,
    key: Option<GroupKey>,
    error: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Filter {
    pub(crate) fn new(
        name: Option<String>,
        key: Option<GroupKey>,
        error: Option<String>,
        from: Option<Instant>,
        to: Option<Instant>,
    ) -> Self {
        let text = |text: Option<String>| text.map(|text| text.to_lowercase());
        let instant = |instant: Option<Instant>| instant.map(|Instant(at)| at);
        let (name, error) = (text(name), text(error));
        Self { name, key, error, from: instant(from), to: instant(to) }
    }

    /// Whether every job is like that.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { name, key, error, from, to } = self;
        name.is_none() && key.is_none() && error.is_none() && from.is_none() && to.is_none()
    }

    pub(crate) fn wants(&self, status: &JobStatus) -> bool {
        let at = status.finished_at.unwrap_or(status.job.created_at);
        let holds = |text: &str, part: &Option<String>| {
            part.as_ref().is_none_or(|part| text.to_lowercase().contains(part))
        };
        let failure = status.failure.as_ref().map_or("", |failure| &failure.message);
        self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at < to)
            && self.key.as_ref().is_none_or(|key| status.job.options.key.as_ref() == Some(key))
            && holds(&status.job.name, &self.name)
            && holds(failure, &self.error)
    }
}
