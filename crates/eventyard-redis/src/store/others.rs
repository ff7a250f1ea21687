//! What other processes do: their queue events, out of BullMQ's streams, and the leases that they end.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventyard_core::{Feed, LeaseToken, QueueName, Timestamp};
use futures_util::StreamExt;
use redis::{FromRedisValue, Value, aio::MultiplexedConnection};
use tokio::sync::{broadcast, watch};

use super::{answer::Raw, news, wake::Bells};
use crate::connect::{Connections, Error, Pace};

/// How long one read of the streams waits.
const BLOCK_MS: u64 = 1000;
/// The most entries of one stream in one read.
const COUNT: usize = 1000;
/// How often it is looked whether anybody listens.
const LOOK: Duration = Duration::from_millis(100);

/// Listens to others.
#[derive(Clone)]
pub(crate) struct Others {
    pub(crate) connections: Connections,
    pub(crate) prefix: Arc<str>,
    pub(crate) node: Arc<str>,
    pub(crate) feed: Feed,
    pub(crate) cancelled: broadcast::Sender<LeaseToken>,
    /// Which queues this process works on.
    pub(crate) bells: Arc<Bells>,
}

/// An entry of a stream: its id, and its fields and their values.
type Told = (String, Vec<Vec<u8>>);

impl Others {
    /// Listens until the store is closed.
    pub(crate) fn listen(self, closed: &watch::Receiver<bool>) {
        tokio::spawn(until_closed(self.clone().hear_cancellations(), closed.clone()));
        tokio::spawn(until_closed(self.follow(), closed.clone()));
    }

    /// Passes on which leases others have ended.
    async fn hear_cancellations(self) {
        let channel = format!("{}::eventyard:cancelled", self.prefix);
        let mut pace = Pace::default();
        loop {
            match self.connections.pubsub().await {
                Ok(mut pubsub) => {
                    if pubsub.subscribe(&channel).await.is_ok() {
                        pace.reset();
                        let mut messages = pubsub.into_on_message();
                        while let Some(message) = messages.next().await {
                            let said = std::str::from_utf8(message.get_payload_bytes());
                            let Some((token, by)) = said.ok().and_then(|s| s.split_once(' '))
                            else {
                                continue;
                            };
                            if let Ok(token) = token.parse()
                                && by != &*self.node
                            {
                                // Nobody needs to listen.
                                let _ = self.cancelled.send(token);
                            }
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot hear of cancelled jobs"),
            }
            tokio::time::sleep(pace.next_wait()).await;
        }
    }

    /// Tells what others do on the queues, while anybody listens.
    async fn follow(self) {
        let mut pace = Pace::default();
        loop {
            while !self.feed.is_recording() {
                tokio::time::sleep(LOOK).await;
            }
            if let Err(error) = self.follow_streams().await {
                tracing::warn!(%error, "cannot follow the queue events of other processes");
                self.feed.miss();
                tokio::time::sleep(pace.next_wait()).await;
            } else {
                pace.reset();
            }
        }
    }

    async fn follow_streams(&self) -> Result<(), Error> {
        let mut connection = self.connections.dedicated(None).await?;
        let mut places: HashMap<QueueName, String> = HashMap::new();
        // What a queue was before is not news, whenever it is found.
        let began = self.now().await?;
        while self.feed.is_recording() {
            self.find_queues(&mut places, &began).await?;
            if places.is_empty() {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            for (queue, entries) in self.read(&mut connection, &places).await? {
                if let Some((last, _)) = entries.last() {
                    places.insert(queue.clone(), last.clone());
                }
                self.tell(&queue, &entries);
            }
        }
        Ok(())
    }

    /// Adds the queues that were not known, to be followed from `began` on: those that any of us has added a job to, and
    /// those that this process works on, to which perhaps only Node adds.
    async fn find_queues(
        &self,
        places: &mut HashMap<QueueName, String>,
        began: &str,
    ) -> Result<(), Error> {
        let mut ask = redis::cmd("SMEMBERS");
        ask.arg(format!("{}::eventyard:queues", self.prefix));
        let names: Vec<String> = ask.query_async(&mut self.connections.shared()).await?;
        let names = names.into_iter().filter_map(|name| QueueName::new(name).ok());
        for queue in names.chain(self.bells.queues()) {
            places.entry(queue).or_insert_with(|| began.to_owned());
        }
        Ok(())
    }

    /// The place that entries have in a stream which come after now.
    async fn now(&self) -> Result<String, Error> {
        let (secs, micros): (u64, u64) =
            redis::cmd("TIME").query_async(&mut self.connections.shared()).await?;
        Ok(format!("{}-0", secs * 1000 + micros / 1000))
    }

    async fn read(
        &self,
        connection: &mut MultiplexedConnection,
        places: &HashMap<QueueName, String>,
    ) -> Result<Vec<(QueueName, Vec<Told>)>, Error> {
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT").arg(COUNT).arg("BLOCK").arg(BLOCK_MS).arg("STREAMS");
        let (queues, ids): (Vec<_>, Vec<_>) = places.iter().unzip();
        for queue in &queues {
            read.arg(format!("{}:{queue}:events", self.prefix));
        }
        for id in ids {
            read.arg(id);
        }
        let value: Value = read.query_async(connection).await?;
        if value == Value::Nil {
            return Ok(Vec::new());
        }
        let streams = Vec::<(String, Vec<Told>)>::from_redis_value(value)
            .map_err(|error| Error::from(redis::RedisError::from(error)))?;
        let of = |key: &str| {
            let name =
                key.strip_prefix(&*self.prefix)?.strip_prefix(':')?.strip_suffix(":events")?;
            QueueName::new(name).ok()
        };
        Ok(streams.into_iter().filter_map(|(key, entries)| Some((of(&key)?, entries))).collect())
    }

    fn tell(&self, queue: &QueueName, entries: &[Told]) {
        let events = entries.iter().filter_map(|(id, fields)| {
            let fields: Vec<_> = fields.iter().map(|field| Raw(field.as_slice().into())).collect();
            let field = |name: &str| {
                let mut pairs = fields.chunks_exact(2);
                pairs.find(|pair| pair[0].text() == name).map(|pair| pair[1].text())
            };
            let by = field("by");
            let name = field("event")?;
            // What this process did it has told itself.
            if by == Some(&self.node) {
                return None;
            }
            let at = id.split_once('-')?.0.parse().ok()?;
            news::event(queue, Timestamp::from_millis(at), name, &fields)
        });
        self.feed.tell(events);
    }
}

async fn until_closed(work: impl Future<Output = ()>, mut closed: watch::Receiver<bool>) {
    tokio::select! {
        () = work => {}
        _ = closed.wait_for(|closed| *closed) => {}
    }
}
