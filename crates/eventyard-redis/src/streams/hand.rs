//! What a member of a group has in hand, and how it is settled.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use eventyard_core::{
    TransportError, TransportErrorKind,
    transport::{Settle, Verdict},
};
use tokio::sync::{mpsc, oneshot};

use super::{Inner, script};
use crate::connect::Error;

/// The most entries that one `XACK` names.
const ACKS: usize = 512;
/// How many acknowledgements may wait for one that is under way.
const WAITING: usize = 4096;

/// The entries that were handed out and are not settled: they are kept from others.
#[derive(Debug, Default)]
pub(super) struct Hand(Mutex<HashMap<String, u32>>);

impl Hand {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn holds(&self, entry: &str) -> bool {
        self.lock().contains_key(entry)
    }

    pub(super) fn entries(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    pub(super) fn take(&self, entry: &str, deliveries: u32) {
        self.lock().insert(entry.to_owned(), deliveries);
    }

    /// Lets go of a delivery; a later one of the same entry stays.
    fn release(&self, entry: &str, deliveries: u32) {
        let mut held = self.lock();
        if held.get(entry) == Some(&deliveries) {
            held.remove(entry);
        }
    }
}

/// An acknowledgement, and who waits for it.
type Ack = (String, oneshot::Sender<Result<(), TransportError>>);

/// Gathers acknowledgements: those that come while one is under way go together in the next.
#[derive(Debug, Clone)]
pub(super) struct Acker(mpsc::Sender<Ack>);

impl Acker {
    /// Acknowledges in the name of `group`, until it is dropped.
    pub(super) fn start(inner: Arc<Inner>, group: String) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Ack>(WAITING);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(ACKS);
            while receiver.recv_many(&mut batch, ACKS).await > 0 {
                let ids: Vec<&str> = batch.iter().map(|(id, _)| id.as_str()).collect();
                let outcome = inner.acknowledge(&group, &ids).await.map_err(TransportError::from);
                for (_, waiting) in batch.drain(..) {
                    // Whoever waited may have gone.
                    let _ = waiting.send(match &outcome {
                        Ok(()) => Ok(()),
                        Err(error) => Err(error.share()),
                    });
                }
            }
        });
        Self(sender)
    }

    async fn ack(&self, entry: &str) -> Result<(), TransportError> {
        let (tell, told) = oneshot::channel();
        let gone = || {
            let problem = "the acknowledgement was not sent; the event comes again";
            TransportError::new(TransportErrorKind::Unavailable, problem)
        };
        self.0.send((entry.to_owned(), tell)).await.map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

impl Inner {
    /// Acknowledges entries.
    pub(super) async fn acknowledge(&self, group: &str, entries: &[&str]) -> Result<(), Error> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut ack = redis::cmd("XACK");
        ack.arg(&self.options.stream).arg(group).arg(entries);
        Ok(ack.query_async::<i64>(&mut self.connections.shared()).await.map(drop)?)
    }
}

/// One delivery: settles it, and lets go of it when it is dropped.
pub(super) struct Hold {
    pub(super) inner: Arc<Inner>,
    pub(super) acker: Acker,
    pub(super) hand: Arc<Hand>,
    pub(super) group: Arc<str>,
    pub(super) entry: String,
    pub(super) deliveries: u32,
}

#[async_trait]
impl Settle for Hold {
    async fn settle(&self, _: &str, verdict: Verdict) -> Result<(), TransportError> {
        match verdict {
            Verdict::Done => self.acker.ack(&self.entry).await,
            // It comes again when it has been left alone for long enough.
            Verdict::Again => Ok(()),
            Verdict::Reject(reason) => {
                self.inner.bury(&self.group, &self.entry, &reason, self.deliveries).await?;
                Ok(())
            }
        }
    }
}

impl Inner {
    /// Moves an entry to the dead letters.
    pub(super) async fn bury(
        &self,
        group: &str,
        entry: &str,
        reason: &str,
        deliveries: u32,
    ) -> Result<(), Error> {
        if script::bury(self, group, entry, reason, deliveries).await? {
            self.tally.dead_lettered.add(1);
            let stream = &self.options.stream;
            tracing::error!(%stream, group, entry, reason, "an entry went to the dead letters");
        }
        Ok(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.hand.release(&self.entry, self.deliveries);
    }
}
