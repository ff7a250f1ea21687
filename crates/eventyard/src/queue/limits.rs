//! What a queue allows at once, over all workers.

use eventyard_core::{GroupKey, QueueLimits, Rate};

use super::Queue;

impl Queue {
    /// All limits of the queue; they replace what was said about them before.
    ///
    /// When the application starts, the limits that a queue states replace those that the store has for it. A
    /// queue that states none leaves them as they are, an operator's too.
    #[must_use]
    pub fn limits(mut self, limits: QueueLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// How fast jobs begin, over all workers.
    #[must_use]
    pub fn rate(self, rate: Rate) -> Self {
        self.limit(|limits| limits.rate = Some(rate))
    }

    /// How many jobs are active at once, over all workers. [`concurrency`](Queue::concurrency) is for each process.
    #[must_use]
    pub fn max_active(self, jobs: u32) -> Self {
        self.limit(|limits| limits.concurrency = Some(jobs))
    }

    /// How many unfinished jobs there may be that are not active; more are refused with
    /// [`Error::QueueFull`](crate::Error::QueueFull).
    #[must_use]
    pub fn max_length(self, jobs: u64) -> Self {
        self.limit(|limits| limits.max_length = Some(jobs))
    }

    /// How many jobs of each key are active at once, over all workers.
    #[must_use]
    pub fn key_concurrency(self, jobs: u32) -> Self {
        self.limit(|limits| limits.keys.concurrency = Some(jobs))
    }

    /// How fast jobs of each key begin, over all workers.
    #[must_use]
    pub fn key_rate(self, rate: Rate) -> Self {
        self.limit(|limits| limits.keys.rate = Some(rate))
    }

    /// Jobs of one key run one at a time and strictly in order, retries included; keys run side by side.
    #[must_use]
    pub fn ordered(self) -> Self {
        self.limit(|limits| limits.keys.ordered = true)
    }

    /// How large the share of a key is next to the others, which have 1.
    #[must_use]
    pub fn weight(mut self, key: &str, weight: u32) -> Self {
        match GroupKey::new(key) {
            Ok(key) => self.limit(|limits| {
                limits.keys.weights.insert(key, weight);
            }),
            Err(error) => {
                self.mistake.get_or_insert(format!("the weight of `{key}`: {error}"));
                self
            }
        }
    }

    fn limit(mut self, change: impl FnOnce(&mut QueueLimits)) -> Self {
        change(self.limits.get_or_insert_default());
        self
    }

    /// What is wrong with the limits, if anything.
    pub(super) fn limits_problem(&self) -> Option<String> {
        let validate = |limits: &QueueLimits| limits.validate().err();
        let invalid = || self.limits.as_ref().and_then(validate);
        self.mistake.clone().or_else(|| invalid().map(|error| format!("limits.{error}")))
    }
}
