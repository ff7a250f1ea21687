//! Batch handlers: async functions that take many jobs at once and say how each of them ended.

use std::{future::Future, pin::Pin, time::Duration};

use crate::{
    Context, Dep, JobError, Outcome,
    dep::Need,
    handler::{FromContext, FromJob},
    outcome::IntoOutcome,
};

/// How jobs are gathered into batches.
///
/// A batch counts as its jobs: each of them takes one of the places that the queue's
/// [`concurrency`](crate::Queue::concurrency) gives, so `max` cannot be more than that. Each job keeps its own
/// lease, attempt and timeout; the timeout covers the gathering and the whole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// The most jobs of a batch.
    pub max: usize,
    /// How long the first job of a batch waits for others.
    pub wait: Duration,
}

impl Default for BatchOptions {
    /// Up to 100 jobs, or what came within 50 ms.
    fn default() -> Self {
        Self { max: 100, wait: Duration::from_millis(50) }
    }
}

/// One job of a batch.
#[derive(Debug)]
pub struct BatchItem<L> {
    /// What the job carries: a typed [`Event`](crate::Event), [`Json<T>`](crate::Json), or the job itself.
    pub load: L,
    /// The job's own attempt: what is published and enqueued through it leaves with the job's own commit, and it
    /// tells when this job is no longer wanted.
    pub cx: Context,
}

/// How each job of a batch ended, in order.
pub type Endings = Vec<Result<Outcome, JobError>>;
/// The future of one run of a batch handler.
pub type BatchFuture = Pin<Box<dyn Future<Output = Endings> + Send>>;

/// What a batch handler may return: a `Result` for each job in order; or one for all, so that `?` fails all.
pub trait IntoEndings {
    /// How each of so many jobs ended.
    fn into_endings(self, jobs: usize) -> Endings;
}

impl<Out: IntoOutcome> IntoEndings for Vec<Result<Out, JobError>> {
    fn into_endings(self, _: usize) -> Endings {
        self.into_iter().map(|ending| ending.map(Out::into_outcome)).collect()
    }
}

impl<Out: IntoOutcome> IntoEndings for Result<Vec<Result<Out, JobError>>, JobError> {
    fn into_endings(self, jobs: usize) -> Endings {
        match self {
            Ok(endings) => endings.into_endings(jobs),
            Err(error) => vec![Err(error); jobs],
        }
    }
}

impl IntoEndings for Result<(), JobError> {
    fn into_endings(self, jobs: usize) -> Endings {
        vec![self.map(<()>::into_outcome); jobs]
    }
}

/// A parameter of a batch handler, after the first: what is the same for all jobs.
pub trait Shared: FromContext {}

impl<T: ?Sized + Send + Sync + 'static> Shared for Dep<T> {}

/// An async function that can work on batches. `Args` are its parameters' types; the compiler finds them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot handle batches of jobs",
    label = "not a batch handler",
    note = "a batch handler is an async function whose first parameter is a `Vec<BatchItem<L>>` of events, `Json<T>` or `Job`s, whose other parameters are `Dep<T>`, and which returns a `Vec<Result<(), JobError>>`, a `Vec<Result<Outcome, JobError>>`, or a `Result` of one of them or of `()`"
)]
pub trait BatchHandler<Args>: Clone + Send + Sync + 'static {
    /// What each job carries.
    type Load: FromJob + 'static;

    /// The dependencies it needs.
    fn needs() -> Vec<Need>;

    /// Runs it on a batch.
    fn call(&self, batch: Vec<BatchItem<Self::Load>>) -> BatchFuture;
}

macro_rules! batch_handler {
    ($($param:ident),*) => {
        impl<F, Fut, Load, $($param,)*> BatchHandler<(Load, $($param,)*)> for F
        where
            F: Fn(Vec<BatchItem<Load>>, $($param),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output: IntoEndings> + Send + 'static,
            Load: FromJob + 'static,
            $($param: Shared,)*
        {
            type Load = Load;

            fn needs() -> Vec<Need> {
                let needs: Vec<Option<Need>> = vec![$($param::need()),*];
                needs.into_iter().flatten().collect()
            }

            #[allow(non_snake_case, unused_variables, reason = "the parameters are named like their types")]
            fn call(&self, batch: Vec<BatchItem<Load>>) -> BatchFuture {
                let jobs = batch.len();
                let run = || {
                    if let Some(BatchItem { cx, .. }) = batch.first() {
                        let cx = cx.clone();
                        $(let $param = $param::from_context(&cx)?;)*
                        return Ok(Some(self(batch, $($param),*)));
                    }
                    Ok(None)
                };
                match run() {
                    Ok(Some(future)) => Box::pin(async move { future.await.into_endings(jobs) }),
                    Ok(None) => Box::pin(async { Vec::new() }),
                    Err(error) => Box::pin(async move { vec![Err(error); jobs] }),
                }
            }
        }
    };
}

batch_handler!();
batch_handler!(A);
batch_handler!(A, B);
batch_handler!(A, B, C);
batch_handler!(A, B, C, D);
batch_handler!(A, B, C, D, E);
batch_handler!(A, B, C, D, E, G);
