//! The suite that every Eventyard store passes, in one line per driver:
//!
//! ```
//! use eventyard_conformance::{Fixture, clock, store_suite};
//! use eventyard_core::MemoryStore;
//!
//! async fn memory() -> Fixture {
//!     let clock = clock();
//!     Fixture::new(MemoryStore::new(clock.clone()), clock)
//! }
//!
//! store_suite!(memory);
//! # fn main() {}
//! ```
//!
//! Each case is a `#[test]` of its own, named by what the store must do, on a store of its own that lives
//! by a clock that only the case moves. [`random`] adds what nobody thought of: random sequences of
//! operations on the store and on [`MemoryStore`](eventyard_core::MemoryStore) side by side.
//!
//! Transports have a suite of their own: [`transport`].
//!
//! A case waits for an effect by awaiting a call of the store; it never sleeps.
#![allow(clippy::unwrap_used, reason = "a case fails by a panic")]

pub mod admin;
pub mod atomicity;
pub mod cancellation;
pub mod changing;
pub mod closing;
pub mod concurrency;
pub mod deduplication;
pub mod delay;
pub mod document;
pub mod enqueue;
pub mod event_log;
pub mod expiry;
pub mod feed;
mod fixture;
pub mod flows;
mod given;
pub mod keys;
pub mod lease;
pub mod limits;
pub mod listing;
pub mod odd;
pub mod on_fail;
pub mod opening;
pub mod ordered;
pub mod ordering;
mod plain;
pub mod random;
pub mod retention;
mod run;
pub mod settlement;
mod snapshot;
pub mod steps;
mod suite;
pub mod takeover;
pub mod timeline;
pub mod transport;
pub mod waking;

pub use fixture::{Fixture, clock};
pub use run::run;
