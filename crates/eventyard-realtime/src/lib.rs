//! Socket.IO for the end users of services on Eventyard.
//!
//! A client connects with a JSON Web Token, hears what is sent to its user, to the rooms that it is in and to
//! everyone, and causes events under its user's identity. Handlers send with their job's commit:
//!
//! ```
//! use eventyard::{Context, Event, JobError};
//! use eventyard_realtime::SendToClients;
//! # use serde::{Deserialize, Serialize};
//!
//! #[derive(Event, Serialize, Deserialize)]
//! #[event("order.paid")]
//! struct OrderPaid { order_id: String, user_id: String }
//!
//! async fn paid(event: OrderPaid, cx: Context) -> Result<(), JobError> {
//!     cx.send_to_user(&event.user_id, "order:paid", &event)?; // heard only if this job succeeds
//!     Ok(())
//! }
//! ```
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use eventyard::{Eventyard, model::SystemClock};
//! use eventyard_realtime::{InProcess, Options, Policy, Realtime, default_queue};
//!
//! let options = Options::new(Policy::secret(std::env::var("JWT_SECRET")?));
//! let relay = Arc::new(InProcess::default());
//! let realtime = Realtime::start(options, relay, Arc::new(SystemClock::default())).await?;
//! let yard = realtime.handlers(Eventyard::in_memory().queue(default_queue())).start().await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! axum::serve(listener, realtime.router(&yard)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What is sent is a job on the queue [`QUEUE`]: durable, and part of the commit that added it. Its worker, on
//! whichever node, hands it to the [`Relay`], and every node delivers it to its own connections and remembers it for
//! those that come back.

mod client_event;
mod error;
mod frame;
mod hub;
mod job_news;
mod limit;
mod message;
mod node;
mod options;
mod outgoing;
mod refusal;
pub mod relay;
mod route;
mod server;
mod token;

pub use client_event::{Accepted, ProjectUpdated, SimulationStarted, USER_FIELD};
pub use error::SetupError;
pub use hub::{INCOMPLETE, POSITION, Window};
pub use job_news::JobNews;
pub use limit::Limits;
pub use message::{JOB, MAX_NAME_BYTES, Message, QUEUE, SendToClients, Target};
pub use node::Realtime;
pub use options::{InvalidRoomPattern, Options, RoomPattern};
pub use outgoing::default_queue;
pub use relay::{InProcess, OverTransport, Relay, RelayError};
pub use route::{InvalidTemplate, Route, Template};
pub use token::{Algorithm, Keys, Policy, UnknownAlgorithm};
