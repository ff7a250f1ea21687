//! What is at the head of a queue: the job that has waited longest, and who works.

use std::collections::BTreeSet;

use eventyard::{
    Yard,
    model::{
        JobState, PageAsk, QueueName, Timestamp,
        inspect::{Counts, JobStatus},
    },
};

use crate::Problem;

/// How many active jobs are looked at to find who works on a queue.
const MAX_ACTIVE: usize = 50;
/// The states in which a job waits for nothing but a worker.
const WAITING: [JobState; 3] = [JobState::Waiting, JobState::Prioritized, JobState::Paused];

/// What is at the head of a queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    /// Since when the next job could have run.
    pub(super) oldest: Option<Timestamp>,
    /// Who has jobs of it.
    pub(super) workers: Vec<String>,
}

/// Reads what is at the head; a queue on which nothing waits or runs costs the store nothing.
pub(super) async fn read(yard: &Yard, queue: &QueueName, counts: &Counts) -> Result<Head, Problem> {
    let mut oldest = None;
    for state in WAITING.into_iter().filter(|state| counts.get(*state) > 0) {
        let page = yard.inspect().jobs(Some(queue), state, PageAsk::first(1)).await?;
        let since = page.items.first().map(runnable_since);
        oldest = oldest.into_iter().chain(since).min();
    }
    let mut workers = BTreeSet::new();
    if counts.get(JobState::Active) > 0 {
        let ask = PageAsk::first(MAX_ACTIVE);
        let page = yard.inspect().jobs(Some(queue), JobState::Active, ask).await?;
        workers.extend(page.items.into_iter().filter_map(|status| status.worker));
    }
    let workers = workers.into_iter().map(|worker| worker.to_string());
    Ok(Head { oldest, workers: workers.collect() })
}

/// Since when a job could run: from its time on, or from the attempt before.
fn runnable_since(status: &JobStatus) -> Timestamp {
    let due = status.job.options.due(status.job.created_at);
    status.started_at.map_or(due, |started| started.max(due))
}
