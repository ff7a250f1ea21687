//! Waiting for jobs to be settled: what makes a synchronous application synchronous.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use eventyard_core::{
    Commit, Effect, Enqueued, JobKey, NewJob, QueueName, Receipt, Timestamp, Write,
};
use tokio::sync::oneshot;

/// Who waits for which job.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The queues that the application works on: nobody waits for what only others would try.
    worked: BTreeSet<QueueName>,
    waiting: Mutex<HashMap<JobKey, Vec<oneshot::Sender<()>>>>,
}

/// The jobs of one commit that are waited for.
pub(crate) struct Waiting(HashMap<JobKey, oneshot::Receiver<()>>);

impl Settled {
    pub(crate) fn new(worked: BTreeSet<QueueName>) -> Self {
        Self { worked, waiting: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobKey, Vec<oneshot::Sender<()>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to wait for the jobs that `commit` adds and that run at once; before it is applied, so that none is missed.
    pub(crate) fn expect(&self, commit: &Commit, now: Timestamp) -> Waiting {
        let added = commit.writes.iter().flat_map(|write| match write {
            Write::Publish { jobs, .. } => jobs,
            Write::Enqueue(job) => std::slice::from_ref(job),
            _ => &[],
        });
        // One that waits for children may never be tried.
        let runs_now = |job: &&NewJob| {
            let is_due = job.options.due(now) <= now && !job.awaits_children;
            is_due && self.worked.contains(&job.queue)
        };
        let keys = added.filter(runs_now).map(NewJob::key);
        let mut waiting = self.lock();
        Waiting(
            keys.map(|key| {
                let (tell, told) = oneshot::channel();
                waiting.entry(key.clone()).or_default().push(tell);
                (key, told)
            })
            .collect(),
        )
    }

    /// Tells those who wait that an attempt of the job has ended.
    pub(crate) fn tell(&self, job: &JobKey) {
        for waiting in self.lock().remove(job).into_iter().flatten() {
            // Whoever waited may have gone.
            let _ = waiting.send(());
        }
    }
}

impl Waiting {
    /// Returns once the jobs that were really added have been tried, but for those on queues that are `paused`.
    pub(crate) async fn wait_for(mut self, receipt: &Receipt, paused: &BTreeSet<QueueName>) {
        let added = receipt.iter().flat_map(|effect| match effect {
            Effect::Published { jobs, .. } => jobs.clone(),
            Effect::Enqueued(job) => vec![job.clone()],
            _ => Vec::new(),
        });
        for Enqueued { queue, id, duplicate } in added {
            if let Some(told) = self.0.remove(&JobKey { queue: queue.clone(), id })
                && !duplicate
                && !paused.contains(&queue)
            {
                // An error means that the application is shutting down; the job is in the store.
                let _ = told.await;
            }
        }
    }
}
