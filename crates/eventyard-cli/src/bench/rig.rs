//! What the cases share: a store, and applications on it.

use std::sync::Arc;

use bytes::Bytes;
use eventyard::{
    Dep, Error, Eventyard, JobError, JobRequest, Queue, Yard,
    model::{Clock, GroupKey, Inspect, Job, JobOptions, Store},
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

    /// Adds `count` jobs in batches, spread over `keys`.
    pub(super) async fn fill(
        &self,
        yard: &Yard,
        queue: &'static str,
        count: usize,
        keys: usize,
    ) -> Result<(), Error> {
        self.produce(yard, queue, count, self.settings.batch.max(1), keys).await
    }

    /// Adds `count` jobs, `batch` at a time, by all producers at once.
    pub(super) async fn produce(
        &self,
        yard: &Yard,
        queue: &'static str,
        count: usize,
        batch: usize,
        keys: usize,
    ) -> Result<(), Error> {
        let keys: Arc<[GroupKey]> =
            (0..keys).filter_map(|n| GroupKey::new(format!("key-{n}")).ok()).collect();
        let Settings { producers, payload, .. } = self.settings;
        let producers = producers.max(1);
        let mut tasks = tokio::task::JoinSet::<Result<(), Error>>::new();
        for producer in 0..producers {
            let (from, to) = (count * producer / producers, count * (producer + 1) / producers);
            let (yard, keys) = (yard.clone(), Arc::clone(&keys));
            tasks.spawn(async move {
                for from in (from..to).step_by(batch) {
                    let numbers = from..to.min(from + batch);
                    let jobs = numbers.map(|n| JobRequest {
                        options: JobOptions {
                            key: keys.get(n % keys.len().max(1)).cloned(),
                            ..JobOptions::default()
                        },
                        ..job(queue, n, payload)
                    });
                    yard.enqueue_all(jobs.collect()).await?;
                }
                Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
        }
        Ok(())
    }
}

/// The job with this number: its payload begins with the number and is filled up to its size.
fn job(queue: &str, number: usize, size: usize) -> JobRequest {
    let mut data = format!("\"{number:010}").into_bytes();
    data.resize(data.len().max(size.saturating_sub(1)), b'x');
    data.push(b'"');
    JobRequest { data: Bytes::from(data), ..JobRequest::new(queue, "bench") }
}
