//! What Redis answers and what connecting runs into, in the words of the ports.

use eventyard_core::{StoreError, StoreErrorKind, TransportError, TransportErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Redis could not be reached, or refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: StoreErrorKind,
    message: String,
    source: Option<RedisError>,
}

impl Error {
    pub(crate) fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Says in which situation the error came.
    #[must_use]
    pub fn while_doing(mut self, what: impl std::fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::Full)
    }

    pub(crate) fn into_answer(self) -> Option<RedisError> {
        self.source
    }

    /// What the client or the server said, unless the error was found without either.
    #[must_use]
    pub fn answer(&self) -> Option<&RedisError> {
        self.source.as_ref()
    }
}

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        let (kind, hint) = classify(&error);
        let said = error.to_string();
        let message = match hint {
            "" => format!("redis: {said}"),
            hint => format!("{hint} (redis: {said})"),
        };
        Self { kind, message, source: Some(error) }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let Error { kind, message, source } = error;
        let store = Self::new(kind, message);
        match source {
            Some(source) => store.because(source),
            None => store,
        }
    }
}

impl From<Error> for TransportError {
    fn from(error: Error) -> Self {
        let Error { kind, message, source } = error;
        let kind = match kind {
            StoreErrorKind::Unavailable | StoreErrorKind::Locked => TransportErrorKind::Unavailable,
            StoreErrorKind::Full => TransportErrorKind::Full,
            StoreErrorKind::Closed => TransportErrorKind::Closed,
            StoreErrorKind::Corrupt | StoreErrorKind::Unsupported => TransportErrorKind::Refused,
        };
        let transport = Self::new(kind, message);
        match source {
            Some(source) => transport.because(source),
            None => transport,
        }
    }
}

/// Which kind of error it is, and what to tell the operator beyond the answer.
fn classify(error: &RedisError) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Corrupt, Unavailable, Unsupported};
    match error.kind() {
        ErrorKind::Io if error.is_timeout() => {
            (Unavailable, "redis did not answer in time; look at its load and its slow log")
        }
        ErrorKind::Io => (Unavailable, "the connection to redis failed"),
        ErrorKind::AuthenticationFailed => {
            (Unavailable, "redis refuses the user or the password; correct them in the url")
        }
        ErrorKind::ClusterConnectionNotFound => (Unavailable, "no node of the cluster is reached"),
        ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel
        | ErrorKind::EmptySentinelList => (Unavailable, "sentinel names no master"),
        ErrorKind::Server(kind) => server(kind, error.detail().unwrap_or_default()),
        ErrorKind::Extension => extension(error.code().unwrap_or_default()),
        ErrorKind::InvalidClientConfig | ErrorKind::Client | ErrorKind::RESP3NotSupported => {
            (Unsupported, "")
        }
        _ => (Corrupt, "redis gave an answer that does not fit the question"),
    }
}

fn server(kind: ServerErrorKind, detail: &str) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Corrupt, Unavailable, Unsupported};
    match kind {
        ServerErrorKind::BusyLoading => (Unavailable, "redis is loading its data"),
        ServerErrorKind::ReadOnly => (
            Unavailable,
            "this redis is a replica that takes no writes; point the url at the master",
        ),
        ServerErrorKind::MasterDown => (Unavailable, "this redis is a replica without its master"),
        ServerErrorKind::ClusterDown => (Unavailable, "the cluster does not serve"),
        ServerErrorKind::TryAgain | ServerErrorKind::Moved | ServerErrorKind::Ask => {
            (Unavailable, "the cluster is moving the key")
        }
        ServerErrorKind::NoScript => {
            (Unavailable, "redis has forgotten a script; it is loaded again")
        }
        ServerErrorKind::NoPerm => (
            Unsupported,
            "the redis user may not do this; give it the command and the keys (ACL SETUSER)",
        ),
        ServerErrorKind::CrossSlot => (
            Unsupported,
            "the keys of one command lie in different slots; put a hash tag in the prefix, such as {bull}",
        ),
        // The server's errors without a code of their own.
        ServerErrorKind::ResponseError if detail.contains("max number of clients") => {
            (Unavailable, "redis has as many clients as it takes; raise maxclients")
        }
        ServerErrorKind::ResponseError if detail.starts_with("unknown command") => {
            (Unsupported, "this redis is too old or has the command disabled")
        }
        _ => (Corrupt, ""),
    }
}

fn extension(code: &str) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Corrupt, Full, Unavailable};
    match code {
        "OOM" => (Full, "redis has used up its maxmemory; raise it or delete data"),
        "MISCONF" => (Full, "redis cannot save to disk and takes no writes; free disk space"),
        "NOAUTH" => (Unavailable, "redis asks for a password; add it to the url"),
        "WRONGPASS" => {
            (Unavailable, "redis refuses the user or the password; correct them in the url")
        }
        "DENIED" => (Unavailable, "redis is in protected mode and takes local clients only"),
        "NOREPLICAS" => {
            (Unavailable, "redis has fewer replicas than min-replicas-to-write asks for")
        }
        "BUSY" => (Unavailable, "redis is busy with a script"),
        "UNBLOCKED" => {
            (Unavailable, "redis ended a call that was blocked, as it does in a failover")
        }
        _ => (Corrupt, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_kinds() {
        use StoreErrorKind::{Corrupt, Full, Unavailable, Unsupported};
        let check = |answer: &str, kind, retryable| {
            let value = redis::parse_redis_value(format!("-{answer}\r\n").as_bytes()).unwrap();
            let error = Error::from(value.extract_error().unwrap_err());
            assert_eq!((error.kind(), error.is_retryable()), (kind, retryable), "{error}");
        };
        check("LOADING Redis is loading the dataset in memory", Unavailable, true);
        check("READONLY You can't write against a read only replica.", Unavailable, true);
        check("MASTERDOWN Link with MASTER is down", Unavailable, true);
        check("CLUSTERDOWN The cluster is down", Unavailable, true);
        check("TRYAGAIN Multiple keys request during rehashing of slot", Unavailable, true);
        check("NOSCRIPT No matching script.", Unavailable, true);
        check("NOAUTH Authentication required.", Unavailable, true);
        check("WRONGPASS invalid username-password pair", Unavailable, true);
        check("ERR max number of clients reached", Unavailable, true);
        check("OOM command not allowed when used memory > 'maxmemory'.", Full, true);
        check("MISCONF Redis is configured to save RDB snapshots", Full, true);
        check("NOPERM this user has no permissions to run the 'get' command", Unsupported, false);
        check("ERR unknown command 'XAUTOCLAIM'", Unsupported, false);
        check("CROSSSLOT Keys in request don't hash to the same slot", Unsupported, false);
        check("WRONGTYPE Operation against a key holding the wrong kind of value", Corrupt, false);
        check("ERR syntax error", Corrupt, false);
    }
}
