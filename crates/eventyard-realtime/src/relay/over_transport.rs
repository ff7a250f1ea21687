//! A relay over a broker: any transport on which everybody hears what is published.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use eventyard::model::{
    Clock, Event, Transport,
    transport::{Delivered, Deliveries, Subscription, TransportError, TransportErrorKind},
};
use eventyard::route::Pattern;
use futures_util::{StreamExt, stream};

use super::{Frames, Heard, Relay, RelayError};

/// The type of the events that carry frames.
pub const FRAME: &str = "eventyard.realtime.frame";
/// The channel that nodes share when they name no other. Nothing but frames goes over it.
pub const DEFAULT_CHANNEL: &str = "eventyard:realtime";

/// Joins nodes by a transport, such as the pub/sub of Redis. It is the relay's alone.
#[derive(Clone)]
pub struct OverTransport {
    transport: Arc<dyn Transport>,
    pattern: Pattern,
    clock: Arc<dyn Clock>,
}

impl OverTransport {
    /// A relay over a transport.
    ///
    /// # Errors
    /// When not everybody hears what is published on it.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TransportError> {
        let capabilities = transport.capabilities();
        let refuse =
            |problem: String| TransportError::new(TransportErrorKind::Unsupported, problem);
        if !capabilities.broadcast {
            return Err(refuse(format!(
                "the transport `{}` does not tell every node what is published; use redis pub/sub",
                capabilities.name
            )));
        }
        let pattern = Pattern::new(FRAME).map_err(|error| refuse(error.to_string()))?;
        Ok(Self { transport, pattern, clock })
    }
}

impl fmt::Debug for OverTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.transport.capabilities().name;
        f.debug_struct("OverTransport").field("transport", &name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Relay for OverTransport {
    async fn publish(&self, frames: Vec<Bytes>) -> Result<(), RelayError> {
        let now = self.clock.now();
        let event = |frame| Arc::new(Event::new(FRAME, "eventyard-realtime", now, frame));
        let events: Vec<_> = frames.into_iter().map(event).collect();
        let answers = self.transport.publish(&events).await.map_err(unreachable)?;
        answers.into_iter().collect::<Result<(), _>>().map_err(unreachable)
    }

    async fn subscribe(&self) -> Result<Frames, RelayError> {
        let own = Subscription::broadcast(vec![self.pattern.clone()]).hearing_own();
        let deliveries = self.transport.consume(own).await.map_err(unreachable)?;
        let next = async |mut deliveries: Deliveries| {
            let heard = match deliveries.next().await? {
                Delivered::Event(delivery) => Heard::Frame(delivery.event.data),
                Delivered::Gap(_) => Heard::Missed,
            };
            Some((heard, deliveries))
        };
        Ok(stream::unfold(deliveries, next).boxed())
    }
}

fn unreachable(error: TransportError) -> RelayError {
    RelayError::new("cannot be reached").caused_by(error)
}

#[cfg(test)]
mod tests {
    use eventyard::model::{
        SystemClock,
        transport::{MemoryBroker, MemoryOptions},
    };

    use super::*;

    #[tokio::test]
    async fn nodes_hear_each_other_and_themselves_and_of_gaps() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let broker = MemoryBroker::new(Arc::clone(&clock), MemoryOptions::default());
        let node = |name: &str| {
            OverTransport::new(Arc::new(broker.transport(name)), Arc::clone(&clock)).unwrap()
        };
        let (a, b) = (node("a"), node("b"));
        let (mut at_a, mut at_b) = (a.subscribe().await.unwrap(), b.subscribe().await.unwrap());
        a.publish(vec![r#"{"n":1}"#.into(), r#"{"n":2}"#.into()]).await.unwrap();
        for frames in [&mut at_a, &mut at_b] {
            for n in 1..=2 {
                let frame = Heard::Frame(format!(r#"{{"n":{n}}}"#).into());
                assert_eq!(frames.next().await, Some(frame));
            }
        }
        broker.interrupt();
        assert_eq!(at_a.next().await, Some(Heard::Missed));
    }
}
