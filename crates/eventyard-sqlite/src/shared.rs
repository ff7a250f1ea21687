//! What the store's handle, its writer thread and its helpers share.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use eventyard_core::{
    Clock, Feed, GroupKey, LeaseToken, QueueName, StoreError, Timestamp,
    inspect::{KeyStatus, QueueStatus},
};
use tokio::sync::{broadcast, oneshot, watch};

use crate::{error, inbox::Inbox, options::Options, postman::Postman, request::Request};

/// How many cancellations a listener may fall behind.
const CANCELLATIONS: usize = 1024;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) inbox: Inbox,
    /// Every queue as it stood after the last commit.
    pub(crate) queues: RwLock<BTreeMap<QueueName, QueueStatus>>,
    /// The keys that have waiting or active jobs or are paused, as they stood after the last commit.
    pub(crate) keys: RwLock<BTreeMap<(QueueName, GroupKey), KeyStatus>>,
    pub(crate) feed: Feed,
    pub(crate) cancelled: broadcast::Sender<LeaseToken>,
    pub(crate) postman: Postman,
    /// The file does not show yet what was acknowledged.
    is_ahead: AtomicBool,
    /// When the next delayed job runs.
    pub(crate) next_due: watch::Sender<Option<Timestamp>>,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Arc<Self> {
        Arc::new(Self {
            options,
            inbox: Inbox::new(),
            queues: RwLock::default(),
            keys: RwLock::default(),
            feed: Feed::default(),
            cancelled: broadcast::Sender::new(CANCELLATIONS),
            postman: Postman::default(),
            is_ahead: AtomicBool::new(false),
            next_due: watch::Sender::new(None),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.options.path
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.options.clock
    }

    /// Says whether the file lacks what was acknowledged.
    pub(crate) fn set_ahead(&self, is_ahead: bool) {
        self.is_ahead.store(is_ahead, Ordering::Release);
    }

    /// Waits until the file shows what was acknowledged before.
    pub(crate) async fn show(&self) -> Result<(), StoreError> {
        if !self.is_ahead.load(Ordering::Acquire) {
            return Ok(());
        }
        let (reply, shown) = oneshot::channel();
        self.inbox.push_now(Request::Show(reply));
        shown.await.map_err(|_| self.closed())?
    }

    pub(crate) fn closed(&self) -> StoreError {
        error::closed(self.path())
    }
}
