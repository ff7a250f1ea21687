//! The model and the ports of Eventyard.
//!
//! An [`Event`] says what happened. Routes turn it into jobs on queues; a worker claims a job with
//! a [`Lease`], runs its handler, and settles it. What a handler decided leaves as one [`Commit`].
//!
//! This crate holds what every other crate agrees on and does no I/O: the types of the model, the
//! [`Store`] and [`Inspect`] ports, and [`MemoryStore`], the executable specification that every
//! other store is tested against.

pub mod backoff;
pub mod capabilities;
pub mod clock;
pub mod commit;
pub mod document;
pub mod error;
pub mod event;
pub mod failure;
pub mod fair;
pub mod feed;
pub mod flow_control;
pub mod id;
pub mod inspect;
pub mod job;
pub mod keep;
pub mod lease;
pub mod limits;
pub mod memory;
pub mod options;
pub mod pattern;
pub mod rate;
pub mod store;
pub mod time;
pub mod transport;

pub use backoff::Backoff;
pub use capabilities::{Capabilities, Durability};
pub use clock::{Clock, ManualClock, SystemClock};
pub use commit::{Commit, CommitError, Effect, Enqueued, Receipt, Settlement, Write};
pub use document::Document;
pub use error::{StoreError, StoreErrorKind};
pub use event::Event;
pub use failure::{Failure, FailureKind};
pub use feed::{Feed, QueueEvent, QueueEventKind};
pub use flow_control::{KeyLimits, QueueLimits, Rate};
pub use id::{EventId, GroupKey, InvalidId, JobId, JobKey, QueueName, StepName, WorkerId};
pub use inspect::{Inspect, Page, PageAsk};
pub use job::{Job, JobState, NewJob, Payload};
pub use keep::Keep;
pub use lease::{Lease, LeaseToken, Leased};
pub use limits::Limits;
pub use memory::MemoryStore;
pub use options::{Deduplication, JobOptions, OnChildFailure, Parent};
pub use pattern::Pattern;
pub use store::{Claim, Maintenance, Renewal, Store, Upkeep};
pub use time::Timestamp;
pub use transport::{Transport, TransportError, TransportErrorKind};
