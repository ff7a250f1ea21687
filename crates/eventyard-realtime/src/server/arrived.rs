//! What a client sent, before it is read.

use std::{convert::Infallible, sync::Arc};

use serde_json::Value;
use socketioxide::{adapter::Adapter, handler::FromMessageParts, socket::Socket};
use socketioxide_core::{Str, Value as Packet};

use crate::refusal::Refusal;

/// What a client sent: a name and arguments, not read yet.
pub(super) struct Arrived {
    text: Str,
    /// How large it is with its attachments, in bytes.
    pub(super) bytes: usize,
    has_attachments: bool,
    /// Whether the client waits for an answer.
    pub(super) wants_answer: bool,
}

impl<A: Adapter> FromMessageParts<A> for Arrived {
    type Error = Infallible;

    fn from_message_parts(
        _: &Arc<Socket<A>>,
        packet: &mut Packet,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let (text, attached) = match packet {
            Packet::Str(text, attachments) => {
                let attachments = attachments.iter().flatten();
                (text.clone(), attachments.map(|bytes| bytes.len() + 1).sum())
            }
            // Of other parsers, which are not in use.
            Packet::Bytes(bytes) => (Str::from(""), bytes.len() + 1),
        };
        let bytes = text.len() + attached;
        Ok(Self { text, bytes, has_attachments: attached > 0, wants_answer: ack.is_some() })
    }
}

impl Arrived {
    /// The name, and the first argument if there is one.
    pub(super) fn read(&self) -> Result<(String, Option<Value>), Refusal> {
        if self.has_attachments {
            return Err(Refusal::invalid_body("data", "has binary attachments; send JSON"));
        }
        let mut parts = serde_json::from_str::<Vec<Value>>(&self.text)
            .map_err(|error| Refusal::invalid_body("data", format!("is not JSON: {error}")))?
            .into_iter();
        match parts.next() {
            Some(Value::String(name)) => Ok((name, parts.next())),
            _ => Err(Refusal::invalid_body("event", "is no text")),
        }
    }
}
