//! One connection: from when its client was let in to its end.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use eventyard::{Yard, model::Timestamp};
use serde_json::Value;
use socketioxide::extract::{AckSender, SocketRef};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    answer::{Done, ENDED, Outcome, answer},
    arrived::Arrived,
    handshake::{self, Admitted},
    outlet::SocketOutlet,
};
use crate::{
    client_event,
    hub::{Arrival, Key, Progress},
    limit::Bucket,
    node::Node,
    refusal::Refusal,
    token::Identity,
};

/// How many bursts of refused messages end a connection.
const PATIENCE: u32 = 10;
/// How long a client has to hear why its connection ends.
const END_PAUSE: Duration = Duration::from_millis(200);

/// Something that a client asks for.
pub(super) struct Question {
    arrived: Arrived,
    ack: AckSender,
}

/// One connection.
pub(super) struct Session {
    node: Arc<Node>,
    yard: Yard,
    questions: mpsc::Sender<Question>,
    /// How much the client may say, and how often it may be refused.
    buckets: Mutex<(Bucket, Bucket)>,
    key: OnceLock<Key>,
    gone: CancellationToken,
    /// Why the connection is about to end; what its client still says is passed over.
    ending: OnceLock<Refusal>,
    ends: CancellationToken,
}

impl Session {
    pub(super) fn new(node: Arc<Node>, yard: Yard, questions: mpsc::Sender<Question>) -> Self {
        let (burst, now) = (node.options.limits.burst, node.clock.now());
        let refusals = Bucket::full(burst.saturating_mul(PATIENCE), now);
        Self {
            buckets: Mutex::new((Bucket::full(burst, now), refusals)),
            key: OnceLock::new(),
            gone: CancellationToken::new(),
            ending: OnceLock::new(),
            ends: CancellationToken::new(),
            node,
            yard,
            questions,
        }
    }

    /// Takes what the client says, or refuses it at once.
    pub(super) fn receive(&self, socket: &SocketRef, arrived: Arrived, ack: AckSender) {
        if self.ending.get().is_some() {
            return;
        }
        let wants_answer = arrived.wants_answer;
        let refused = match self.may_say(&arrived) {
            Err(refusal) => (refusal, ack),
            Ok(()) => match self.questions.try_send(Question { arrived, ack }) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Closed(_)) => return,
                Err(mpsc::error::TrySendError::Full(question)) => {
                    let detail = "too many messages wait to be worked on; wait for the answers";
                    (Refusal::too_many_messages(detail), question.ack)
                }
            },
        };
        let (refusal, ack) = refused;
        answer(socket, ack, wants_answer, &Err(refusal.clone()));
        if self.is_out_of_patience() {
            tracing::info!(
                code = refusal.code(),
                "a client that goes on after refusals is cut off"
            );
            // The first reason is told.
            let _ = self.ending.set(refusal);
            self.ends.cancel();
        }
    }

    fn may_say(&self, arrived: &Arrived) -> Result<(), Refusal> {
        let limits = &self.node.options.limits;
        let now = self.node.clock.now();
        let rate = limits.messages_per_second;
        let takes = self.buckets().0.take(limits.burst, rate.into(), now);
        if !takes {
            return Err(Refusal::too_many_messages(format!(
                "a connection may send {rate} messages a second; send them more slowly"
            )));
        }
        if arrived.bytes > limits.payload_bytes {
            return Err(Refusal::too_large(format!(
                "the message has {} bytes; at most {} are allowed",
                arrived.bytes, limits.payload_bytes
            )));
        }
        Ok(())
    }

    fn is_out_of_patience(&self) -> bool {
        let limits = &self.node.options.limits;
        let (size, rate) = (limits.burst.saturating_mul(PATIENCE), limits.messages_per_second);
        !self.buckets().1.take(size, rate.into(), self.node.clock.now())
    }

    fn buckets(&self) -> std::sync::MutexGuard<'_, (Bucket, Bucket)> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client is gone.
    pub(super) fn end(&self) {
        self.gone.cancel();
        if let Some(key) = self.key.get() {
            self.node.hub.leave(*key, self.node.clock.now());
        }
    }

    /// Ends the connection from here, with a reason.
    async fn finish(&self, socket: SocketRef, refusal: Refusal) {
        let refusal = self.ending.get_or_init(|| refusal);
        if let Err(error) = socket.emit(ENDED, refusal) {
            tracing::debug!(%error, "a client does not hear why its connection ends");
        }
        self.end();
        // What is said to a socket that is disconnected closes its transport before the reason has gone out. And it
        // takes a while when the client takes nothing; the heartbeat ends one that never does.
        loop {
            tokio::select! {
                () = self.node.stop.cancelled() => return,
                () = self.node.clock.sleep(END_PAUSE) => {}
            }
            if !socket.connected() || socket.clone().disconnect().is_ok() {
                return;
            }
        }
    }
}

/// Begins the connection of a client that was let in.
pub(super) fn begin(node: &Arc<Node>, socket: SocketRef, admitted: Admitted) {
    let Admitted { session, inbox, identity, token, rooms, last_id } = admitted;
    let arrival = Arrival {
        outlet: Box::new(SocketOutlet(socket.clone())),
        user: Arc::clone(&identity.user),
        rooms,
        last_id,
    };
    let joined = node.hub.join(arrival, node.clock.now());
    if let Ok((key, progress)) = joined {
        // The first and only time.
        let _ = session.key.set(key);
        // The client may have gone while it came.
        if session.gone.is_cancelled() || !socket.connected() {
            return session.end();
        }
        node.arrived.notify_waiters();
        if progress != Progress::Live {
            node.follow([key]);
        }
    }
    let conversation = Conversation { node: Arc::clone(node), session, socket, identity, token };
    node.tasks.spawn(async move {
        match joined {
            Ok(_) => conversation.run(inbox).await,
            Err(refusal) => conversation.session.finish(conversation.socket, refusal).await,
        }
    });
}

/// What goes on with one client.
struct Conversation {
    node: Arc<Node>,
    session: Arc<Session>,
    socket: SocketRef,
    identity: Identity,
    token: String,
}

impl Conversation {
    async fn run(mut self, mut inbox: mpsc::Receiver<Question>) {
        loop {
            tokio::select! {
                biased;
                () = self.session.gone.cancelled() => return,
                // A server that closes tells no socket.
                () = self.node.stop.cancelled() => return self.session.end(),
                () = self.node.clock.sleep_until(self.identity.until) => {
                    if let Err(refusal) = self.check_again().await {
                        return self.session.finish(self.socket, refusal).await;
                    }
                }
                () = self.session.ends.cancelled() => {
                    let refusal = Refusal::too_many_messages("the client goes on after refusals");
                    return self.session.finish(self.socket, refusal).await;
                }
                Some(Question { arrived, ack }) = inbox.recv() => {
                    let wants_answer = arrived.wants_answer;
                    let outcome = match arrived.read() {
                        Ok((name, said)) => self.answer(&name, said).await,
                        Err(refusal) => Err(refusal),
                    };
                    answer(&self.socket, ack, wants_answer, &outcome);
                }
            }
        }
    }

    /// Whether the token still holds.
    async fn check_again(&mut self) -> Result<(), Refusal> {
        let token = self.token.clone();
        self.take_token(token).await
    }

    /// Goes on with a token of the same user.
    async fn take_token(&mut self, token: String) -> Result<(), Refusal> {
        let identity = self.node.verifier.verify(&token).await?;
        if identity.user != self.identity.user {
            return Err(Refusal::forbidden("the token is of another user; connect anew with it"));
        }
        self.identity = identity;
        self.token = token;
        Ok(())
    }

    async fn answer(&mut self, name: &str, said: Option<Value>) -> Outcome {
        match name {
            "auth:refresh" => {
                let token = text(said, "token")?;
                self.take_token(token).await?;
                Ok(Done::default())
            }
            "room:join" => {
                let room = text(said, "room")?;
                handshake::may_enter(&self.node, &self.identity, &room)?;
                if let Some(key) = self.session.key.get() {
                    self.node.hub.enter(*key, &room)?;
                }
                Ok(Done::default())
            }
            "room:leave" => {
                let room = text(said, "room")?;
                if let Some(key) = self.session.key.get() {
                    self.node.hub.exit(*key, &room);
                }
                Ok(Done::default())
            }
            _ => self.publish(name, said).await,
        }
    }

    async fn publish(&self, name: &str, said: Option<Value>) -> Outcome {
        let accepted = &self.node.options.accepted;
        let Some(accepted) = accepted.iter().find(|accepted| accepted.name == name) else {
            let names: Vec<&str> = accepted.iter().map(|a| a.name.as_str()).collect();
            return Err(Refusal::unknown_message(format!(
                "`{}` is not taken here; there are {}, room:join, room:leave, auth:refresh",
                name.chars().take(64).collect::<String>(),
                names.join(", ")
            )));
        };
        let (yard, user) = (&self.session.yard, &self.identity.user);
        let now: Timestamp = self.node.clock.now();
        let event = client_event::envelope(&accepted.kind, yard.source(), user, said, now)?;
        let published = yard.publish(event).await?;
        Ok(Done { event_id: Some(published.event.to_string()) })
    }
}

/// A text that is said as it is, or as a field of an object.
fn text(said: Option<Value>, field: &str) -> Result<String, Refusal> {
    let value = match said {
        Some(Value::Object(mut fields)) => fields.remove(field),
        said => said,
    };
    match value {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Refusal::invalid_body(field, "is missing or no text")),
    }
}
