//! The suite that every transport passes, in one line per driver:
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use eventyard_conformance::{transport::Fixture, transport_suite};
//! use eventyard_core::{SystemClock, transport::{MemoryBroker, MemoryOptions}};
//!
//! async fn memory() -> Fixture {
//!     let options = MemoryOptions { redeliver_after: Duration::from_millis(50), max_deliveries: 3 };
//!     let broker = MemoryBroker::new(Arc::new(SystemClock::default()), options);
//!     Fixture::new(options.max_deliveries, move |node| {
//!         let transport = broker.transport(node);
//!         Box::pin(async move { Arc::new(transport) as _ })
//!     })
//! }
//!
//! transport_suite!(memory);
//! # fn main() {}
//! ```
//!
//! Each case is a `#[test]` of its own on an empty broker. A case about what the transport cannot do checks that it
//! [says so](eventyard_core::TransportErrorKind::Unsupported). A case never sleeps: it waits for deliveries, and shows
//! that something does not come by what comes in its place.

pub mod broadcast;
pub mod closing;
mod fixture;
pub mod group;
pub mod redelivery;
mod run;
mod suite;
pub mod wholeness;

pub use fixture::Fixture;
pub use run::run;
