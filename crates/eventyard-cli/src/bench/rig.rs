//! What the cases share: a store, and applications on it.

use std::sync::Arc;

use bytes::Bytes;
use eventyard::{
    Dep, Error, Eventyard, JobError, JobRequest, Queue, Yard,
    model::{Clock, Inspect, Job, Store},
};

use super::{Settings, tally::Tally};

pub(super) struct Rig {
    pub(super) store: Arc<dyn Store>,
    pub(super) inspect: Arc<dyn Inspect>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
}

impl Rig {
    fn app(&self, queue: &str) -> Eventyard {
        let (store, inspect) = (Arc::clone(&self.store), Arc::clone(&self.inspect));
        Eventyard::on_parts(store, inspect, Arc::clone(&self.clock))
            .queue(Queue::new(queue).concurrency(self.settings.concurrency))
    }

    /// An application that only publishes.
    pub(super) async fn producer(&self, queue: &str) -> Result<Yard, Error> {
        self.app(queue).workers(false).start().await
    }

    /// An application that works on `queue` and counts each job in `tally`.
    pub(super) async fn worker(&self, queue: &str, tally: &Arc<Tally>) -> Result<Yard, Error> {
        async fn count(job: Job, tally: Dep<Tally>) -> Result<(), JobError> {
            tally.count(job.payload.data());
            Ok(())
        }
        self.app(queue).handle(queue, count).provide_arc(Arc::clone(tally)).start().await
    }

    /// The job with this number: its payload begins with the number and is filled up to its size.
    pub(super) fn job(&self, queue: &str, number: usize) -> JobRequest {
        let mut data = format!("\"{number:010}");
        let filler = self.settings.payload.saturating_sub(data.len() + 1);
        data.extend(std::iter::repeat_n('x', filler));
        data.push('"');
        JobRequest { data: Bytes::from(data), ..JobRequest::new(queue, "bench") }
    }

    /// Adds the jobs numbered `from` to `to`, in batches, by all producers at once.
    pub(super) async fn fill(&self, yard: &Yard, queue: &'static str, count: usize) -> Result<(), Error> {
        self.produce(yard, queue, count, self.settings.batch.max(1)).await
    }

    /// Adds `count` jobs, `batch` at a time, by all producers at once.
    pub(super) async fn produce(
        &self,
        yard: &Yard,
        queue: &'static str,
        count: usize,
        batch: usize,
    ) -> Result<(), Error> {
        let producers = self.settings.producers.max(1);
        let mut tasks = tokio::task::JoinSet::new();
        for producer in 0..producers {
            let (from, to) = (count * producer / producers, count * (producer + 1) / producers);
            let jobs: Vec<JobRequest> = (from..to).map(|number| self.job(queue, number)).collect();
            let yard = yard.clone();
            tasks.spawn(async move {
                let mut jobs = jobs.into_iter();
                loop {
                    let batch: Vec<_> = jobs.by_ref().take(batch).collect();
                    if batch.is_empty() {
                        return Ok(());
                    }
                    yard.enqueue_all(batch).await?;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
        }
        Ok(())
    }
}
