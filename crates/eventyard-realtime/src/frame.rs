//! What nodes tell each other: a message with its id, as JSON.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::message::{Message, Target};

/// What one node tells all nodes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// Tells it from every other; the same one that comes twice is delivered once.
    pub(crate) id: Arc<str>,
    /// What is delivered; absent in a mark, which only says where all nodes are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<Message>,
}

impl Frame {
    pub(crate) fn message(id: impl Into<Arc<str>>, message: Message) -> Self {
        Self { id: id.into(), message: Some(message) }
    }

    /// A place in the sequence that every node knows, with nothing in it.
    pub(crate) fn mark() -> Self {
        Self { id: uuid::Uuid::now_v7().to_string().into(), message: None }
    }

    pub(crate) fn encode(&self) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(self).map(Bytes::from)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Who hears it.
    pub(crate) fn audience(&self) -> Audience {
        match self.message.as_ref().map(|message| &message.to) {
            None => Audience::Nobody,
            Some(Target::Everyone) => Audience::Everyone,
            Some(Target::Room(room)) => Audience::Room(room.as_str().into()),
            Some(Target::User(user)) => Audience::Room(crate::message::room_of(user)),
        }
    }
}

/// Who hears a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Every connection.
    Everyone,
    /// Those in this room.
    Room(Arc<str>),
    /// No one: it is a mark.
    Nobody,
}

/// JSON that is `null`.
pub(crate) fn null() -> &'static RawValue {
    RawValue::NULL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_they_are_written() {
        let check = |frame: Frame, text: &str| {
            let bytes = frame.encode().unwrap();
            assert_eq!(bytes, text);
            let back = Frame::decode(&bytes).unwrap();
            assert_eq!((back.id.clone(), back.audience()), (frame.id.clone(), frame.audience()));
        };
        let message = Message::to_user("u", "e", &serde_json::json!({"a": 1})).unwrap();
        check(
            Frame::message("m-1", message),
            r#"{"id":"m-1","message":{"to":{"user":"u"},"event":"e","data":{"a":1}}}"#,
        );
        check(Frame { id: "m-2".into(), message: None }, r#"{"id":"m-2"}"#);
        assert!(Frame::decode(b"{").is_err());
    }

    #[test]
    fn a_users_room_is_a_room() {
        let to = |to| Frame::message("m", Message::new(to, "e", &()).unwrap()).audience();
        assert_eq!(to(Target::User("7".into())), Audience::Room("user:7".into()));
        assert_eq!(to(Target::Room("r".into())), Audience::Room("r".into()));
        assert_eq!(to(Target::Everyone), Audience::Everyone);
    }
}
