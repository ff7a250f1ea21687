//! Who hears what.

use crate::Pattern;

/// The default of [`Subscription::prefetch`].
const PREFETCH: usize = 100;

/// Subscriptions that share the work: each event goes to one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The types of the events that it takes, by topic patterns: one that matches is enough.
    pub patterns: Vec<Pattern>,
}

/// What must exist at the broker so that nothing is missed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// The groups that keep events while nobody consumes.
    pub groups: Vec<Group>,
}

/// Asks for deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The group that it belongs to; a subscription without one hears everything itself.
    pub group: Option<String>,
    /// The types of the events that it takes, by topic patterns: one that matches is enough. Subscriptions of one
    /// group have the same.
    pub patterns: Vec<Pattern>,
    /// Its name within the group, for operators; unique among those that are alive.
    pub consumer: String,
    /// The most events that are fetched ahead of whoever consumes.
    pub prefetch: usize,
    /// Whether it hears what its own transport published.
    pub hears_own: bool,
}

impl Subscription {
    /// Hears every event of these types itself.
    #[must_use]
    pub fn broadcast(patterns: Vec<Pattern>) -> Self {
        Self {
            group: None,
            patterns,
            consumer: String::new(),
            prefetch: PREFETCH,
            hears_own: false,
        }
    }

    /// Shares the events of a group with its other subscriptions.
    #[must_use]
    pub fn in_group(group: Group, consumer: impl Into<String>) -> Self {
        let consumer = consumer.into();
        Self { group: Some(group.name), consumer, ..Self::broadcast(group.patterns) }
    }

    /// The most events that are fetched ahead; at least one.
    #[must_use]
    pub fn prefetch(mut self, events: usize) -> Self {
        self.prefetch = events.max(1);
        self
    }

    /// Hears what its own transport published, too.
    #[must_use]
    pub fn hearing_own(mut self) -> Self {
        self.hears_own = true;
        self
    }

    /// Whether it takes events of type `kind`.
    #[must_use]
    pub fn takes(&self, kind: &str) -> bool {
        takes(&self.patterns, kind)
    }
}

/// Whether one of the patterns takes events of type `kind`.
#[must_use]
pub fn takes(patterns: &[Pattern], kind: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(kind))
}
