//! An event backbone: publish an event, and it is stored durably, routed to queues, and worked with
//! retries.
//!
//! ```
//! use eventyard::{Backoff, Context, Dep, Event, Eventyard, JobError, Queue, secs};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Event, Serialize, Deserialize)]
//! #[event("booking.created")]
//! struct BookingCreated { booking_id: String, user_email: String }
//!
//! struct Mailer;
//! impl Mailer {
//!     async fn send(&self, to: &str) -> std::io::Result<()> { Ok(()) }
//! }
//!
//! async fn confirm(event: BookingCreated, mailer: Dep<Mailer>, cx: Context) -> Result<(), JobError> {
//!     mailer.send(&event.user_email).await?; // an error retries by the queue's policy
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), eventyard::Error> {
//! let yard = Eventyard::in_memory()
//!     .queue(Queue::new("emails").attempts(5).backoff(Backoff::exponential(secs(2))))
//!     .route("booking.created", "emails")
//!     .handle("emails", confirm)
//!     .provide(Mailer)
//!     .start()
//!     .await?;
//! yard.publish(BookingCreated { booking_id: "b-1".into(), user_email: "ada@example.com".into() }).await?;
//! yard.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Eventyard`] describes an application; [`start`](Eventyard::start) checks it and gives a running
//! [`Yard`]. What a handler decides (its outcome, the events it publishes, the jobs it adds, the
//! documents it writes) leaves as one commit. Work that must not be done twice is cut into [steps](Context::step), each
//! of which is saved with the job when it is done.

extern crate self as eventyard;

pub mod app;
pub mod bus;
pub mod catalogue;
pub mod context;
pub mod decide;
pub mod dep;
pub mod error;
pub mod event;
pub mod flow;
pub mod handler;
pub mod maintenance;
pub mod meter;
pub mod outcome;
pub mod queue;
pub mod remote;
pub mod request;
pub mod route;
pub mod schedule;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;
pub mod worker;
pub mod yard;

use std::time::Duration;

pub use app::Eventyard;
pub use bus::Published;
pub use catalogue::{Catalogue, EventInfo};
pub use context::Context;
pub use dep::Dep;
pub use error::{Error, FieldError};
pub use event::{Event, IntoEvent};
pub use eventyard_core as model;
pub use eventyard_core::{
    Backoff, Event as Envelope, JobOptions, Keep, OnChildFailure, QueueLimits, Rate,
};
pub use eventyard_macros::Event;
pub use flow::{EnqueuedFlow, Flow};
pub use handler::{BatchHandler, BatchItem, BatchOptions, Handler, Json};
pub use outcome::{JobError, Outcome};
pub use queue::Queue;
pub use request::JobRequest;
pub use route::{Route, Routes};
pub use schedule::Schedule;
pub use yard::Yard;

/// `n` seconds.
#[must_use]
pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// What derived code refers to; not for other uses.
#[doc(hidden)]
pub mod __private {
    pub use serde_json::Value;

    /// The JSON Schema of `T`.
    #[must_use]
    pub fn schema_of<T: schemars::JsonSchema>() -> Value {
        schemars::schema_for!(T).to_value()
    }
}
