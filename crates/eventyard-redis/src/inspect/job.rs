//! One job: where it stands, and what it has behind it.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use eventyard_core::{
    JobId, JobKey, JobState, Lease, LeaseToken, Leased, QueueName, StoreError, Timestamp,
    commit::MAX_LOG_LINES,
    inspect::{AttemptRecord, JobStatus, LogLine, SavedStep},
};
use redis::Value;

use super::{Reader, ask};
use crate::codec::{
    log_line,
    row::{self, Row},
    step,
};

/// How many jobs are read at once: a script holds up all others.
const AT_ONCE: usize = 100;

/// A job as it was found.
pub(super) struct Found {
    pub(super) status: JobStatus,
    /// The token of our lease on it, if that holds.
    token: Option<LeaseToken>,
}

/// What belongs to a state, as the script tells it.
type More = Vec<Option<String>>;

impl Reader {
    /// The jobs of a queue with these ids; nothing for those that do not exist.
    pub(super) async fn read_jobs(
        &self,
        queue: &QueueName,
        ids: &[&str],
    ) -> Result<Vec<Option<Found>>, StoreError> {
        let asked = ids.chunks(AT_ONCE).map(|ids| self.read_chunk(queue, ids));
        let found = futures_util::future::try_join_all(asked).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn read_chunk(
        &self,
        queue: &QueueName,
        ids: &[&str],
    ) -> Result<Vec<Option<Found>>, StoreError> {
        let (key, own) = (self.queue_key(queue), self.own_queue_key(queue));
        let count = row::STATUS.len().to_string();
        let mut arguments = vec![&*key, &*own, &*count];
        arguments.extend(row::STATUS);
        arguments.extend(ids);
        let meta = format!("{key}meta");
        let answers: Vec<Value> = self.ask(&ask::JOBS, &meta, &arguments).await?;
        let read = |(id, answer)| self.read_job(queue, id, answer);
        ids.iter().copied().zip(answers).map(read).collect()
    }

    fn read_job(
        &self,
        queue: &QueueName,
        id: &str,
        answer: Value,
    ) -> Result<Option<Found>, StoreError> {
        let (Ok(id), false) = (JobId::new(id), answer == Value::Nil) else { return Ok(None) };
        let (state, values, more): (String, Vec<Option<Vec<u8>>>, More) = ask::read(answer)?;
        let values = values.into_iter().map(|value| value.map(Bytes::from));
        let row = Row::of_values(&row::STATUS, values);
        let state = JobState::from_name(&state);
        Ok(row.zip(state).map(|(row, state)| {
            let job = row.job(queue, &id, &self.prefix);
            Found::new(&row, job, state, &more)
        }))
    }

    /// One job.
    pub(super) async fn status_of(&self, key: &JobKey) -> Result<Option<JobStatus>, StoreError> {
        Ok(self.find(key).await?.map(|found| found.status))
    }

    async fn find(&self, key: &JobKey) -> Result<Option<Found>, StoreError> {
        Ok(self.read_jobs(&key.queue, &[key.id.as_str()]).await?.pop().flatten())
    }

    /// The job under a lease, if the lease holds.
    pub(super) async fn leased_under(
        &self,
        token: LeaseToken,
    ) -> Result<Option<Leased>, StoreError> {
        let ask = redis::Cmd::hget(self.own_key("tokens"), token.to_string());
        let held: Option<String> = self.get(&ask).await?;
        let Some(key) = held.as_deref().and_then(job_key) else { return Ok(None) };
        let Some(found) = self.find(&key).await?.filter(|found| found.token == Some(token)) else {
            return Ok(None);
        };
        let JobStatus { job, leased_until, .. } = found.status;
        let lease = Lease { job: key, attempt: job.attempts_made + 1, token };
        Ok(leased_until.map(|until| Leased { job, lease, until }))
    }

    /// The attempts of a job that did not succeed, oldest first.
    pub(super) async fn attempts_of(&self, key: &JobKey) -> Result<Vec<AttemptRecord>, StoreError> {
        let row = self.row(key, &row::ATTEMPTS).await?;
        Ok(row.map(|row| row.attempts()).unwrap_or_default())
    }

    /// Some fields of a job, the name or the timestamp among them; nothing if it does not exist.
    async fn row(&self, key: &JobKey, fields: &[&'static str]) -> Result<Option<Row>, StoreError> {
        let mut ask = redis::cmd("HMGET");
        ask.arg(self.job_key(key)).arg(fields);
        let values: Vec<Option<Vec<u8>>> = self.get(&ask).await?;
        Ok(Row::of_values(fields, values.into_iter().map(|value| value.map(Bytes::from))))
    }

    /// The log of a job, oldest line first; the last of it if Node let it grow beyond our bound.
    pub(super) async fn log_of(&self, key: &JobKey) -> Result<Vec<LogLine>, StoreError> {
        let Some(row) = self.row(key, &["name", "timestamp"]).await? else { return Ok(Vec::new()) };
        let logs = format!("{}:logs", self.job_key(key));
        let last = -isize::try_from(MAX_LOG_LINES).unwrap_or(isize::MAX);
        let rows: Vec<Vec<u8>> = self.get(&redis::Cmd::lrange(logs, last, -1)).await?;
        Ok(rows.iter().map(|line| log_line::decode(line, row.created_at())).collect())
    }

    /// The saved steps of a job, in the order in which they were saved first.
    pub(super) async fn steps_of(&self, key: &JobKey) -> Result<Vec<SavedStep>, StoreError> {
        let job = self.job_key(key);
        let count: Option<Vec<u8>> = self.get(&redis::Cmd::hget(&job, step::COUNT)).await?;
        if count.is_none() {
            return Ok(Vec::new());
        }
        let fields: HashMap<Vec<u8>, Vec<u8>> = self.get(&redis::Cmd::hgetall(job)).await?;
        let steps =
            fields.into_iter().filter_map(|(field, value)| step::decode(&field, &value.into()));
        let in_order: BTreeMap<_, _> = steps.collect();
        Ok(in_order.into_values().collect())
    }

    /// The queues that have a job with this id.
    pub(super) async fn queues_with(&self, id: &JobId) -> Result<Vec<QueueName>, StoreError> {
        let names = self.queue_names().await?;
        let has = names.iter().map(async |name| {
            let key = JobKey { queue: name.clone(), id: id.clone() };
            match self.row(&key, &["name", "timestamp"]).await {
                // The id is the name of something that is no job there.
                Err(error) if error.kind() == eventyard_core::StoreErrorKind::Corrupt => Ok(false),
                row => row.map(|row| row.is_some()),
            }
        });
        let has = futures_util::future::try_join_all(has).await?;
        Ok(names.into_iter().zip(has).filter_map(|(name, has)| has.then_some(name)).collect())
    }
}

impl Found {
    fn new(row: &Row, job: eventyard_core::Job, state: JobState, more: &More) -> Self {
        let is = |other| state == other;
        let is_finished = is(JobState::Completed) || is(JobState::Failed);
        let instant = |index: usize| more.get(index)?.as_ref()?.parse::<f64>().ok();
        let at = |ms: f64| Timestamp::from_millis(ms as i64);
        let (mut token, mut leased_until) = (None, None);
        if is(JobState::Active) {
            let lock = more.get(1).and_then(Option::as_deref);
            token = our_token(row, lock).filter(|_| instant(0).is_some());
            leased_until = match token {
                Some(_) => instant(0).map(at),
                None => lock.and_then(|_| Some(at(instant(3)? + instant(2)?.max(0.0)))),
            };
        }
        let status = JobStatus {
            state,
            due_at: instant(0).filter(|_| is(JobState::Delayed)).map(at),
            started_at: row.started_at(),
            finished_at: row.finished_at().filter(|_| is_finished),
            worker: row.worker(),
            leased_until,
            progress: row.progress(),
            result: row.result().filter(|_| is(JobState::Completed)),
            failure: if is(JobState::Failed) { row.failure() } else { None },
            job,
        };
        Self { status, token }
    }
}

/// The token of our lease on an active job, unless somebody else has taken the job since.
fn our_token(row: &Row, lock: Option<&str>) -> Option<LeaseToken> {
    let (token, activation) = row.lease()?;
    let is_ours = activation == row.activations() && lock.is_none_or(|lock| lock == token);
    token.parse().ok().filter(|_| is_ours)
}

/// The job that `queue:id` means.
fn job_key(text: &str) -> Option<JobKey> {
    let (queue, id) = text.split_once(':')?;
    Some(JobKey { queue: QueueName::new(queue).ok()?, id: JobId::new(id).ok()? })
}
