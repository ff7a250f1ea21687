//! A relay within one process: for one node, and for tests of several.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::{Mutex, mpsc};

use super::{Frames, Heard, Relay, RelayError};

/// How many frames may wait for a node before those who publish wait as well.
const BACKLOG: usize = 1024;

/// A relay within one process. Clones are the same relay. Whoever publishes waits for the slowest node, so none misses
/// anything.
#[derive(Debug, Clone, Default)]
pub struct InProcess {
    nodes: Arc<Mutex<Vec<mpsc::Sender<Bytes>>>>,
}

#[async_trait]
impl Relay for InProcess {
    async fn publish(&self, frames: Vec<Bytes>) -> Result<(), RelayError> {
        // Held to the end, so that all nodes hear the frames in one order.
        let mut nodes = self.nodes.lock().await;
        for frame in frames {
            for node in &*nodes {
                // One that is gone is forgotten below.
                let _ = node.send(frame.clone()).await;
            }
        }
        nodes.retain(|node| !node.is_closed());
        Ok(())
    }

    async fn subscribe(&self) -> Result<Frames, RelayError> {
        let (sender, frames) = mpsc::channel(BACKLOG);
        self.nodes.lock().await.push(sender);
        let next = async |mut frames: mpsc::Receiver<Bytes>| {
            frames.recv().await.map(|frame| (Heard::Frame(frame), frames))
        };
        Ok(stream::unfold(frames, next).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_node_hears_all_in_one_order() {
        let relay = InProcess::default();
        let (a, b) = (relay.subscribe().await.unwrap(), relay.clone().subscribe().await.unwrap());
        relay.publish(vec!["1".into(), "2".into()]).await.unwrap();
        for heard in [a, b] {
            let heard: Vec<Heard> = heard.take(2).collect().await;
            assert_eq!(heard, ["1", "2"].map(|text| Heard::Frame(text.into())));
        }
    }

    #[tokio::test]
    async fn whoever_publishes_waits_for_the_slowest() {
        let relay = InProcess::default();
        let mut slow = relay.subscribe().await.unwrap();
        let much = (0..BACKLOG + 1).map(|n| Bytes::from(n.to_string())).collect();
        let publishing = tokio::spawn({
            let relay = relay.clone();
            async move { relay.publish(much).await }
        });
        for n in 0..=BACKLOG {
            assert_eq!(slow.next().await, Some(Heard::Frame(n.to_string().into())));
        }
        publishing.await.unwrap().unwrap();
        drop(slow);
        relay.publish(vec!["nobody hears this".into()]).await.unwrap();
        assert!(relay.nodes.lock().await.is_empty());
    }
}
