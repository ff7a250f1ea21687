//! What the server promises about what it has acknowledged, and what about it an operator should know.

use std::collections::HashMap;

use eventyard_core::{Durability, StoreError};
use redis::{RedisError, RedisResult};

use crate::connect::{Connections, Error};

/// What the server promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// What an acknowledged write survives.
    ///
    /// `appendfsync always` makes it survive a power cut; an append-only file that is flushed otherwise makes it survive
    /// a crash of the Redis process. Snapshots alone lose all writes since the last one in such a crash; then, and where
    /// the server does not tell, an acknowledged write lives as long as the process: that of Redis. Replicas do not raise
    /// the level, because Redis acknowledges a write before they have it.
    pub level: Durability,
    /// What is wrong for a store of jobs, each a sentence that says what to do.
    pub warnings: Vec<String>,
    /// How many replicas are connected to the server; absent where it does not tell.
    pub replicas: Option<u32>,
}

/// Reads from the server what it promises: in a cluster from the master that has the keys with `prefix`. A server that
/// does not tell its configuration promises least.
///
/// # Errors
/// When Redis is not reached.
pub async fn read(connections: &Connections, prefix: &str) -> Result<Promise, StoreError> {
    // In a cluster the shared connection would ask every node.
    let mut server = connections.dedicated_to(prefix, None).await?;
    // One by one: before Redis 7 it takes one name only.
    let mut settings = HashMap::new();
    let mut is_told = true;
    for name in ["appendonly", "appendfsync", "maxmemory-policy", "save"] {
        let mut ask = redis::cmd("CONFIG");
        ask.arg("GET").arg(name);
        match unless_refused(ask.query_async::<HashMap<String, String>>(&mut server).await)? {
            Some(said) if said.contains_key(name) => settings.extend(said),
            _ => is_told = false,
        }
    }
    let mut ask = redis::cmd("INFO");
    ask.arg("replication");
    let info = unless_refused(ask.query_async::<String>(&mut server).await)?;
    let info = parse_info(info.as_deref().unwrap_or_default());
    Ok(judge(is_told.then_some(&settings), &info))
}

/// The answer, unless the server does not let us ask: managed services take `CONFIG` away.
fn unless_refused<T>(answer: RedisResult<T>) -> Result<Option<T>, StoreError> {
    let is_refusal =
        |error: &RedisError| error.code().is_some() && !Error::from(error.clone()).is_retryable();
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if is_refusal(&error) => {
            tracing::debug!(%error, "the server does not tell its configuration");
            Ok(None)
        }
        Err(error) => Err(Error::from(error).into()),
    }
}

/// The lines `name:value` of an answer to `INFO`.
fn parse_info(text: &str) -> HashMap<&str, &str> {
    text.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

fn judge(settings: Option<&HashMap<String, String>>, info: &HashMap<&str, &str>) -> Promise {
    let mut warnings = Vec::new();
    let level = match settings {
        Some(settings) => judge_settings(settings, &mut warnings),
        None => {
            warnings.push(
                "redis does not tell its configuration (CONFIG GET is refused): make sure yourself that appendonly is \
                 on and maxmemory-policy is noeviction, and allow CONFIG GET to have it checked"
                    .to_owned(),
            );
            Durability::Process
        }
    };
    if info.get("role").is_some_and(|role| *role != "master") {
        warnings.push(
            "this redis is a replica, which takes no writes; point the url at the master"
                .to_owned(),
        );
    }
    let replicas = info.get("connected_slaves").and_then(|count| count.parse().ok());
    Promise { level, warnings, replicas }
}

fn judge_settings(settings: &HashMap<String, String>, warnings: &mut Vec<String>) -> Durability {
    let setting = |name| settings.get(name).map_or("", String::as_str);
    let policy = setting("maxmemory-policy");
    if policy != "noeviction" {
        warnings.push(format!(
            "redis may throw jobs away when its memory is full: maxmemory-policy is {policy}; set it to noeviction"
        ));
    }
    let (level, warning) = match (setting("appendonly"), setting("appendfsync")) {
        ("yes", "always") => return Durability::SystemCrash,
        ("yes", "no") => (
            Durability::ProcessCrash,
            "redis leaves it to the system when it writes to disk: a power cut may lose half a minute of acknowledged \
             writes; set appendfsync to everysec or always",
        ),
        ("yes", _) => (
            Durability::ProcessCrash,
            "redis flushes to disk once a second: a power cut may lose the last second of acknowledged writes; set \
             appendfsync to always if they must survive it",
        ),
        _ if setting("save").is_empty() => (
            Durability::Process,
            "redis keeps nothing on disk: a restart loses all jobs; set appendonly to yes",
        ),
        _ => (
            Durability::Process,
            "redis keeps snapshots only: a crash loses all that was acknowledged since the last one, which may be an \
             hour; set appendonly to yes",
        ),
    };
    warnings.push(warning.to_owned());
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(
        appendonly: &str,
        fsync: &str,
        policy: &str,
        save: &str,
    ) -> HashMap<String, String> {
        let names = ["appendonly", "appendfsync", "maxmemory-policy", "save"];
        let values = [appendonly, fsync, policy, save];
        names.map(str::to_owned).into_iter().zip(values.map(str::to_owned)).collect()
    }

    #[test]
    fn the_configuration_makes_the_promise() {
        let check = |[appendonly, fsync, policy, save]: [&str; 4], level, words: &[&str]| {
            let settings = settings(appendonly, fsync, policy, save);
            let promise = judge(Some(&settings), &HashMap::new());
            assert_eq!(promise.level, level, "{settings:?}");
            assert_eq!(promise.warnings.len(), words.len(), "{:?}", promise.warnings);
            for (warning, word) in promise.warnings.iter().zip(words) {
                assert!(warning.contains(word), "{warning}");
            }
        };
        use Durability::{Process, ProcessCrash, SystemCrash};
        check(["yes", "always", "noeviction", ""], SystemCrash, &[]);
        check(["yes", "always", "allkeys-lru", ""], SystemCrash, &["allkeys-lru"]);
        check(["yes", "everysec", "noeviction", "60 1"], ProcessCrash, &["last second"]);
        check(["yes", "no", "noeviction", ""], ProcessCrash, &["half a minute"]);
        check(["no", "everysec", "noeviction", "3600 1"], Process, &["snapshots only"]);
        check(["no", "always", "volatile-ttl", ""], Process, &["volatile-ttl", "nothing on disk"]);
    }

    #[test]
    fn a_server_that_does_not_tell_promises_least() {
        let info = parse_info("# Replication\r\nrole:slave\r\nconnected_slaves:2\r\n");
        let promise = judge(None, &info);
        assert_eq!((promise.level, promise.replicas), (Durability::Process, Some(2)));
        assert!(promise.warnings[0].contains("CONFIG GET"), "{:?}", promise.warnings);
        assert!(promise.warnings[1].contains("replica"), "{:?}", promise.warnings);
    }
}
