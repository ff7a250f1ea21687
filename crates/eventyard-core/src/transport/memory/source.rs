//! The subscriptions of the in-memory transport.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;

use super::{Hall, MemoryTransport, Message};
use crate::{
    Timestamp,
    transport::{
        Delivered, Delivery, Gap, Settle, Source, Subscription, TransportError, TransportStatus,
        Verdict,
    },
};

/// A subscription without a group.
pub(super) struct Ear {
    subscription: Subscription,
    heard: Mutex<VecDeque<Heard>>,
}

enum Heard {
    Message(Arc<Message>),
    Gap(Gap),
}

impl Ear {
    pub(super) fn new(subscription: Subscription) -> Self {
        Self { subscription, heard: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells it of a message, for which it has room or not; true, so that it stays on the list.
    pub(super) fn tell(&self, message: &Arc<Message>) -> bool {
        if !self.subscription.takes(&message.event.kind) {
            return true;
        }
        let mut heard = self.lock();
        if heard.len() < self.subscription.prefetch {
            heard.push_back(Heard::Message(Arc::clone(message)));
        } else if let Some(Heard::Gap(gap)) = heard.back_mut() {
            gap.lost = gap.lost.map(|lost| lost + 1);
        } else {
            let reason = "the subscriber is too slow".to_owned();
            let until = message.event.time;
            heard.push_back(Heard::Gap(Gap { since: None, until, lost: Some(1), reason }));
        }
        true
    }

    pub(super) fn miss(&self, now: Timestamp) {
        let reason = "the connection was interrupted".to_owned();
        let gap = Gap { since: Some(now), until: now, lost: None, reason };
        self.lock().push_back(Heard::Gap(gap));
    }
}

/// Where a subscription gets its deliveries from.
pub(super) struct MemorySource {
    transport: MemoryTransport,
    subscription: Subscription,
    from: From,
}

enum From {
    Ear(Arc<Ear>),
    Group { name: String, settler: Arc<Settler> },
}

struct Settler {
    hall: Arc<Hall>,
    group: String,
    status: Arc<Mutex<TransportStatus>>,
    /// The receipts of a subscription that is gone are still good.
    closed: Arc<AtomicBool>,
}

impl MemorySource {
    pub(super) fn broadcast(
        transport: &MemoryTransport,
        ear: Arc<Ear>,
        subscription: Subscription,
    ) -> Self {
        Self { transport: transport.clone(), subscription, from: From::Ear(ear) }
    }

    pub(super) fn group(
        transport: &MemoryTransport,
        name: String,
        subscription: Subscription,
    ) -> Self {
        let settler = Arc::new(Settler {
            hall: Arc::clone(&transport.hall),
            group: name.clone(),
            status: Arc::clone(&transport.status),
            closed: Arc::clone(&transport.closed),
        });
        let from = From::Group { name, settler };
        Self { transport: transport.clone(), subscription, from }
    }

    fn count(&self, change: impl FnOnce(&mut TransportStatus)) {
        change(&mut self.transport.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn is_own(&self, message: &Message) -> bool {
        message.node == self.transport.node && !self.subscription.hears_own
    }

    fn hear(&mut self) -> Option<Delivered> {
        loop {
            let (message, delivery) =
                match &self.from {
                    From::Ear(ear) => match ear.lock().pop_front()? {
                        Heard::Gap(gap) => {
                            self.count(|status| status.gaps += 1);
                            return Some(Delivered::Gap(gap));
                        }
                        Heard::Message(message) => {
                            let delivery =
                                Delivery::unkept(message.event.clone(), Some(message.node.clone()));
                            (message, delivery)
                        }
                    },
                    From::Group { name, settler } => {
                        let hall = &self.transport.hall;
                        let mut state = hall.lock();
                        let group = state.groups.get_mut(name)?;
                        let (out, buried) = group.hand_out(hall.clock.now(), hall.options);
                        self.count(|status| status.dead_lettered += buried);
                        let out = out?;
                        if self.is_own(&out.message) {
                            group.settle(out.number, out.deliveries, Verdict::Done);
                        }
                        let receipt = format!("{}/{}", out.number, out.deliveries);
                        let message = out.message;
                        let delivery =
                            Delivery::unkept(message.event.clone(), Some(message.node.clone()))
                                .kept(out.deliveries, receipt, Arc::clone(settler) as _);
                        (message, delivery)
                    }
                };
            if self.is_own(&message) {
                self.count(|status| status.own += 1);
                continue;
            }
            self.count(|status| status.received += 1);
            return Some(Delivered::Event(delivery));
        }
    }

    fn next_overdue(&self) -> Option<Timestamp> {
        let From::Group { name, .. } = &self.from else { return None };
        let hall = &self.transport.hall;
        hall.lock().groups.get(name)?.next_overdue(hall.options)
    }
}

#[async_trait]
impl Source for MemorySource {
    async fn next(&mut self) -> Option<Delivered> {
        let hall = Arc::clone(&self.transport.hall);
        loop {
            // Listening begins before looking, so that nothing is missed in between.
            let mut rung = std::pin::pin!(hall.bell.notified());
            rung.as_mut().enable();
            if self.transport.closed.load(Ordering::Acquire) {
                return None;
            }
            if let Some(heard) = self.hear() {
                return Some(heard);
            }
            match self.next_overdue() {
                None => rung.await,
                Some(at) => {
                    tokio::select! {
                        () = rung => {}
                        () = hall.clock.sleep_until(at) => {}
                    }
                }
            }
        }
    }

    fn ready(&mut self) -> Option<Delivered> {
        if self.transport.closed.load(Ordering::Acquire) { None } else { self.hear() }
    }
}

impl Drop for MemorySource {
    fn drop(&mut self) {
        if let From::Group { name, .. } = &self.from
            && let Some(group) = self.transport.hall.lock().groups.get_mut(name)
        {
            group.consumers -= 1;
        }
    }
}

#[async_trait]
impl Settle for Settler {
    async fn settle(&self, receipt: &str, verdict: Verdict) -> Result<(), TransportError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(TransportError::closed());
        }
        let parts = receipt.split_once('/');
        let parsed = parts.and_then(|(n, d)| Some((n.parse().ok()?, d.parse().ok()?)));
        let mut state = self.hall.lock();
        let (Some((number, deliveries)), Some(group)) = (parsed, state.groups.get_mut(&self.group))
        else {
            return Ok(());
        };
        let buried = group.settle(number, deliveries, verdict);
        drop(state);
        if buried {
            self.status.lock().unwrap_or_else(PoisonError::into_inner).dead_lettered += 1;
        }
        Ok(())
    }
}
