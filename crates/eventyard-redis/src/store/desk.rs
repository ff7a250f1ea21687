//! The desk: one task through which everything goes that changes the store.
//!
//! What has come while the last calls were under way leaves together: all commits and claims as one call of the script,
//! then the rest, in one round trip. So concurrent callers share the cost of a call, what settles jobs travels with what
//! claims the next, and what is told keeps the order in which it happened.

mod call;
mod hand;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use eventyard_core::{
    Claim, Clock, Commit, CommitError, Feed, Lease, LeaseToken, Leased, Maintenance, QueueName,
    Receipt, Renewal, StoreError, StoreErrorKind, Timestamp, Upkeep,
};
use redis::{Pipeline, RedisResult, Value, aio::ConnectionLike};
use tokio::sync::{broadcast, mpsc, oneshot};

use self::call::Call;
use super::{
    answer::Told,
    claimed::{Claimed, Unwanted},
    news,
    standing::Standing,
};
use crate::{
    connect,
    script::{self, Runs, Script},
};

/// The most requests that wait; more wait to be heard.
pub(crate) const MAX_WAITING: usize = 4096;

/// The most requests that leave together.
const MAX_REQUESTS: usize = 1024;

pub(crate) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What became of each of some commits.
pub(crate) type Receipts = Vec<Result<Receipt, CommitError>>;

/// What is asked of the store.
pub(crate) enum Request {
    Commit(Vec<Commit>, Answer<Receipts>),
    Claim(Claim, Answer<Claimed>),
    /// Takes jobs back that were claimed for nobody.
    GiveBack(Vec<Leased>),
    Renew(Vec<Lease>, Duration, Answer<Vec<Renewal>>),
    Maintain(Upkeep, Answer<Maintenance>),
}

/// What the desk works with.
pub(crate) struct Desk {
    pub(crate) connection: connect::Shared,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) prefix: Arc<str>,
    /// What tells this process's entries in the event streams from those of others.
    pub(crate) node: Arc<str>,
    pub(crate) feed: Feed,
    pub(crate) cancelled: broadcast::Sender<LeaseToken>,
    /// The first half of every token of this process.
    pub(crate) nonce: u64,
    pub(crate) claims: u32,
    /// How many milliseconds longer Redis keeps what it forgets by its own clock.
    pub(crate) grace: u32,
    /// The claims that go along with what adds jobs.
    pub(crate) standing: Arc<Standing>,
    /// Jobs that were claimed for nobody, and where they come from.
    pub(crate) unwanted: (Unwanted, mpsc::UnboundedReceiver<Vec<Leased>>),
    /// How the server runs the code.
    pub(crate) runs: Runs,
    /// What adds the next jobs of schedulers whose present ones were claimed.
    pub(crate) next_jobs: Vec<Vec<u8>>,
    /// Those that could not be added; they are tried again with whatever is asked next.
    pub(crate) late_jobs: Vec<Vec<u8>>,
}

impl Desk {
    /// Works until nobody can ask any more.
    pub(crate) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut waiting = Vec::new();
        loop {
            // The next jobs of schedulers do not wait until somebody asks.
            if self.next_jobs.is_empty() {
                tokio::select! {
                    count = requests.recv_many(&mut waiting, MAX_REQUESTS) => {
                        if count == 0 {
                            return;
                        }
                    }
                    Some(jobs) = self.unwanted.1.recv() => waiting.push(Request::GiveBack(jobs)),
                }
            }
            let now = self.clock.now();
            let calls = self.calls(waiting.drain(..), now);
            let answers = self.send(&calls).await;
            for (call, answer) in calls.into_iter().zip(answers) {
                self.hand_out(call.then, answer, now);
            }
        }
    }

    /// Makes the calls in one round trip. What the server did not know is made again once it does.
    async fn send(&mut self, calls: &[Call]) -> Vec<Result<Bytes, StoreError>> {
        let key = self.routing_key();
        let mut pipeline = Pipeline::with_capacity(calls.len());
        for Call { script, argument, .. } in calls {
            pipeline.add_command(script::call(*script, self.runs, &key, argument));
        }
        let values = self.connection.req_packed_commands(&pipeline, 0, calls.len()).await;
        let values = match values {
            Ok(values) => values,
            Err(error) => {
                let error = StoreError::from(connect::Error::from(error));
                return calls.iter().map(|_| Err(error.share())).collect();
            }
        };
        let mut answers = Vec::with_capacity(calls.len());
        for (value, Call { script, argument, .. }) in values.into_iter().zip(calls) {
            let value = if script::is_unknown(&value) {
                self.load_and_call(*script, &key, argument).await
            } else {
                value.extract_error()
            };
            let answer = value.map_err(|error| StoreError::from(connect::Error::from(error)));
            answers.push(answer.and_then(bytes_of));
        }
        answers
    }

    /// Makes a call of a server that has not loaded the code: it is new, or another one than before.
    async fn load_and_call(
        &mut self,
        script: Script,
        key: &str,
        argument: &[u8],
    ) -> RedisResult<Value> {
        self.runs = script::load(&mut self.connection).await?;
        let call = script::call(script, self.runs, key, argument);
        self.connection.req_packed_command(&call).await?.extract_error()
    }

    /// A key that is where all are.
    fn routing_key(&self) -> String {
        format!("{}::eventyard:queues", self.prefix)
    }

    fn tell(&self, told: &[Told<'_>], now: Timestamp) {
        if told.is_empty() {
            return;
        }
        let events = told.iter().filter_map(|(queue, name, fields)| {
            news::event(&QueueName::new(queue.text()).ok()?, now, name.text(), fields)
        });
        self.feed.tell(events);
    }
}

fn bytes_of(value: Value) -> Result<Bytes, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes.into()),
        other => {
            let message = format!("a script answered with {}", kind_of(&other));
            Err(StoreError::new(StoreErrorKind::Corrupt, message))
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::Array(_) => "a list",
        _ => "something else than bytes",
    }
}
