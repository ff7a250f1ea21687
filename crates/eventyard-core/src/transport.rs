//! The port to brokers: carries events between processes.
//!
//! A transport has two ways to deliver. **Broadcast**: every subscription hears every event that is published
//! while it listens, once, and nobody waits for it. **Groups**: an event goes to one subscription of each group, is
//! kept until it is acknowledged, and comes again if it is not. [`TransportCapabilities`] say which of them a
//! transport has; asking for the other is an error.
//!
//! A delivery is settled by consuming it, so that settling it twice does not compile:
//!
//! ```
//! # use eventyard_core::transport::{Delivered, Deliveries, TransportError};
//! # async fn store(_: &eventyard_core::Event) -> bool { true }
//! # async fn consume(mut deliveries: Deliveries) -> Result<(), TransportError> {
//! while let Some(delivered) = deliveries.next().await {
//!     match delivered {
//!         Delivered::Event(delivery) if store(&delivery.event).await => delivery.ack().await?,
//!         Delivered::Event(delivery) => delivery.nack().await?, // it comes again
//!         Delivered::Gap(gap) => eprintln!("{gap}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`MemoryTransport`] is the executable specification; every driver passes the same conformance suite.

mod capabilities;
mod delivery;
mod error;
mod memory;
mod status;
mod subscription;
pub mod wire;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::{
    capabilities::TransportCapabilities,
    delivery::{Delivered, Deliveries, Delivery, Gap, Settle, Source, Verdict},
    error::{TransportError, TransportErrorKind},
    memory::{MemoryBroker, MemoryOptions, MemoryTransport},
    status::{GroupStatus, TransportStatus},
    subscription::{Group, Subscription, Topology, takes},
};
use crate::Event;

/// Carries events between processes through a broker.
///
/// # Guarantees
/// - A published event reaches every subscription that listens, and one subscription of each declared group.
/// - A subscription does not hear what its own transport published, unless it asks to.
/// - A transport that has lost its broker finds it again by itself; no call and no subscription ends because of it.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// What this transport can do.
    fn capabilities(&self) -> TransportCapabilities;

    /// Makes the groups of `topology`, so that they keep what is published from now on. A repeat changes nothing.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses, or the transport has no groups.
    async fn declare(&self, topology: &Topology) -> Result<(), TransportError>;

    /// Publishes events, in order; one answer for each. An event whose answer is `Ok` is in the broker's hands, as
    /// durable as [`TransportCapabilities::durability`] says. Publishing an event again delivers it again: whoever
    /// commits it knows it by its id.
    ///
    /// # Errors
    /// When the broker cannot be reached. It is then not known which of the events it took; publish them again.
    ///
    /// # Cancel safety
    /// Once polled, the events may be published although the future is dropped.
    async fn publish(
        &self,
        events: &[Arc<Event>],
    ) -> Result<Vec<Result<(), TransportError>>, TransportError>;

    /// Begins to deliver. What is published after this has returned is heard; a group that is not declared is made.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses, or the transport does not deliver in this way.
    async fn consume(&self, subscription: Subscription) -> Result<Deliveries, TransportError>;

    /// What went through, what did not, and how far each group is behind.
    ///
    /// # Errors
    /// When the transport is closed. A broker that cannot be reached is told in the status.
    async fn status(&self) -> Result<TransportStatus, TransportError>;

    /// Ends all subscriptions and lets go of the broker. Later calls fail with
    /// [`Closed`](TransportErrorKind::Closed). A second close does nothing.
    async fn close(&self);
}
