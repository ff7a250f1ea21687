//! Push notifications: what they are, and the port that they leave through.

pub mod device;
mod fcm;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;

pub use fcm::{Fcm, FcmSetupError};

/// One push notification to one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// One line.
    pub title: String,
    /// A few more.
    pub body: String,
    /// What the application on the device is told besides.
    pub data: BTreeMap<String, String>,
    /// The same for every attempt, so that a device shows a redelivery in place of the first.
    pub collapse: String,
}

/// A push notification did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The token stands for no device any more: it is of no further use.
    #[error("the device is no longer registered: {0}")]
    Unregistered(String),
    /// The service asks to be left alone for a while.
    #[error("{problem}")]
    Wait {
        /// For how long.
        wait: Duration,
        /// What it answered.
        problem: String,
    },
    /// It failed otherwise.
    #[error("{0}")]
    Failed(String),
}

/// Takes push notifications away.
#[async_trait]
pub trait Pusher: Send + Sync + 'static {
    /// Sends to the device that `token` stands for; returns the name that the service gave the message.
    ///
    /// # Errors
    /// When it did not leave.
    async fn push(&self, token: &str, push: &Push) -> Result<String, PushError>;
}

/// The way to devices, if there is one.
#[derive(Clone, Default)]
pub struct PushChannel(pub Option<Arc<dyn Pusher>>);

impl std::fmt::Debug for PushChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PushChannel").field(&self.0.is_some()).finish()
    }
}
