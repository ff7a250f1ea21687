//! What happens to a user's own jobs, told to the user.

mod owner;
mod view;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use eventyard::{
    Yard,
    model::{JobKey, QueueEvent, feed::Heard},
    yard::QueueEvents,
};

use self::owner::Owners;
use crate::{
    frame::Frame,
    message::{Message, QUEUE},
    node::Node,
};

/// What users hear of: their clients get `job:added`, `job:progress` and so on.
const KINDS: [&str; 8] =
    ["added", "active", "progress", "completed", "failed", "stalled", "delayed", "removed"];
/// How often to see whether anyone is there who would hear of jobs.
const IDLE_CHECK: Duration = Duration::from_secs(15);

/// Whose jobs are whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobNews {
    /// Where the data of a job, or of the event that it was made from, names its user: `userId`, `order.userId`.
    pub owner: String,
    /// Whether a job whose data names nobody belongs to the user that is named as its key.
    pub key_is_user: bool,
    /// The queues whose jobs are told of; empty for all but that of messages.
    pub queues: BTreeSet<String>,
}

impl Default for JobNews {
    /// The jobs of all queues whose data has `userId`.
    fn default() -> Self {
        Self { owner: "userId".to_owned(), key_is_user: false, queues: BTreeSet::new() }
    }
}

impl JobNews {
    fn is_about(&self, queue: &str) -> bool {
        if self.queues.is_empty() { queue != QUEUE } else { self.queues.contains(queue) }
    }
}

/// Tells users of their jobs, as long as there are users.
pub(crate) async fn run(node: Arc<Node>, yard: Yard) {
    let Some(news) = &node.options.jobs else { return };
    let mut owners = Owners::new(news);
    loop {
        let arrived = node.arrived.notified();
        if !node.hub.knows_anyone(node.clock.now()) {
            tokio::select! {
                () = node.stop.cancelled() => return,
                () = arrived => {}
            }
        }
        // Listening costs the store something, so it ends with the last user.
        let events = KINDS.into_iter().try_fold(yard.queue_events(None), QueueEvents::of_kind);
        let Ok(mut events) = events else {
            unreachable!("the kinds are those of the engine");
        };
        tokio::select! {
            () = node.stop.cancelled() => return,
            () = tell(&node, &yard, news, &mut owners, &mut events) => {}
        }
    }
}

/// Tells what is heard, until nobody is there any more.
async fn tell(
    node: &Node,
    yard: &Yard,
    news: &JobNews,
    owners: &mut Owners,
    events: &mut QueueEvents,
) {
    loop {
        let heard = tokio::select! {
            heard = events.next() => heard,
            () = node.clock.sleep(IDLE_CHECK) => {
                if node.hub.knows_anyone(node.clock.now()) {
                    continue;
                }
                return;
            }
        };
        match heard {
            Heard::Missed => {
                tracing::warn!("too much happened at once to tell users of all their jobs");
            }
            Heard::Event(_, event) if news.is_about(event.queue.as_str()) => {
                tell_one(node, yard, owners, &event).await;
            }
            Heard::Event(..) => {}
        }
    }
}

async fn tell_one(node: &Node, yard: &Yard, owners: &mut Owners, event: &QueueEvent) {
    let Some(id) = event.kind.job() else { return };
    let job = JobKey { queue: event.queue.clone(), id: id.clone() };
    let Some(user) = owners.of(yard, &job).await else { return };
    // Every node that hears of the job and knows the user tells it, under one id: it is delivered once.
    if !node.hub.knows(&user, node.clock.now()) {
        return;
    }
    let said = view::EventView::of(event);
    let message = Message::to_user(&*user, format!("job:{}", event.kind.name()), &said);
    let sent = match message {
        Ok(message) => node.outgoing.send(vec![Frame::message(said.id(), message)]).await,
        Err(error) => return tracing::error!(%error, %job, "a user is not told of a job"),
    };
    if let Err(error) = sent {
        tracing::warn!(%error, %job, "a user is not told of a job");
    }
}
