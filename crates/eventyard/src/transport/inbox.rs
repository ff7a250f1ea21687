//! Coming in: delivery, commit, acknowledgement.

use std::{sync::Arc, time::Duration};

use eventyard_core::{
    Commit, CommitError, Effect,
    transport::{Delivered, Deliveries, Delivery},
};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::{INTAKE, Running};
use crate::{Error, bus::Bus, secs};

/// The waits while the broker or the store is away: they double from the first to the last.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), secs(5));
/// The wait when the transport refuses to deliver: somebody must change something.
const REFUSED: Duration = secs(30);

/// Publishes what comes over a transport, until `stop`.
pub(crate) async fn receive(bus: Arc<Bus>, running: Arc<Running>, stop: CancellationToken) {
    let mut wait = WAITS.0;
    while !stop.is_cancelled() {
        match running.transport().consume(running.subscription()).await {
            Ok(deliveries) => {
                take_in(&bus, &running, deliveries, &stop).await;
                // A transport that was closed delivers no more.
                return;
            }
            Err(error) => {
                let transport = running.name();
                tracing::warn!(transport, %error, "cannot listen to a transport yet");
                let next = if error.is_retryable() { wait } else { REFUSED };
                wait = (wait * 2).min(WAITS.1);
                tokio::select! {
                    () = bus.clock.sleep(next) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }
}

async fn take_in(
    bus: &Bus,
    running: &Running,
    mut deliveries: Deliveries,
    stop: &CancellationToken,
) {
    loop {
        let batch = tokio::select! {
            batch = deliveries.next_batch(INTAKE) => batch,
            () = stop.cancelled() => return,
        };
        if batch.is_empty() {
            return;
        }
        let mut events = Vec::with_capacity(batch.len());
        for delivered in batch {
            match delivered {
                Delivered::Event(delivery) => events.push(delivery),
                Delivered::Gap(gap) => {
                    tracing::warn!(transport = running.name(), %gap, "events may be missing");
                    running.counts.gap(&gap);
                }
            }
        }
        settle(bus, running, events, stop).await;
    }
}

/// Commits each event, again and again while the store or a queue takes none, and settles its delivery.
async fn settle(bus: &Bus, running: &Running, mut left: Vec<Delivery>, stop: &CancellationToken) {
    let mut wait = WAITS.0;
    loop {
        let before = left.len();
        left = attempt(bus, running, left).await;
        if left.is_empty() {
            return;
        }
        if left.len() < before {
            wait = WAITS.0;
        }
        tokio::select! {
            () = bus.clock.sleep(wait) => wait = (wait * 2).min(WAITS.1),
            // What the broker keeps comes again; what it does not keep is lost with this process.
            () = stop.cancelled() => return,
        }
    }
}

/// Commits each event and settles its delivery; returns those that must be tried again.
async fn attempt(bus: &Bus, running: &Running, deliveries: Vec<Delivery>) -> Vec<Delivery> {
    let (mut commits, mut committed, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for delivery in deliveries {
        match bus.write_event_from(delivery.event.clone(), Some(running.name())) {
            Ok(write) => {
                commits.push(Commit::of([write]));
                committed.push(delivery);
            }
            Err(error) => refused.push((delivery, error)),
        }
    }
    if commits.is_empty() {
        running.reject(refused).await;
        return Vec::new();
    }
    let answers = match bus.store.commit(commits).await {
        Ok(answers) => answers,
        Err(error) if error.is_retryable() => {
            tracing::warn!(transport = running.name(), %error, "events that came in cannot be stored yet");
            running.reject(refused).await;
            return committed;
        }
        Err(error) => {
            let count = committed.len();
            tracing::error!(transport = running.name(), %error, count, "events that came in cannot be stored");
            running.reject(refused).await;
            return Vec::new();
        }
    };
    let (mut done, mut again) = (Vec::new(), Vec::new());
    for (delivery, answer) in committed.into_iter().zip(answers) {
        match answer {
            Ok(receipt) => {
                bus.meter.added(&receipt, bus.clock.now());
                let duplicate = receipt.iter().any(is_duplicate);
                running.counts.committed(duplicate);
                done.push(delivery);
            }
            Err(error @ CommitError::QueueFull { .. }) => {
                tracing::warn!(transport = running.name(), %error, "an event that came in waits");
                again.push(delivery);
            }
            Err(error) => refused.push((delivery, error.into())),
        }
    }
    running.acknowledge(done).await;
    running.reject(refused).await;
    again
}

fn is_duplicate(effect: &Effect) -> bool {
    matches!(effect, Effect::Published { duplicate: true, .. })
}

impl Running {
    async fn acknowledge(&self, done: Vec<Delivery>) {
        for outcome in join_all(done.into_iter().map(Delivery::ack)).await {
            if let Err(error) = outcome {
                // It comes again, and is known by its id.
                tracing::warn!(transport = self.name(), %error, "cannot acknowledge an event");
            }
        }
    }

    /// Gives up events that can never be published here.
    async fn reject(&self, refused: Vec<(Delivery, Error)>) {
        for (delivery, error) in refused {
            self.counts.rejected();
            let event = delivery.event.id.clone();
            tracing::error!(transport = self.name(), %event, %error, "rejected an event that came in");
            if let Err(error) = delivery.reject(error.to_string()).await {
                tracing::warn!(transport = self.name(), %event, %error, "cannot reject an event");
            }
        }
    }
}
