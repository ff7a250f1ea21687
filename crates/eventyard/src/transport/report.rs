//! How the bridges of an application are doing.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use eventyard_core::transport::{Gap, TransportStatus};
use serde::Serialize;

use super::Running;
use crate::Yard;

/// How a bridge is doing.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransportReport {
    /// The bridge's name.
    pub name: String,
    /// What kind of transport it is: `redis-streams`.
    pub kind: &'static str,
    /// The patterns of what goes out.
    pub sends: Vec<String>,
    /// The patterns of what comes in.
    pub receives: Vec<String>,
    /// The group that it consumes in.
    pub group: Option<String>,
    /// The queue of what goes out.
    pub outbox: Option<String>,
    /// Events that came in and were published here.
    pub committed: u64,
    /// Events that came in and were known already.
    pub duplicates: u64,
    /// Events that came in and can never be published here.
    pub rejected: u64,
    /// The last time that something may have been missed.
    pub last_gap: Option<String>,
    /// What the transport says; absent with a reason in `problem` when it cannot be asked.
    pub status: TransportStatus,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    committed: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    last_gap: Mutex<Option<String>>,
}

impl Counts {
    pub(super) fn committed(&self, duplicate: bool) {
        let counter = if duplicate { &self.duplicates } else { &self.committed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn gap(&self, gap: &Gap) {
        *self.last_gap.lock().unwrap_or_else(PoisonError::into_inner) = Some(gap.to_string());
    }
}

impl Running {
    async fn report(&self) -> TransportReport {
        let texts = |patterns: &[eventyard_core::Pattern]| {
            patterns.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let status = match self.transport().status().await {
            Ok(status) => status,
            Err(error) => {
                TransportStatus { problem: Some(error.to_string()), ..TransportStatus::default() }
            }
        };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counts { committed, duplicates, rejected, last_gap } = &self.counts;
        TransportReport {
            name: self.bridge.name.clone(),
            kind: self.transport().capabilities().name,
            sends: texts(&self.bridge.sends),
            receives: texts(&self.bridge.receives),
            group: self.group.clone(),
            outbox: self.outbox.as_ref().map(ToString::to_string),
            committed: count(committed),
            duplicates: count(duplicates),
            rejected: count(rejected),
            last_gap: last_gap.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            status,
        }
    }
}

impl Yard {
    /// How the transports are doing.
    pub async fn transports(&self) -> Vec<TransportReport> {
        let bridges = self.bus().bridges.iter();
        futures_util::future::join_all(bridges.map(|bridge| bridge.report())).await
    }
}
