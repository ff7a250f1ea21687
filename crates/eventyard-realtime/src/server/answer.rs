//! What a client is answered.

use serde::Serialize;
use socketioxide::extract::{AckSender, SocketRef};

use crate::refusal::Refusal;

/// What a client hears of a refusal when it does not wait for an answer.
pub(crate) const ERROR: &str = "error";
/// What a client hears before its connection is ended.
pub(crate) const ENDED: &str = "session:ended";

/// The end of something that a client asked for.
pub(super) type Outcome = Result<Done, Refusal>;

/// It was done.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Done {
    /// The event that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_id: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    ok: bool,
    #[serde(flatten)]
    done: Option<&'a Done>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Refusal>,
}

/// Answers a client: by its acknowledgement, or else, when it was refused, by an event.
pub(super) fn answer(socket: &SocketRef, ack: AckSender, wants_answer: bool, outcome: &Outcome) {
    let sent = match outcome {
        _ if wants_answer => {
            let (done, error) = (outcome.as_ref().ok(), outcome.as_ref().err());
            ack.send(&Answer { ok: outcome.is_ok(), done, error })
        }
        Ok(_) => Ok(()),
        Err(refusal) => socket.emit(ERROR, refusal),
    };
    if let Err(error) = sent {
        // A client that is gone, or takes nothing, does without.
        tracing::debug!(%error, "a client is not answered");
    }
}
