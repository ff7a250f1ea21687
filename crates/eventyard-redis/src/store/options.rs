//! How the store is opened.

use std::{sync::Arc, time::Duration};

use eventyard_core::{Clock, StoreError, StoreErrorKind, SystemClock};

use crate::connect::{self, Address};

/// How to open a [`RedisStore`](super::RedisStore).
#[derive(Debug, Clone)]
pub struct Options {
    pub(super) address: Address,
    prefix: Option<String>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) connections: connect::Options,
}

impl Options {
    /// Opens the store at an address. The parameter `prefix` of its URL is what all keys begin with.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            prefix: None,
            clock: Arc::new(SystemClock::default()),
            connections: connect::Options::default(),
        }
    }

    /// What all keys begin with: `bull`, unless the address says otherwise. In a cluster it needs a hash tag, such as
    /// `{bull}`, which is the default there.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// The clock that the store lives by.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How its connections behave.
    #[must_use]
    pub fn connections(mut self, options: connect::Options) -> Self {
        self.connections = options;
        self
    }

    /// What all keys begin with.
    ///
    /// # Errors
    /// When it is empty, or would spread the keys over a cluster; or when the address has a parameter that means nothing.
    pub fn find_prefix(&self) -> Result<Arc<str>, StoreError> {
        let parameters = self.address.parameters();
        if let Some(unknown) = parameters.keys().find(|name| *name != "prefix") {
            return Err(StoreError::new(
                StoreErrorKind::Unsupported,
                format!(
                    "the address of the redis store has the parameter `{unknown}`, which means nothing; use `prefix`, \
                     `tls-ca`, `sentinel-user` or `sentinel-password`"
                ),
            ));
        }
        let named = self.prefix.as_ref().or_else(|| parameters.get("prefix"));
        let is_cluster = self.address.is_cluster();
        let prefix = named.map_or(if is_cluster { "{bull}" } else { "bull" }, String::as_str);
        let problem = if prefix.is_empty() {
            "is empty; use `bull`, as BullMQ does"
        } else if is_cluster && !(prefix.contains('{') && prefix.contains('}')) {
            "has no hash tag, so its keys would be on several nodes of the cluster; use `{bull}`"
        } else {
            return Ok(prefix.into());
        };
        Err(StoreError::new(
            StoreErrorKind::Unsupported,
            format!("the prefix `{prefix}` of the redis store {problem}"),
        ))
    }
}

/// How many milliseconds longer Redis keeps what it forgets by its own clock: none by the system's clock, a day by any
/// other, such as that of a test.
pub(super) fn grace(clock: &dyn Clock) -> u32 {
    const DAY_MS: u32 = 24 * 60 * 60 * 1000;
    let (ours, system) = (clock.now(), SystemClock::default().now());
    let apart = ours.since(system).max(system.since(ours));
    if apart < Duration::from_secs(3600) { 0 } else { DAY_MS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_means_nothing_is_refused() {
        let prefix = |url: &str| Options::new(url.parse().unwrap()).find_prefix();
        assert_eq!(&*prefix("redis://h?prefix=shop").unwrap(), "shop");
        let error = prefix("redis://h?prefx=shop").unwrap_err();
        assert!(error.to_string().contains("`prefx`"), "{error}");
    }
}
