//! Waiting for jobs to be settled: what makes a synchronous application synchronous.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use eventyard_core::{Commit, Effect, Enqueued, JobKey, NewJob, Receipt, Write};
use tokio::sync::oneshot;

/// Who waits for which job.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    waiting: Mutex<HashMap<JobKey, Vec<oneshot::Sender<()>>>>,
}

/// The jobs of one commit that are waited for.
pub(crate) struct Waiting(HashMap<JobKey, oneshot::Receiver<()>>);

impl Settled {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobKey, Vec<oneshot::Sender<()>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to wait for the jobs that `commit` adds; before it is applied, so that none is missed.
    pub(crate) fn expect(&self, commit: &Commit) -> Waiting {
        let keys = commit.writes.iter().flat_map(|write| match write {
            Write::Publish { jobs, .. } => jobs.iter().map(NewJob::key).collect(),
            // One that waits for children may never be tried.
            Write::Enqueue(job) if !job.awaits_children => vec![job.key()],
            _ => Vec::new(),
        });
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
    /// Returns once the jobs that were really added have been tried.
    pub(crate) async fn wait_for(mut self, receipt: &Receipt) {
        let added = receipt.iter().flat_map(|effect| match effect {
            Effect::Published { jobs, .. } => jobs.clone(),
            Effect::Enqueued(job) => vec![job.clone()],
            _ => Vec::new(),
        });
        for Enqueued { queue, id, duplicate } in added {
            if let Some(told) = self.0.remove(&JobKey { queue, id })
                && !duplicate
            {
                // An error means that the application is shutting down; the job is in the store.
                let _ = told.await;
            }
        }
    }
}
