//! Messages to end users: to whom, what they are called, and what they say.

use eventyard::{Context, Error, FieldError, JobRequest};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The queue that messages leave by.
pub const QUEUE: &str = "realtime";
/// What a job on [`QUEUE`] is called that carries a [`Message`].
pub const JOB: &str = "message";
/// The longest name of a message, of a room and of a user, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// What the room of each user begins with.
const USER_ROOM: &str = "user:";
/// The names that the protocol keeps for itself.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// The room of a user.
pub(crate) fn room_of(user: &str) -> std::sync::Arc<str> {
    format!("{USER_ROOM}{user}").into()
}

/// Whether a room is one of a user, which no other may enter.
pub(crate) fn is_of_a_user(room: &str) -> bool {
    room.starts_with(USER_ROOM)
}

/// Who gets a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// Every connection of this user.
    User(String),
    /// Every connection that is in this room.
    Room(String),
    /// Every connection.
    Everyone,
}

/// A message to end users.
///
/// A client hears it as `socket.on(event, (data, id) => …)`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// Who gets it.
    pub to: Target,
    /// What it is called.
    pub event: String,
    /// What it says.
    pub data: Box<RawValue>,
}

impl Message {
    /// A message to everyone in `to`.
    ///
    /// # Errors
    /// When the data cannot be written as JSON, or a name is empty, too long or reserved by the protocol.
    pub fn new(
        to: Target,
        event: impl Into<String>,
        data: &(impl Serialize + ?Sized),
    ) -> Result<Self, Error> {
        let event = event.into();
        let what = || format!("the message `{event}`");
        let data = serde_json::value::to_raw_value(data)
            .map_err(|source| Error::Encode { what: what(), source })?;
        let message = Self { to, event, data };
        message.check().map_err(Error::InvalidJob)?;
        Ok(message)
    }

    /// A message to every connection of a user.
    ///
    /// # Errors
    /// As for [`new`](Message::new).
    pub fn to_user(
        user: impl Into<String>,
        event: impl Into<String>,
        data: &(impl Serialize + ?Sized),
    ) -> Result<Self, Error> {
        Self::new(Target::User(user.into()), event, data)
    }

    /// A message to every connection in a room.
    ///
    /// # Errors
    /// As for [`new`](Message::new).
    pub fn to_room(
        room: impl Into<String>,
        event: impl Into<String>,
        data: &(impl Serialize + ?Sized),
    ) -> Result<Self, Error> {
        Self::new(Target::Room(room.into()), event, data)
    }

    /// A message to every connection.
    ///
    /// # Errors
    /// As for [`new`](Message::new).
    pub fn to_everyone(
        event: impl Into<String>,
        data: &(impl Serialize + ?Sized),
    ) -> Result<Self, Error> {
        Self::new(Target::Everyone, event, data)
    }

    /// The job that sends it. Its id becomes the message's: one that is added twice is sent once.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which is a bug.
    pub fn into_job(self) -> Result<JobRequest, Error> {
        JobRequest::new(QUEUE, JOB).data(&self)
    }

    /// Checks its names.
    ///
    /// # Errors
    /// Names the field, and what is allowed.
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        check_name("event", &self.event)?;
        if RESERVED.contains(&self.event.as_str()) {
            let names = RESERVED.join(", ");
            let problem = format!("is `{}`; the protocol keeps {names} for itself", self.event);
            return Err(FieldError { field: "event".to_owned(), problem });
        }
        match &self.to {
            Target::User(user) => check_name("to.user", user),
            Target::Room(room) => check_name("to.room", room),
            Target::Everyone => Ok(()),
        }
    }
}

/// Checks the name of a message, a room or a user.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), FieldError> {
    let problem = if name.is_empty() {
        "is empty; give it at least one character".to_owned()
    } else if name.len() > MAX_NAME_BYTES {
        format!("has {} bytes; at most {MAX_NAME_BYTES} are allowed", name.len())
    } else if name.chars().any(char::is_control) {
        "holds a control character; use printable characters only".to_owned()
    } else {
        return Ok(());
    };
    Err(FieldError { field: field.to_owned(), problem })
}

/// What handlers send to end users. It leaves with the job's own commit: if the handler fails, nobody hears it.
pub trait SendToClients {
    /// Sends to every connection of a user.
    ///
    /// # Errors
    /// When the data cannot be written as JSON, or a name is empty, too long or reserved by the protocol.
    fn send_to_user(
        &self,
        user: &str,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Result<(), Error>;

    /// Sends to every connection in a room.
    ///
    /// # Errors
    /// As for [`send_to_user`](SendToClients::send_to_user).
    fn send_to_room(
        &self,
        room: &str,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Result<(), Error>;

    /// Sends to every connection.
    ///
    /// # Errors
    /// As for [`send_to_user`](SendToClients::send_to_user).
    fn broadcast(&self, event: &str, data: &(impl Serialize + ?Sized)) -> Result<(), Error>;
}

impl SendToClients for Context {
    fn send_to_user(
        &self,
        user: &str,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Result<(), Error> {
        self.enqueue(Message::to_user(user, event, data)?.into_job()?);
        Ok(())
    }

    fn send_to_room(
        &self,
        room: &str,
        event: &str,
        data: &(impl Serialize + ?Sized),
    ) -> Result<(), Error> {
        self.enqueue(Message::to_room(room, event, data)?.into_job()?);
        Ok(())
    }

    fn broadcast(&self, event: &str, data: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.enqueue(Message::to_everyone(event, data)?.into_job()?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let check = |message: Result<Message, Error>, expected: &str| match message {
            Ok(_) => assert_eq!(expected, ""),
            Err(error) => assert!(error.to_string().starts_with(expected), "{error}"),
        };
        check(Message::to_user("u", "hello", &1), "");
        check(Message::to_user("", "hello", &1), "to.user: is empty");
        check(Message::to_room("r\n", "hello", &1), "to.room: holds a control character");
        check(Message::to_everyone("", &1), "event: is empty");
        check(Message::to_everyone("disconnect", &1), "event: is `disconnect`; the protocol keeps");
        check(Message::to_everyone("x".repeat(257), &1), "event: has 257 bytes; at most 256");
    }

    #[test]
    fn a_message_is_a_job() {
        let job = Message::to_user("u", "hello", &["a"]).unwrap().into_job().unwrap();
        assert_eq!((job.queue.as_str(), job.name.as_str()), ("realtime", "message"));
        let back: Message = serde_json::from_slice(&job.data).unwrap();
        assert_eq!((back.to, back.event.as_str()), (Target::User("u".into()), "hello"));
        assert_eq!(back.data.get(), r#"["a"]"#);
        assert_eq!(job.data, r#"{"to":{"user":"u"},"event":"hello","data":["a"]}"#);
    }
}
