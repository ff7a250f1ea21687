//! `[realtime]`: Socket.IO for end users.

use std::collections::BTreeSet;

use eventyard::route::Pattern;
use eventyard_realtime as realtime;
use realtime::{Keys, Options, Policy, SetupError, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Secret, TimeSpan, secret::ServerUrl};

/// Socket.IO for end users: what they hear, and what they may cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Realtime {
    /// Whether `/socket.io/` is served. When absent, it is if `realtime.jwt` has a secret or an address of keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
    /// Which tokens clients are let in by.
    pub(crate) jwt: Jwt,
    /// The origins of the pages that may connect (`https://app.example.com`), besides the server's own.
    pub(crate) origins: Vec<String>,
    /// What clients may say, and the events that it becomes.
    pub(crate) accept: Vec<Accept>,
    /// Which events go to which rooms.
    pub(crate) routes: Vec<Route>,
    /// The rooms that every user may enter, by name or by how they begin: `lobby`, `project:*`. Others are opened by
    /// tokens.
    pub(crate) open_rooms: Vec<String>,
    /// What users hear of their own jobs.
    pub(crate) jobs: Jobs,
    /// What is remembered for clients that come back.
    pub(crate) replay: Replay,
    /// What clients may do at most.
    pub(crate) limits: Limits,
    /// What joins nodes, so that a message reaches a user wherever it is connected.
    pub(crate) relay: Relay,
    /// How often the server asks whether a client is there.
    pub(crate) ping_interval: TimeSpan,
    /// How long it waits for the answer.
    pub(crate) ping_timeout: TimeSpan,
}

/// What joins nodes, so that a message reaches a user wherever it is connected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Relay {
    /// The Redis whose pub/sub joins them: `redis://HOST:PORT`, also `rediss://`, `redis+sentinel://` and
    /// `redis+cluster://`. When absent, the one of `store.url`; if that is none, this node is alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<ServerUrl>,
    /// The channel, the same on all nodes.
    pub(crate) channel: String,
}

/// Which tokens clients are let in by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Jwt {
    /// The secret that tokens are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<Secret>,
    /// Where the issuer shows its public keys, instead of a secret: a JSON Web Key Set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_url: Option<String>,
    /// How long to wait before the keys are fetched again because a token names one that is not there.
    pub(crate) jwks_refresh: TimeSpan,
    /// The algorithms that tokens may be signed by, whatever they say. When empty, `HS256` with a secret and `RS256`
    /// with an address of keys.
    pub(crate) algorithms: Vec<String>,
    /// The issuer that a token must name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    /// The audiences of which a token must name one. When empty, it need not.
    pub(crate) audience: Vec<String>,
    /// How far the clocks of the issuer and of this machine may be apart.
    pub(crate) leeway: TimeSpan,
    /// The claim that lists the rooms that a token opens.
    pub(crate) rooms_claim: String,
}

/// What clients may say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Accept {
    /// What clients call it.
    pub(crate) name: String,
    /// The type of the event that it becomes.
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// Which events go to which room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Route {
    /// The event type, or a pattern of words: `*` stands for one word, `#` for any number (`order.*`).
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The room, with places that the event fills: `user:{data.userId}`. When absent, everyone hears of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) room: Option<String>,
    /// What clients hear it as. When absent, the event's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<String>,
}

/// What users hear of their own jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Jobs {
    /// Whether they hear of them, as `job:progress`, `job:completed` and so on.
    pub(crate) enabled: bool,
    /// Where the data of a job, or of the event that it was made from, names its user.
    pub(crate) owner: String,
    /// Whether a job whose data names nobody belongs to the user that is named as its key.
    pub(crate) key_is_user: bool,
    /// The queues whose jobs are told of. When empty, all.
    pub(crate) queues: BTreeSet<String>,
}

/// What is remembered for clients that come back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Replay {
    /// For how long.
    pub(crate) age: TimeSpan,
    /// How many messages, of all users together.
    pub(crate) messages: usize,
    /// How many bytes, of all users together.
    pub(crate) bytes: usize,
}

/// What clients may do at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(rename = "RealtimeLimits")]
pub(crate) struct Limits {
    /// The largest message of a client, in bytes. One that is larger than twice that ends the connection.
    pub(crate) payload_bytes: usize,
    /// How many messages a connection may send in a second, on average.
    pub(crate) messages_per_second: u32,
    /// How many it may send at once after it was silent.
    pub(crate) burst: u32,
    /// How many connections one node holds.
    pub(crate) connections: usize,
    /// How many connections one user may have on one node.
    pub(crate) connections_per_user: usize,
    /// In how many rooms one user may be on one node, besides the own.
    pub(crate) rooms_per_user: usize,
    /// How many connections may be opened in `realtime.limits.handshake-time`.
    pub(crate) handshakes: u32,
    /// How long a client has to show its token.
    pub(crate) handshake_time: TimeSpan,
    /// How many messages may wait for a client that is slow to take them, before it has to catch up from what is
    /// remembered.
    pub(crate) buffer: usize,
}

impl Default for Realtime {
    fn default() -> Self {
        let usual = realtime::Accepted::usual().into_iter();
        Self {
            enabled: None,
            jwt: Jwt::default(),
            origins: Vec::new(),
            accept: usual.map(|a| Accept { name: a.name, kind: a.kind }).collect(),
            routes: Vec::new(),
            open_rooms: Vec::new(),
            jobs: Jobs::default(),
            replay: Replay::default(),
            limits: Limits::default(),
            relay: Relay::default(),
            ping_interval: TimeSpan::secs(25),
            ping_timeout: TimeSpan::secs(20),
        }
    }
}

impl Default for Relay {
    fn default() -> Self {
        Self { url: None, channel: realtime::relay::DEFAULT_CHANNEL.to_owned() }
    }
}

impl Default for Jwt {
    fn default() -> Self {
        Self {
            secret: None,
            jwks_url: None,
            jwks_refresh: TimeSpan::secs(30),
            algorithms: Vec::new(),
            issuer: None,
            audience: Vec::new(),
            leeway: TimeSpan::secs(0),
            rooms_claim: "rooms".to_owned(),
        }
    }
}

impl Default for Jobs {
    fn default() -> Self {
        let realtime::JobNews { owner, key_is_user, queues } = realtime::JobNews::default();
        Self { enabled: true, owner, key_is_user, queues }
    }
}

impl Default for Replay {
    fn default() -> Self {
        let Window { age, messages, bytes } = Window::default();
        Self { age: TimeSpan::secs(age.as_secs()), messages, bytes }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let limits = realtime::Limits::default();
        Self {
            payload_bytes: limits.payload_bytes,
            messages_per_second: limits.messages_per_second,
            burst: limits.burst,
            connections: limits.connections,
            connections_per_user: limits.connections_per_user,
            rooms_per_user: limits.rooms_per_user,
            handshakes: limits.handshakes,
            handshake_time: TimeSpan::secs(limits.handshake_time.as_secs()),
            buffer: limits.buffer,
        }
    }
}

impl Realtime {
    /// Whether `/socket.io/` is served.
    pub(crate) fn is_on(&self) -> bool {
        self.enabled.unwrap_or(self.jwt.secret.is_some() || self.jwt.jwks_url.is_some())
    }

    /// What the library is set up with.
    ///
    /// # Errors
    /// Names the key that is wrong, below `realtime`, and what to do.
    pub(crate) fn options(&self) -> Result<Options, SetupError> {
        let wrong = |key: String, problem: String| SetupError { key, problem };
        let mut options = Options::new(self.jwt.policy()?);
        options.origins.clone_from(&self.origins);
        let accepted =
            |a: &Accept| realtime::Accepted { name: a.name.clone(), kind: a.kind.clone() };
        options.accepted = self.accept.iter().map(accepted).collect();
        for (n, route) in self.routes.iter().enumerate() {
            let at = |key: &str| format!("routes[{n}].{key}");
            options.routes.push(realtime::Route {
                pattern: Pattern::new(&route.kind)
                    .map_err(|error| wrong(at("type"), format!("is no pattern: {error}")))?,
                room: route
                    .room
                    .as_ref()
                    .map(|room| room.parse())
                    .transpose()
                    .map_err(|error| wrong(at("room"), format!("is no room: {error}")))?,
                event: route.event.clone(),
            });
        }
        for (n, room) in self.open_rooms.iter().enumerate() {
            let room = room.parse().map_err(|error: realtime::InvalidRoomPattern| {
                wrong(format!("open-rooms[{n}]"), format!("is no room: {error}"))
            })?;
            options.open_rooms.push(room);
        }
        let Jobs { enabled, owner, key_is_user, queues } = self.jobs.clone();
        options.jobs = enabled.then_some(realtime::JobNews { owner, key_is_user, queues });
        let Replay { age, messages, bytes } = self.replay;
        options.window = Window { age: age.get(), messages, bytes };
        options.limits = (&self.limits).into();
        options.ping_interval = self.ping_interval.get();
        options.ping_timeout = self.ping_timeout.get();
        options.check()?;
        Ok(options)
    }
}

impl Jwt {
    fn policy(&self) -> Result<Policy, SetupError> {
        let mut policy = match (&self.secret, &self.jwks_url) {
            (Some(_), Some(_)) => {
                let problem = "is set, and so is jwt.jwks-url; leave out one of the two".to_owned();
                return Err(SetupError { key: "jwt.secret".to_owned(), problem });
            }
            (secret, None) => Policy::secret(secret.as_ref().map_or("", Secret::reveal)),
            (None, Some(url)) => {
                let refresh = self.jwks_refresh.get();
                Policy { keys: Keys::Jwks { url: url.clone(), refresh }, ..Policy::jwks(url) }
            }
        };
        if !self.algorithms.is_empty() {
            let names = self.algorithms.iter().enumerate();
            let algorithms = names.map(|(n, name)| {
                name.parse().map_err(|error: realtime::UnknownAlgorithm| SetupError {
                    key: format!("jwt.algorithms[{n}]"),
                    problem: format!("is not known: {error}"),
                })
            });
            policy.algorithms = algorithms.collect::<Result<_, _>>()?;
        }
        policy.issuer.clone_from(&self.issuer);
        policy.audience.clone_from(&self.audience);
        policy.leeway = self.leeway.get();
        policy.rooms_claim.clone_from(&self.rooms_claim);
        Ok(policy)
    }
}

impl From<&Limits> for realtime::Limits {
    fn from(limits: &Limits) -> Self {
        Self {
            payload_bytes: limits.payload_bytes,
            messages_per_second: limits.messages_per_second,
            burst: limits.burst,
            connections: limits.connections,
            connections_per_user: limits.connections_per_user,
            rooms_per_user: limits.rooms_per_user,
            handshakes: limits.handshakes,
            buffer: limits.buffer,
            handshake_time: limits.handshake_time.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(toml: &str, expected: &str) {
        let realtime: Realtime = toml::from_str(toml).unwrap();
        let error = realtime.options().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with(expected) && error.is_empty() == expected.is_empty(), "{error}");
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let realtime: Realtime = toml::from_str("jwt.secret = 's'").unwrap();
        let ours = realtime.options().unwrap();
        assert_eq!(format!("{ours:?}"), format!("{:?}", Options::new(Policy::secret("s"))));
    }

    #[test]
    fn mistakes_name_their_key() {
        check("", "realtime.jwt.secret is missing; set JWT_SECRET");
        check("jwt.secret = 's'", "");
        check("jwt.jwks-url = 'https://id.example.com/keys'", "");
        check(
            "jwt = { secret = 's', jwks-url = 'https://id.example.com/keys' }",
            "realtime.jwt.secret is set, and so is jwt.jwks-url",
        );
        check(
            "jwt = { secret = 's', algorithms = ['HS256', 'none'] }",
            "realtime.jwt.algorithms[1] is not known: `none` is no algorithm",
        );
        let with =
            |more: &str, expected: &str| check(&format!("jwt.secret = 's'\n{more}"), expected);
        with("routes = [{ type = 'a*', room = 'r' }]", "realtime.routes[0].type is no pattern");
        with("routes = [{ type = 'a', room = '{x}' }]", "realtime.routes[0].room is no room");
        with("open-rooms = ['a', 'user:*']", "realtime.open-rooms[1] is no room");
        with("limits.burst = 0", "realtime.limits.burst is 0");
        with("origins = ['app']", "realtime.origins[0] is `app`");
    }

    #[test]
    fn a_secret_turns_it_on() {
        let check = |toml: &str, on: bool| {
            assert_eq!(toml::from_str::<Realtime>(toml).unwrap().is_on(), on, "{toml}");
        };
        check("", false);
        check("jwt.secret = 's'", true);
        check("jwt.jwks-url = 'https://id.example.com/keys'", true);
        check("jwt.secret = 's'\nenabled = false", false);
        check("enabled = true", true);
    }
}
