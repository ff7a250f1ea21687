//! The limits that an application states for its queues.

use eventyard_core::{Commit, Write};

use crate::{Error, bus::Bus};

/// Gives each queue the limits that the application states for it, unless it has them.
pub(crate) async fn declare(bus: &Bus) -> Result<(), Error> {
    let stated = || {
        let queues = bus.queues.iter();
        queues.filter_map(|(name, declared)| Some((name, declared.queue.limits.as_ref()?)))
    };
    if stated().next().is_none() {
        return Ok(());
    }
    let known = bus.inspect.queues().await?;
    let writes: Vec<_> = stated()
        .filter(|(name, limits)| match known.get(*name) {
            Some(status) => *status.limits != **limits,
            None => !limits.is_unlimited(),
        })
        .map(|(name, limits)| {
            tracing::info!(queue = %name, "the limits that the application states replace those of the store");
            Write::Limit(name.clone(), limits.clone())
        })
        .collect();
    if !writes.is_empty() {
        bus.commit(Commit::of(writes)).await?;
    }
    Ok(())
}
