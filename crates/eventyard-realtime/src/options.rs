//! How realtime is set up.

use std::{fmt, str::FromStr, time::Duration};

use crate::{
    client_event::Accepted, error::SetupError, hub::Window, job_news::JobNews, limit::Limits,
    message, route::Route, token::Policy,
};

/// How realtime is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which tokens are accepted.
    pub policy: Policy,
    /// The origins of the pages that may connect, such as `https://app.example.com`. Pages of the server's own origin
    /// always may.
    pub origins: Vec<String>,
    /// What clients may say.
    pub accepted: Vec<Accepted>,
    /// Which events go to which rooms.
    pub routes: Vec<Route>,
    /// The rooms that every user may enter; others are opened by tokens.
    pub open_rooms: Vec<RoomPattern>,
    /// Whose jobs are whose, if users are to hear of their own.
    pub jobs: Option<JobNews>,
    /// What clients may do at most.
    pub limits: Limits,
    /// What is remembered for those who come back.
    pub window: Window,
    /// How often the server asks whether a client is there.
    pub ping_interval: Duration,
    /// How long it waits for the answer.
    pub ping_timeout: Duration,
}

impl Options {
    /// The usual options, for tokens of this policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            origins: Vec::new(),
            accepted: Accepted::usual(),
            routes: Vec::new(),
            open_rooms: Vec::new(),
            jobs: Some(JobNews::default()),
            limits: Limits::default(),
            window: Window::default(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
        }
    }

    /// Checks what types cannot say.
    ///
    /// # Errors
    /// Names the first key that is wrong, and what to do.
    pub fn check(&self) -> Result<(), SetupError> {
        self.policy.check()?;
        self.limits.check()?;
        for (n, accepted) in self.accepted.iter().enumerate() {
            for (key, name) in [("name", &accepted.name), ("type", &accepted.kind)] {
                message::check_name(key, name)
                    .map_err(|e| SetupError::new(format!("accept[{n}].{key}"), e.problem))?;
            }
        }
        for (n, origin) in self.origins.iter().enumerate() {
            if !is_origin(origin) {
                let problem = format!(
                    "is `{origin}`; use scheme and host, as in \"https://app.example.com\""
                );
                return Err(SetupError::new(format!("origins[{n}]"), problem));
            }
        }
        for (key, span) in
            [("ping-interval", self.ping_interval), ("ping-timeout", self.ping_timeout)]
        {
            if span.is_zero() {
                return Err(SetupError::new(key, "is 0; use \"1s\" or more"));
            }
        }
        Ok(())
    }
}

/// Whether a text is what a browser sends as `Origin`.
fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, host)| {
        !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', '*', ' '])
    })
}

/// The name of a room, or what it begins with, followed by `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomPattern {
    begin: String,
    is_whole: bool,
}

/// A text that stands for no room that may be open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` {problem}")]
pub struct InvalidRoomPattern {
    pattern: String,
    problem: &'static str,
}

impl FromStr for RoomPattern {
    type Err = InvalidRoomPattern;

    fn from_str(text: &str) -> Result<Self, InvalidRoomPattern> {
        let (begin, is_whole) = match text.strip_suffix('*') {
            Some(begin) => (begin, false),
            None => (text, true),
        };
        let problem = if text.is_empty() {
            "is empty; name a room, as in `lobby` or `project:*`"
        } else if begin.contains('*') {
            "has a `*` that is not its end; it stands for the rest of the name"
        } else if message::is_of_a_user(begin) {
            "opens rooms of users, which are their own"
        } else {
            return Ok(Self { begin: begin.to_owned(), is_whole });
        };
        Err(InvalidRoomPattern { pattern: text.to_owned(), problem })
    }
}

impl RoomPattern {
    /// Whether it opens a room. It never opens that of a user.
    pub(crate) fn opens(&self, room: &str) -> bool {
        let matches =
            if self.is_whole { room == self.begin } else { room.starts_with(&self.begin) };
        matches && !message::is_of_a_user(room)
    }
}

impl fmt::Display for RoomPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.begin)?;
        f.write_str(if self.is_whole { "" } else { "*" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_rooms_are_never_those_of_users() {
        let check = |pattern: &str, opens: &[&str], keeps: &[&str]| {
            let pattern: RoomPattern = pattern.parse().unwrap();
            for room in opens {
                assert!(pattern.opens(room), "{pattern} opens {room}");
            }
            for room in keeps {
                assert!(!pattern.opens(room), "{pattern} keeps {room}");
            }
        };
        check("lobby", &["lobby"], &["lobby2", "lob"]);
        check("project:*", &["project:1", "project:"], &["projects", "user:1"]);
        check("*", &["anything"], &["user:1", "user:"]);
        check("u*", &["up"], &["user:1"]);
        for bad in ["", "a*b", "user:*", "user:1", "**"] {
            assert!(bad.parse::<RoomPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let check = |change: fn(&mut Options), expected: &str| {
            let mut options = Options::new(Policy::secret("x".repeat(32)));
            change(&mut options);
            let error = options.check().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(
                error.starts_with(expected) && error.is_empty() == expected.is_empty(),
                "{error}"
            );
        };
        check(|_| {}, "");
        check(|o| o.policy = Policy::secret(""), "realtime.jwt.secret is missing; set JWT_SECRET");
        check(
            |o| o.origins = vec!["app.example.com".into()],
            "realtime.origins[0] is `app.example.com`",
        );
        check(|o| o.origins = vec!["https://a.example/x".into()], "realtime.origins[0]");
        check(|o| o.accepted[1].name.clear(), "realtime.accept[1].name is empty");
        check(|o| o.ping_timeout = Duration::ZERO, "realtime.ping-timeout is 0");
    }
}
