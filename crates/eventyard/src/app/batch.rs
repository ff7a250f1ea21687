//! Batch handlers of an application.

use std::collections::BTreeMap;

use super::Eventyard;
use crate::{
    Queue,
    handler::{BatchHandler, BatchOptions, FromJob, gather},
};

impl Eventyard {
    /// Works on many jobs of `queue` at once with `handler`: those of its event type, or all that have no handler of
    /// their own if it takes [`Json`](crate::Json) or a job.
    ///
    /// ```
    /// # use eventyard::{BatchItem, BatchOptions, Eventyard, JobError, Json, Queue};
    /// async fn insert(batch: Vec<BatchItem<Json<u64>>>) -> Vec<Result<(), JobError>> {
    ///     batch.iter().map(|item| if *item.load > 0 { Ok(()) } else { Err(JobError::retry("zero")) }).collect()
    /// }
    ///
    /// let app = Eventyard::in_memory()
    ///     .queue(Queue::new("rows").concurrency(200))
    ///     .handle_batch("rows", BatchOptions::default(), insert);
    /// ```
    pub fn handle_batch<Args: 'static, H: BatchHandler<Args>>(
        mut self,
        queue: &str,
        options: BatchOptions,
        handler: H,
    ) -> Self {
        self.batches.push((queue.to_owned(), options));
        let kind = H::Load::event_type();
        let mut app = self.add_run(queue, kind, H::needs(), gather(handler, options));
        if let Some(kind) = kind {
            app.typed.push((queue.to_owned(), kind));
        }
        app
    }
}

/// What is wrong with a batch handler of a queue, if anything.
pub(super) fn problem(
    queues: &BTreeMap<String, Queue>,
    queue: &str,
    options: BatchOptions,
) -> Option<String> {
    let max = options.max;
    // One that is not declared is told elsewhere.
    let concurrency = queues.get(queue)?.concurrency;
    if max == 0 {
        return Some(format!("the batches of queue `{queue}` have at most 0 jobs; use 1 or more"));
    }
    (max > concurrency).then(|| {
        format!(
            "the batches of queue `{queue}` have up to {max} jobs, but it works on {concurrency} at once; \
             give it a concurrency of {max} or more, or make the batches smaller"
        )
    })
}
