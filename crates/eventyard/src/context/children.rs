//! Jobs that wait for other jobs, as their handlers see them.

use eventyard_core::{
    FailureKind, JobKey, Page, PageAsk,
    inspect::{Child, ChildOutcome, MAX_PAGE},
};
use serde::de::DeserializeOwned;

use super::Context;
use crate::{Error, Flow, JobError, handler::read_json};

impl Context {
    /// Adds a flow with this job's commit. One that cannot be used fails the attempt.
    pub fn enqueue_flow(&self, flow: Flow) {
        self.push_all(self.inner.bus.write_flow(flow, None));
    }

    /// Adds a job, or a flow, with this job's commit as a child of this job. A handler that returns
    /// [`Outcome::AwaitChildren`](crate::Outcome::AwaitChildren) runs again when all of them have ended.
    pub fn enqueue_child(&self, child: impl Into<Flow>) {
        self.push_all(self.inner.bus.write_flow(child.into(), Some(self.job().key())));
    }

    /// The children of this job, in the order in which they were added.
    ///
    /// # Errors
    /// When the store cannot answer, or the cursor is not one of this listing.
    pub async fn children(&self, page: PageAsk) -> Result<Page<Child>, Error> {
        Ok(self.inspect().children(&self.job().key(), page).await?)
    }

    /// What the completed children of this job returned, in the order in which they were added. Those that
    /// failed or were removed are left out.
    ///
    /// # Errors
    /// When the store cannot answer, or a result has another shape: the job becomes a dead letter that names the
    /// child and the field.
    pub async fn child_results<T: DeserializeOwned>(&self) -> Result<Vec<(JobKey, T)>, JobError> {
        let mut results = Vec::new();
        let mut ask = PageAsk::first(MAX_PAGE);
        loop {
            let Page { items, next } = self.children(ask).await?;
            for Child { job, outcome } in items {
                if let ChildOutcome::Completed(result) = outcome {
                    let result = read_json(result.as_deref().unwrap_or_default())
                        .map_err(|problem| unreadable(&job, &problem))?;
                    results.push((job, result));
                }
            }
            match next {
                Some(cursor) => ask = PageAsk { limit: MAX_PAGE, cursor: Some(cursor) },
                None => return Ok(results),
            }
        }
    }
}

fn unreadable(child: &JobKey, problem: &str) -> JobError {
    JobError::never(FailureKind::Payload, format!("the result of child {child}: {problem}"))
}
