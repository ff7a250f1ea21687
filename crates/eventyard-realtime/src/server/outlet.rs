//! A socket as a way to its client.

use serde_json::value::RawValue;
use socketioxide::{SendError, SocketError, extract::SocketRef};

use crate::hub::{Outlet, Unsent};

/// A socket. Its client hears `(data, id)`, or `(data)` when there is no id.
pub(super) struct SocketOutlet(pub(super) SocketRef);

impl Outlet for SocketOutlet {
    fn emit(&self, event: &str, data: &RawValue, id: &str) -> Result<(), Unsent> {
        let sent = if id.is_empty() {
            self.0.emit(event, &(data,))
        } else {
            self.0.emit(event, &(data, id))
        };
        match sent {
            Ok(()) => Ok(()),
            Err(SendError::Socket(SocketError::InternalChannelFull)) => Err(Unsent::Full),
            Err(SendError::Socket(SocketError::Closed)) => Err(Unsent::Gone),
            Err(SendError::Serialize(error)) => {
                tracing::error!(%error, event, "a message cannot be written; it is passed over");
                Ok(())
            }
        }
    }
}
