//! Steering single jobs.

use eventyard_core::{
    JobKey, Page, PageAsk, Timestamp, Write, inspect::Child, options::MAX_PRIORITY,
};
use serde::Serialize;

use super::Yard;
use crate::{Error, FieldError};

impl Yard {
    /// Makes a failed or completed job wait again, with all its attempts.
    ///
    /// # Errors
    /// When there is no such job, or it is neither failed nor completed.
    pub async fn retry(&self, job: JobKey) -> Result<(), Error> {
        self.write(Write::Retry(job)).await.map(drop)
    }

    /// Makes a delayed job wait at once.
    ///
    /// # Errors
    /// When there is no such job, or it is not delayed.
    pub async fn promote(&self, job: JobKey) -> Result<(), Error> {
        self.write(Write::Promote(job)).await.map(drop)
    }

    /// Removes a job that is not active.
    ///
    /// # Errors
    /// When there is no such job, or it is active.
    pub async fn remove(&self, job: JobKey) -> Result<(), Error> {
        self.write(Write::Remove(job)).await.map(drop)
    }

    /// Ends a job that is not finished as cancelled. If it is running, its handler is told by
    /// [`Context::cancelled`](crate::Context::cancelled) and nothing of the attempt is kept.
    ///
    /// # Errors
    /// When there is no such job, or it is finished.
    pub async fn cancel(&self, job: JobKey, reason: impl Into<String>) -> Result<(), Error> {
        self.write(Write::Cancel { job, reason: reason.into() }).await.map(drop)
    }

    /// Replaces the data of a job that is not finished; the next attempt gets it.
    ///
    /// # Errors
    /// When there is no such job, it is finished, or the data cannot be written as JSON.
    pub async fn update(&self, job: JobKey, data: &(impl Serialize + Sync)) -> Result<(), Error> {
        let what = || format!("the data of job {job}");
        let data = serde_json::to_vec(data)
            .map_err(|source| Error::Encode { what: what(), source })?
            .into();
        self.write(Write::Update { job, data }).await.map(drop)
    }

    /// Gives a waiting or delayed job another priority; it goes behind those that have it already.
    ///
    /// # Errors
    /// When there is no such job, it neither waits nor is delayed, or the priority is out of range.
    pub async fn reprioritize(&self, job: JobKey, priority: u32) -> Result<(), Error> {
        if priority > MAX_PRIORITY {
            let problem = format!("is {priority}; use 0 to {MAX_PRIORITY}");
            let field = "opts.priority".to_owned();
            return Err(Error::InvalidJob(FieldError { field, problem }));
        }
        self.write(Write::Reprioritize { job, priority }).await.map(drop)
    }

    /// Makes a waiting or delayed job run at another time: at once when that is not in the future.
    ///
    /// # Errors
    /// When there is no such job, or it neither waits nor is delayed.
    pub async fn reschedule(&self, job: JobKey, at: Timestamp) -> Result<(), Error> {
        self.write(Write::Reschedule { job, at }).await.map(drop)
    }

    /// The children that a job waits for or has waited for, in the order in which they were added.
    ///
    /// # Errors
    /// When the store cannot answer, or the cursor is not one of this listing.
    pub async fn children(&self, job: &JobKey, page: PageAsk) -> Result<Page<Child>, Error> {
        Ok(self.bus.inspect.children(job, page).await?)
    }
}
