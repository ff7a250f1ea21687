//! The handshake: who a client is, where it was, and which rooms it asks for.

use std::sync::{Arc, Mutex, PoisonError};

use eventyard::Yard;
use serde::Deserialize;
use socketioxide::extract::{AckSender, SocketRef};
use tokio::sync::mpsc;

use super::{
    arrived::Arrived,
    session::{Question, Session},
};
use crate::{
    message::{check_name, is_of_a_user},
    node::Node,
    refusal::Refusal,
    token::Identity,
};

/// How many messages of a client may wait to be worked on.
const INBOX: usize = 64;

/// What a client says as `auth`. What is not known here is passed over: it may be for others.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Handshake {
    token: Option<String>,
    last_id: Option<String>,
    rooms: Vec<String>,
}

/// A client that may come in.
pub(super) struct Admitted {
    pub(super) session: Arc<Session>,
    pub(super) inbox: mpsc::Receiver<Question>,
    pub(super) identity: Identity,
    pub(super) token: String,
    pub(super) rooms: Vec<Arc<str>>,
    pub(super) last_id: Option<String>,
}

/// As it waits in the socket's extensions, which clone.
#[derive(Clone)]
struct Waiting(Arc<Mutex<Option<Admitted>>>);

impl Admitted {
    fn put(self, socket: &SocketRef) {
        socket.extensions.insert(Waiting(Arc::new(Mutex::new(Some(self)))));
    }

    /// Takes what the handshake left.
    pub(super) fn take(socket: &SocketRef) -> Option<Self> {
        let waiting = socket.extensions.remove::<Waiting>()?;
        waiting.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Lets a client in, or says why not.
pub(super) async fn admit(
    node: &Arc<Node>,
    yard: Yard,
    socket: &SocketRef,
    handshake: Handshake,
) -> Result<(), Refusal> {
    let Handshake { token, last_id, rooms } = handshake;
    let token = token
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Refusal::unauthenticated("there is no token; send a JWT as `auth.token`"))?;
    let identity = node.verifier.verify(&token).await.inspect_err(|refusal| {
        tracing::debug!(%refusal, "a client is refused");
    })?;
    node.hub.has_room_for(&identity.user)?;
    let mut all: Vec<Arc<str>> = Vec::new();
    for room in &identity.rooms {
        check_room(room)?;
        all.push(room.as_str().into());
    }
    for room in &rooms {
        may_enter(node, &identity, room)?;
        all.push(room.as_str().into());
    }
    let (questions, inbox) = mpsc::channel(INBOX);
    let session = Arc::new(Session::new(Arc::clone(node), yard, questions));
    listen(socket, &session);
    Admitted { session, inbox, identity, token, rooms: all, last_id }.put(socket);
    Ok(())
}

/// Whether a client may enter a room: one that its token opens, or that is open to all.
pub(super) fn may_enter(node: &Node, identity: &Identity, room: &str) -> Result<(), Refusal> {
    check_room(room)?;
    let is_open = identity.rooms.iter().any(|opened| opened == room)
        || node.options.open_rooms.iter().any(|pattern| pattern.opens(room));
    if is_open {
        return Ok(());
    }
    Err(Refusal::forbidden(format!("the room `{room}` is not open to this user")))
}

fn check_room(room: &str) -> Result<(), Refusal> {
    check_name("room", room).map_err(|e| Refusal::invalid_body(&e.field, e.problem))?;
    if is_of_a_user(room) {
        return Err(Refusal::forbidden("the rooms of users are their own; nobody else may enter"));
    }
    Ok(())
}

/// Listens to a socket, before its client can say anything. What it says holds no reference to the socket: a socket
/// that held itself would stay.
fn listen(socket: &SocketRef, session: &Arc<Session>) {
    let heard = Arc::clone(session);
    socket.on_fallback(move |socket: SocketRef, arrived: Arrived, ack: AckSender| {
        heard.receive(&socket, arrived, ack);
        std::future::ready(())
    });
    let left = Arc::clone(session);
    socket.on_disconnect(move || {
        left.end();
        std::future::ready(())
    });
}
