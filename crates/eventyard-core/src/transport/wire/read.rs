//! Reading messages in every form.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{CLOUD_EVENT, Incoming, NODE};
use crate::{
    EventId, Limits,
    event::{DecodeError, Defaults, from_fields, from_foreign_json, from_json},
    limits::json_depth,
};

/// Why a message is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Its bytes or attributes cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It is larger than is accepted.
    #[error("the message has {bytes} bytes; at most {limit} are allowed (limits.body-bytes)")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It is nested more deeply than is accepted.
    #[error("the message is nested {depth} deep; at most {limit} is allowed (limits.depth)")]
    TooDeep {
        /// Its depth.
        depth: usize,
        /// The limit.
        limit: usize,
    },
}

/// How to read messages of one broker.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// What an event is given that does not say it itself.
    pub defaults: Defaults<'a>,
    /// What is accepted.
    pub limits: Limits,
}

impl Reader<'_> {
    /// Reads a message in any form: a CloudEvent, or what others write.
    ///
    /// An event without an id gets the one that `id` makes; it is told whether the message says when it happened.
    ///
    /// # Errors
    /// When it is not an event, or too large.
    pub fn read(
        &self,
        message: &[u8],
        id: impl FnOnce(bool) -> EventId,
    ) -> Result<Incoming, Malformed> {
        self.check(message)?;
        let Marks { specversion, node } = serde_json::from_slice(message)
            .map_err(|error| DecodeError::NotJson(error.to_string()))?;
        let mut event = match specversion {
            Some(_) => from_json(message, self.defaults)?,
            None => from_foreign_json(message, self.defaults, id)?,
        };
        event.extensions.remove(NODE);
        // A node of another kind than text is somebody else's attribute.
        let node = node.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        Ok(Incoming { event, node: node.map(Arc::from) })
    }

    /// Reads the flat fields of an entry that others wrote. One field alone may hold a whole message.
    ///
    /// # Errors
    /// When they are not an event, or too large.
    pub fn read_fields(
        &self,
        fields: &[(String, Bytes)],
        id: impl FnOnce(bool) -> EventId,
    ) -> Result<Incoming, Malformed> {
        if let [(_, message)] = fields
            && message.trim_ascii_start().starts_with(b"{")
        {
            return self.read(message, id);
        }
        if let Some((_, message)) = fields.iter().find(|(name, _)| name == CLOUD_EVENT) {
            return self.read(message, id);
        }
        fields.iter().try_for_each(|(_, value)| self.check(value))?;
        let total: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.check_size(total)?;
        let node = fields.iter().find(|(name, _)| name == NODE);
        let node = node.and_then(|(_, value)| std::str::from_utf8(value).ok());
        Ok(Incoming { event: from_fields(fields, self.defaults, id)?, node: node.map(Arc::from) })
    }

    fn check(&self, message: &[u8]) -> Result<(), Malformed> {
        self.check_size(message.len())?;
        let (depth, limit) = (json_depth(message), self.limits.depth);
        if depth > limit { Err(Malformed::TooDeep { depth, limit }) } else { Ok(()) }
    }

    fn check_size(&self, bytes: usize) -> Result<(), Malformed> {
        let limit = self.limits.body_bytes;
        if bytes > limit { Err(Malformed::TooLarge { bytes, limit }) } else { Ok(()) }
    }
}

/// What tells the form of a message.
#[derive(Deserialize)]
struct Marks<'a> {
    #[serde(borrow, default)]
    specversion: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "eventyardnode")]
    node: Option<&'a RawValue>,
}
