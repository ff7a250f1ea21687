//! Durable steps: what a job has done already, and does not do again.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use eventyard_core::{CommitError, FailureKind, StepName, Write, commit::MAX_STEP_RESULT_BYTES};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

use super::Context;
use crate::{Error, FieldError, JobError, handler::read_json, worker::STORE_WAITS};

/// The steps of a job as one attempt knows them: read from the store when the first is asked for.
#[derive(Default)]
pub(super) struct Steps {
    known: OnceCell<Mutex<HashMap<StepName, Arc<Step>>>>,
}

/// The result of a step, once it is saved.
type Step = OnceCell<Bytes>;

impl Context {
    /// Runs a step of the job, unless it is done: then its saved result is returned.
    ///
    /// What the step returns is saved with the job at once. When the job runs again, after an error, a snooze, a
    /// crash, or because somebody retries it by hand, its handler goes through its steps again, and those that are
    /// saved do not run. They stay as long as the job.
    ///
    /// Names are the job's own, 1 to 128 bytes long: a name means the same step in every attempt, so one in a loop
    /// carries what the loop is over (`charge/42`). Asking twice is no second run. Steps may run side by side, and
    /// inside of each other under other names. A job has at most 1000, each with a result of at most 1 MiB as JSON.
    ///
    /// # Guarantees
    /// A step that was saved never runs again; nobody saves one who has lost the job. A step whose result was not
    /// saved yet when its process died runs again: what it does to other systems should bear that, with the job's id
    /// and the step's name as an idempotency key.
    ///
    /// What the handler publishes, enqueues and writes through the context still leaves with the job's own commit,
    /// also inside of a step: a step that does not run in a later attempt adds nothing to it.
    ///
    /// # Errors
    /// - The step's own error; it is not saved, and the attempt ends as with any other error.
    /// - The lease is lost: another worker may have the job, and nothing was saved.
    /// - The store cannot be read. While it cannot be written, what the step returned is kept, and saving it is tried
    ///   again until the attempt has to end.
    /// - The name or the result is beyond its limit, or what was saved has another shape than `T`: the job becomes a
    ///   dead letter that names the step.
    ///
    /// # Cancel safety
    /// A future that is dropped drops the step where it awaits. If its result is just being saved, it may be saved.
    ///
    /// # Example
    /// ```
    /// # use eventyard::{Context, Dep, Event, JobError};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Event, Serialize, Deserialize)]
    /// # #[event("order.placed")]
    /// # struct OrderPlaced { order_id: String, cents: u64 }
    /// # #[derive(Event, Serialize, Deserialize)]
    /// # #[event("order.paid")]
    /// # struct OrderPaid { order_id: String, charge_id: String }
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Charge { id: String }
    /// # struct Gateway;
    /// # impl Gateway {
    /// #     async fn charge(&self, key: &str, cents: u64) -> std::io::Result<Charge> { todo!() }
    /// # }
    /// # struct Stock;
    /// # impl Stock {
    /// #     async fn reserve(&self, order: &str) -> std::io::Result<u32> { todo!() }
    /// # }
    /// async fn sell(order: OrderPlaced, stock: Dep<Stock>, gateway: Dep<Gateway>, cx: Context) -> Result<(), JobError> {
    ///     let place = cx.step("reserve", || stock.reserve(&order.order_id)).await?;
    ///     let charge: Charge = cx
    ///         .step("charge", || async {
    ///             tracing::info!(place, "charging");
    ///             gateway.charge(&order.order_id, order.cents).await
    ///         })
    ///         .await?;
    ///     cx.publish(OrderPaid { order_id: order.order_id, charge_id: charge.id });
    ///     Ok(())
    /// }
    /// ```
    pub async fn step<T, E, Fut>(
        &self,
        name: &str,
        run: impl FnOnce() -> Fut,
    ) -> Result<T, JobError>
    where
        T: Serialize + DeserializeOwned,
        E: Into<JobError>,
        Fut: Future<Output = Result<T, E>>,
    {
        let name = StepName::new(name).map_err(|error| {
            let (field, problem) = ("name".to_owned(), error.problem);
            JobError::dead_letter(Error::InvalidStep(FieldError { field, problem }))
        })?;
        let step = self.known_step(&name).await?;
        let mut fresh = None;
        let first_run = async {
            let value = run().await.map_err(Into::into)?;
            let result = result_of(&value).map_err(|error| unfit(&name, &error))?;
            self.save_step(&name, &result).await?;
            fresh = Some(value);
            Ok::<_, JobError>(result)
        };
        let result = step.get_or_try_init(|| first_run).await?;
        match fresh {
            Some(value) => Ok(value),
            None => read_json(result).map_err(|problem| {
                let message = format!("the saved result of step `{name}`: {problem}");
                JobError::never(FailureKind::Payload, message)
            }),
        }
    }

    /// A step, as far as it is known.
    async fn known_step(&self, name: &StepName) -> Result<Arc<Step>, Error> {
        let read = async || {
            let saved = self.inspect().steps(&self.job().key()).await?.into_iter();
            let known = saved.map(|step| (step.name, Arc::new(Step::new_with(Some(step.result)))));
            Ok::<_, Error>(Mutex::new(known.collect()))
        };
        let known = self.inner.steps.known.get_or_try_init(read).await?;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(known.entry(name.clone()).or_default()))
    }

    /// Saves what a step returned. It was done: as long as there is hope to save it, it is not to be done again.
    async fn save_step(&self, name: &StepName, result: &Bytes) -> Result<(), JobError> {
        let mut wait = STORE_WAITS.0;
        loop {
            let write = Write::Step { name: name.clone(), result: result.clone() };
            match self.write_now(write).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_retryable() && !self.cancelled().is_cancelled() => {
                    let job = self.job().key();
                    tracing::error!(%job, step = %name, %error, "cannot save a step; trying again");
                    self.clock().sleep(wait).await;
                    wait = (wait * 2).min(STORE_WAITS.1);
                }
                Err(error @ Error::Commit(CommitError::TooManySteps { .. })) => {
                    return Err(unfit(name, &error));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn result_of(value: &impl Serialize) -> Result<Bytes, Error> {
    let result = serde_json::to_vec(value)
        .map_err(|source| Error::Encode { what: "its result".to_owned(), source })?;
    check_result(&result)?;
    Ok(result.into())
}

/// Refuses the result of a step that is too large.
pub(crate) fn check_result(result: &[u8]) -> Result<(), Error> {
    if result.len() <= MAX_STEP_RESULT_BYTES {
        return Ok(());
    }
    let problem = format!(
        "has {} bytes; at most {MAX_STEP_RESULT_BYTES} are allowed: keep what is large elsewhere, and return where it is",
        result.len()
    );
    Err(Error::InvalidStep(FieldError { field: "result".to_owned(), problem }))
}

/// The end of a job with a step that can never be saved: running it once more would only do it once more.
fn unfit(name: &StepName, error: &Error) -> JobError {
    JobError::dead_letter(format_args!("step `{name}`: {error}"))
}

/// Runs the example of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/guides/steps.md")]
struct Guide;
