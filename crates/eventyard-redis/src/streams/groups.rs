//! Groups: made idempotently, looked at, and kept tidy.

use std::{collections::HashMap, time::Duration};

use eventyard_core::transport::GroupStatus;
use redis::{Value, from_redis_value};

use super::{Inner, Start, script};
use crate::connect::Error;

impl Inner {
    /// Makes a group, and the stream if there is none; true when the group is new.
    pub(super) async fn create(&self, group: &str, start: Start) -> Result<bool, Error> {
        let mut create = redis::cmd("XGROUP");
        let from = match start {
            Start::Beginning => "0",
            Start::Now => "$",
        };
        create.arg("CREATE").arg(&self.options.stream).arg(group).arg(from).arg("MKSTREAM");
        match create.query_async::<Value>(&mut self.connections.shared()).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// How the groups stand; none while there is no stream.
    pub(super) async fn groups(&self) -> Result<Vec<GroupStatus>, Error> {
        let mut ask = redis::cmd("XINFO");
        ask.arg("GROUPS").arg(&self.options.stream);
        let answer: Vec<HashMap<String, Value>> =
            match ask.query_async(&mut self.connections.shared()).await {
                Ok(answer) => answer,
                Err(error) if error.detail().is_some_and(|d| d.contains("no such key")) => vec![],
                Err(error) => return Err(error.into()),
            };
        answer.into_iter().map(group_status).collect()
    }

    /// How many dead letters there are.
    pub(super) async fn count_dead_letters(&self) -> Result<u64, Error> {
        let mut ask = redis::cmd("XLEN");
        ask.arg(&self.dead_letters);
        Ok(ask.query_async(&mut self.connections.shared()).await?)
    }

    /// Forgets the consumers of a group that have been silent for `silent` and hold nothing.
    pub(super) async fn forget_silent(&self, group: &str, silent: Duration) -> Result<(), Error> {
        let mut shared = self.connections.shared();
        let mut ask = redis::cmd("XINFO");
        ask.arg("CONSUMERS").arg(&self.options.stream).arg(group);
        let answer: Vec<HashMap<String, Value>> = ask.query_async(&mut shared).await?;
        for mut consumer in answer {
            let mut number = |name: &str| -> Option<u64> {
                consumer.remove(name).and_then(|value| from_redis_value(value).ok())
            };
            let (idle, pending) = (number("idle"), number("pending"));
            let is_silent = idle.is_some_and(|idle| u128::from(idle) > silent.as_millis());
            let name =
                consumer.remove("name").and_then(|name| from_redis_value::<String>(name).ok());
            if let (true, Some(0), Some(name)) = (is_silent, pending, name) {
                script::forget(&mut shared, &self.options.stream, group, &name).await?;
                tracing::info!(group, consumer = name, "forgot a consumer that is gone");
            }
        }
        Ok(())
    }

    /// Removes what is too old or too much.
    pub(super) async fn trim(&self) -> Result<(), Error> {
        let mut shared = self.connections.shared();
        for limit in self.options.limits_of_length() {
            let mut trim = redis::cmd("XTRIM");
            trim.arg(&self.options.stream).arg(&limit);
            trim.query_async::<u64>(&mut shared).await?;
        }
        Ok(())
    }
}

fn group_status(mut group: HashMap<String, Value>) -> Result<GroupStatus, Error> {
    let mut take = |name: &str| group.remove(name).unwrap_or(Value::Nil);
    let (name, lag, pending, consumers) =
        (take("name"), take("lag"), take("pending"), take("consumers"));
    Ok(GroupStatus {
        name: read(name)?,
        // Redis 7 tells it, unless entries were removed one by one.
        lag: read(lag)?,
        pending: read(pending)?,
        consumers: read(consumers)?,
        dead_letters: None,
    })
}

fn read<T: redis::FromRedisValue>(value: Value) -> Result<T, Error> {
    from_redis_value(value).map_err(|error| redis::RedisError::from(error).into())
}
