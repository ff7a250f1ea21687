//! What a node hears from all nodes, itself included.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;

use super::Node;
use crate::{
    frame::Frame,
    relay::{Frames, Heard, Relay},
};

/// How long to wait before a relay that broke is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// How many marks are made in the time that messages are remembered, when there is anything to mark.
const MARKS: u32 = 4;

/// Listens from now on.
pub(super) async fn start(node: &Arc<Node>, relay: Arc<dyn Relay>) {
    let first = subscribe(&*relay).await;
    let (listener, marker) = (Arc::clone(node), Arc::clone(node));
    node.tasks.spawn(async move {
        tokio::select! {
            () = listener.stop.cancelled() => {}
            () = listen(&listener, &*relay, first) => {}
        }
    });
    node.tasks.spawn(async move {
        tokio::select! {
            () = marker.stop.cancelled() => {}
            () = mark(&marker) => {}
        }
    });
}

async fn subscribe(relay: &dyn Relay) -> Option<Frames> {
    match relay.subscribe().await {
        Ok(frames) => Some(frames),
        Err(error) => {
            tracing::error!(%error, "this node does not hear the others");
            None
        }
    }
}

async fn listen(node: &Arc<Node>, relay: &dyn Relay, first: Option<Frames>) {
    let mut frames = first;
    loop {
        if let Some(mut frames) = frames.take() {
            while let Some(heard) = frames.next().await {
                hear(node, heard);
            }
            tracing::warn!("the relay between nodes broke; listening anew");
        }
        node.clock.sleep(PAUSE).await;
        frames = subscribe(relay).await;
        if frames.is_some() {
            // What was said in between was not heard.
            hear(node, Heard::Missed);
        }
    }
}

fn hear(node: &Arc<Node>, heard: Heard) {
    let slow = match heard {
        Heard::Missed => {
            tracing::warn!("this node missed some messages; its clients are told");
            node.hub.miss()
        }
        Heard::Frame(bytes) => match Frame::decode(&bytes) {
            Ok(frame) => node.hub.deliver(frame, node.clock.now()),
            Err(error) => {
                tracing::warn!(%error, "a message between nodes cannot be read; it is passed over");
                return;
            }
        },
    };
    node.follow(slow);
}

/// Makes marks in what is said, so that whoever has heard nothing for long still knows where it is.
async fn mark(node: &Node) {
    let mut first = true;
    loop {
        if std::mem::take(&mut first) || node.hub.wants_mark() {
            // The next one does as well.
            if let Err(error) = node.outgoing.send(vec![Frame::mark()]).await {
                tracing::debug!(%error, "no mark was made");
            }
        }
        node.clock.sleep(node.options.window.age / MARKS).await;
    }
}
