//! Reading on a connection of its own.

use std::time::Duration;

use redis::{RedisResult, Value, aio::MultiplexedConnection};
use tokio::time::timeout;

use super::Member;
use crate::{
    connect::Error,
    streams::entry::{self, Entry},
};

/// How much longer than it blocks an answer may take.
const SLACK: Duration = Duration::from_secs(5);

/// A connection that reads, and how to end its blocking.
pub(super) struct Reading {
    connection: MultiplexedConnection,
    client: i64,
}

impl Reading {
    pub(super) async fn begin(mut connection: MultiplexedConnection) -> Result<Self, Error> {
        let mut ask = redis::cmd("CLIENT");
        ask.arg("ID");
        match timeout(SLACK, ask.query_async(&mut connection)).await {
            Ok(client) => Ok(Self { connection, client: client? }),
            Err(_) => Err(silent()),
        }
    }
}

fn silent() -> Error {
    let problem = "redis does not answer; the connection is made again";
    Error::new(eventyard_core::StoreErrorKind::Unavailable, problem)
}

impl Member {
    /// Reads up to `count` entries after `after`; waits for the first at most for `block`.
    ///
    /// The answer is always waited for: what is in it is on this member's account already.
    pub(super) async fn read(
        &mut self,
        reading: &mut Reading,
        after: &str,
        count: usize,
        block: Option<Duration>,
    ) -> Result<Vec<Entry>, Error> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(&*self.group).arg(&self.subscription.consumer);
        read.arg("COUNT").arg(count);
        if let Some(block) = block {
            // 0 would be forever.
            read.arg("BLOCK").arg(block.as_millis().max(1) as u64);
        }
        read.arg("STREAMS").arg(&self.inner.options.stream).arg(after);
        let patience = block.unwrap_or_default() + SLACK;
        let answer = async {
            match timeout(patience, read.query_async::<Value>(&mut reading.connection)).await {
                Ok(answer) => answer.map_err(Error::from),
                Err(_) => Err(silent()),
            }
        };
        tokio::pin!(answer);
        let mut over = self.over.clone();
        let answer = tokio::select! {
            answer = &mut answer => answer,
            () = over.comes() => {
                self.unblock(reading.client).await;
                answer.await
            }
        };
        Ok(entry::of_read(answer?)?)
    }

    /// Ends the blocking of a connection, whose answer then comes at once.
    async fn unblock(&self, client: i64) {
        let mut unblock = redis::cmd("CLIENT");
        unblock.arg("UNBLOCK").arg(client);
        let done: RedisResult<Value> =
            unblock.query_async(&mut self.inner.connections.shared()).await;
        if let Err(error) = done {
            // The blocking ends by itself.
            tracing::debug!(%error, "cannot end the blocking of a connection");
        }
    }
}
