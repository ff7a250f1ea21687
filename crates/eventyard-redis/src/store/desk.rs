//! The desk: one task through which everything goes that changes the store.
//!
//! What has come while the last calls were under way leaves together: all commits and claims as one call of the script,
//! then the rest, in one round trip. So concurrent callers share the cost of a call, what settles jobs travels with what
//! claims the next, and what is told keeps the order in which it happened.

mod call;
mod hand;

use std::{sync::Arc, time::Duration};

use eventyard_core::{
    Claim, Clock, Commit, CommitError, Feed, Lease, LeaseToken, Leased, Maintenance, QueueName,
    Receipt, Renewal, StoreError, Timestamp, Upkeep,
};
use futures_util::{StreamExt, stream::FuturesOrdered};
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
    script::{self, Runs},
};

/// The most requests that wait; more wait to be heard.
pub(crate) const MAX_WAITING: usize = 4096;

/// The most requests that leave together.
const MAX_REQUESTS: usize = 1024;
/// As many requests leave while others are under way, so that Redis has always something to do.
const AHEAD: usize = 16;

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

/// Calls that are on their way, and when they were made.
struct Sent {
    calls: Vec<Call>,
    now: Timestamp,
    answers: RedisResult<Vec<Value>>,
}

impl Desk {
    /// Works until nobody can ask any more.
    pub(crate) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let (mut waiting, mut under_way) = (Vec::new(), FuturesOrdered::new());
        let mut is_open = true;
        while is_open || !under_way.is_empty() {
            tokio::select! {
                biased;
                Some(sent) = under_way.next() => {
                    self.hand_out_all(sent).await;
                    // What nobody took goes back, also when this is the end.
                    let unwanted = std::iter::from_fn(|| self.unwanted.1.try_recv().ok());
                    waiting.extend(unwanted.map(Request::GiveBack));
                    // Those who were told ask for more at once; what they ask is to leave together.
                    tokio::task::yield_now().await;
                    let more = std::iter::from_fn(|| requests.try_recv().ok());
                    waiting.extend(more.take(MAX_REQUESTS));
                }
                Some(jobs) = self.unwanted.1.recv(), if is_open => {
                    waiting.push(Request::GiveBack(jobs));
                }
                count = requests.recv_many(&mut waiting, MAX_REQUESTS),
                    if is_open && waiting.len() < MAX_REQUESTS =>
                {
                    is_open = count > 0;
                }
            }
            let is_worth_it = match under_way.len() {
                // The next jobs of schedulers do not wait until somebody asks.
                0 => !waiting.is_empty() || !self.next_jobs.is_empty(),
                1 => waiting.len() >= AHEAD,
                _ => false,
            };
            if is_worth_it {
                let now = self.clock.now();
                let calls = self.calls(waiting.drain(..), now);
                under_way.push_back(self.send(calls, now));
            }
        }
    }

    /// Makes the calls in one round trip.
    fn send(&self, calls: Vec<Call>, now: Timestamp) -> impl Future<Output = Sent> + use<> {
        let (mut connection, key) = (self.connection.clone(), self.routing_key());
        let mut pipeline = Pipeline::with_capacity(calls.len());
        for Call { script, argument, .. } in &calls {
            pipeline.add_command(script::call(*script, self.runs, &key, argument));
        }
        async move {
            let answers = connection.req_packed_commands(&pipeline, 0, calls.len()).await;
            Sent { calls, now, answers }
        }
    }

    async fn hand_out_all(&mut self, Sent { calls, now, answers }: Sent) {
        let values = match answers {
            Ok(values) => values,
            Err(error) => {
                let error = StoreError::from(connect::Error::from(error));
                for call in calls {
                    self.hand_out(call.then, Err(error.share()), now);
                }
                return;
            }
        };
        for (value, call) in values.into_iter().zip(calls) {
            let value = if script::is_unknown(&value) {
                self.load_and_call(&call).await
            } else {
                value.extract_error()
            };
            let answer = value.map_err(|error| StoreError::from(connect::Error::from(error)));
            self.hand_out(call.then, answer, now);
        }
    }

    /// Makes a call of a server that has not loaded the code: it is new, or another one than before.
    async fn load_and_call(&mut self, call: &Call) -> RedisResult<Value> {
        self.runs = script::load(&mut self.connection).await?;
        let key = self.routing_key();
        let again = script::call(call.script, self.runs, &key, &call.argument);
        self.connection.req_packed_command(&again).await?.extract_error()
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
