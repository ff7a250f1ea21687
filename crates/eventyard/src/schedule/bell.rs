//! Tells the task of the schedules which of them this process has changed.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use tokio::sync::Notify;

/// Names that have changed since they were last taken; as many as there are schedules at most.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    changed: Mutex<BTreeSet<String>>,
    notify: Notify,
}

impl Bell {
    /// Says that these schedules have changed.
    pub(crate) fn ring(&self, names: impl IntoIterator<Item = String>) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
        self.notify.notify_one();
    }

    /// Returns once a bell has rung since the last time.
    pub(crate) async fn rung(&self) {
        self.notify.notified().await;
    }

    /// The names that have changed since the last time.
    pub(crate) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
