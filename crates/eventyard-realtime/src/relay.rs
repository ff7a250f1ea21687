//! The relay: how a message reaches every node.

mod in_process;
mod over_transport;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use in_process::InProcess;
pub use over_transport::{DEFAULT_CHANNEL, FRAME, OverTransport};

/// What a node hears from the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// What a node published; this one included.
    Frame(Bytes),
    /// Some frames were not heard and never will be.
    Missed,
}

/// What a node hears, without an end unless the relay breaks.
pub type Frames = BoxStream<'static, Heard>;

/// Joins nodes: what one publishes, all hear.
///
/// # Guarantees
/// Every node hears the frames in the same order, its own included, and is told when it missed some.
/// It keeps nothing for a node that is not there.
#[async_trait]
pub trait Relay: Send + Sync + 'static {
    /// Hands frames to every node, this one included.
    ///
    /// # Errors
    /// When it cannot be known that they were taken; the caller tries again, and a frame that comes twice is told by
    /// its id.
    async fn publish(&self, frames: Vec<Bytes>) -> Result<(), RelayError>;

    /// Hears what is published from now on.
    ///
    /// # Errors
    /// When the relay cannot be reached.
    async fn subscribe(&self) -> Result<Frames, RelayError>;
}

/// The relay could not do it; the same call may succeed later.
#[derive(Debug, thiserror::Error)]
#[error("the relay between nodes {problem}")]
pub struct RelayError {
    problem: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl RelayError {
    /// An error that says what is wrong.
    pub fn new(problem: impl fmt::Display) -> Self {
        Self { problem: problem.to_string(), source: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}
