//! Handlers: plain async functions whose parameters say what they need.
//!
//! The first parameter is what the job carries: a typed [`Event`](crate::Event), [`Json<T>`], or the
//! [`Job`](eventyard_core::Job) itself. The others are [`Dep<T>`](crate::Dep) and [`Context`].
//! A [batch handler](BatchHandler) takes many of them at once, as [`BatchItem`]s.

mod batch;
mod gather;
mod payload;

use std::{future::Future, pin::Pin, sync::Arc};

pub use batch::{BatchFuture, BatchHandler, BatchItem, BatchOptions, Endings, IntoEndings, Shared};
pub(crate) use gather::gather;
pub(crate) use payload::read_json;
pub use payload::{FromJob, Json};

use crate::{
    Context, Dep, Outcome,
    dep::Need,
    outcome::{IntoOutcome, JobError},
};

/// A parameter of a handler, after the first.
pub trait FromContext: Sized + Send {
    /// The dependency it needs, if any; checked before the application starts.
    #[must_use]
    fn need() -> Option<Need> {
        None
    }

    /// Takes it from the context of the attempt.
    ///
    /// # Errors
    /// When it is not there; the start has checked that it is.
    fn from_context(cx: &Context) -> Result<Self, JobError>;
}

impl FromContext for Context {
    fn from_context(cx: &Context) -> Result<Self, JobError> {
        Ok(cx.clone())
    }
}

impl<T: ?Sized + Send + Sync + 'static> FromContext for Dep<T> {
    fn need() -> Option<Need> {
        Some(Need::of::<T>())
    }

    fn from_context(cx: &Context) -> Result<Self, JobError> {
        cx.dep().ok_or_else(|| {
            JobError::retry(format!("{} is not provided", Need::of::<T>().type_name))
        })
    }
}

/// The future of one run of a handler.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Outcome, JobError>> + Send>>;

/// An async function that can work on jobs. `Args` are its parameters' types; the compiler finds them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot handle jobs",
    label = "not a handler",
    note = "a handler is an async function whose first parameter is an `Event`, a `Json<T>` or a `Job`, whose other parameters are `Dep<T>` or `Context`, and which returns `Result<(), JobError>` or `Result<Outcome, JobError>`"
)]
pub trait Handler<Args>: Clone + Send + Sync + 'static {
    /// The event type that it is for; absent when it takes any job.
    fn event_type() -> Option<&'static str>;

    /// The dependencies it needs.
    fn needs() -> Vec<Need>;

    /// Runs it on one attempt.
    fn call(&self, cx: Context) -> HandlerFuture;
}

macro_rules! handler {
    ($($param:ident),*) => {
        impl<F, Fut, Out, Load, $($param,)*> Handler<(Load, $($param,)*)> for F
        where
            F: Fn(Load, $($param),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Result<Out, JobError>> + Send + 'static,
            Out: IntoOutcome,
            Load: FromJob,
            $($param: FromContext,)*
        {
            fn event_type() -> Option<&'static str> {
                Load::event_type()
            }

            fn needs() -> Vec<Need> {
                let needs: Vec<Option<Need>> = vec![$($param::need()),*];
                needs.into_iter().flatten().collect()
            }

            #[allow(non_snake_case, reason = "the parameters are named like their types")]
            fn call(&self, cx: Context) -> HandlerFuture {
                let run = || {
                    let load = Load::from_job(cx.job())?;
                    $(let $param = $param::from_context(&cx)?;)*
                    Ok(self(load, $($param),*))
                };
                match run() {
                    Ok(future) => Box::pin(async move { future.await.map(Out::into_outcome) }),
                    Err(error) => Box::pin(async move { Err(error) }),
                }
            }
        }
    };
}

handler!();
handler!(A);
handler!(A, B);
handler!(A, B, C);
handler!(A, B, C, D);
handler!(A, B, C, D, E);
handler!(A, B, C, D, E, G);
handler!(A, B, C, D, E, G, H);

/// A handler without its type.
pub(crate) type Run = Arc<dyn Fn(Context) -> HandlerFuture + Send + Sync>;

pub(crate) fn erase<Args, H: Handler<Args>>(handler: H) -> Run {
    Arc::new(move |cx| handler.call(cx))
}

/// The handlers of one queue.
#[derive(Clone, Default)]
pub(crate) struct Handlers {
    by_name: std::collections::HashMap<String, Run>,
    any: Option<Run>,
}

impl Handlers {
    /// Adds a handler for jobs named `name`, or for all others; false if there is one already.
    pub(crate) fn add(&mut self, name: Option<&str>, run: Run) -> bool {
        match name {
            Some(name) => self.by_name.insert(name.to_owned(), run).is_none(),
            None => self.any.replace(run).is_none(),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Run> {
        self.by_name.get(name).or(self.any.as_ref())
    }
}
