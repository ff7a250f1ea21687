//! `eventyard bench`: how fast a store carries jobs, and whether it carries each exactly once.
//!
//! Every case runs the engine as an application would: producers call [`Yard::enqueue`](eventyard::Yard::enqueue) and get
//! durable acknowledgements, workers run a handler that does nothing but count. Each case has a queue of its own.

mod drain;
mod end_to_end;
mod enqueue;
mod figure;
mod pickup;
mod rig;
mod tally;

use std::sync::Arc;

use eventyard::{
    Error,
    model::{Clock, Inspect, Store},
};

pub(crate) use figure::{Figure, Unit};
use rig::Rig;

/// What is measured, and how.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(crate) struct Settings {
    /// Jobs in each throughput case.
    pub(crate) jobs: usize,
    /// Producers at work at once.
    pub(crate) producers: usize,
    /// Jobs in one call of the batch case.
    pub(crate) batch: usize,
    /// Jobs that the worker handles at once.
    pub(crate) concurrency: usize,
    /// Bytes of each job's payload.
    pub(crate) payload: usize,
    /// Jobs that wait when the drain begins, if that is more than `jobs`.
    pub(crate) backlog: usize,
}

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Progress {
    /// A case begins.
    Begins(&'static str),
    /// A figure is known.
    Known(Figure),
}

/// Runs every case, telling each figure as soon as it is known.
///
/// # Errors
/// When the store cannot do what it is asked.
pub(crate) async fn run(
    store: Arc<dyn Store>,
    inspect: Arc<dyn Inspect>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    mut tell: impl FnMut(Progress),
) -> Result<(), Error> {
    use Progress::{Begins, Known};

    let rig = Rig { store, inspect, clock, settings };
    tell(Begins("single enqueues"));
    tell(Known(enqueue::single(&rig).await?));
    tell(Begins("enqueues in batches"));
    tell(Known(enqueue::batch(&rig).await?));
    tell(Begins("drain"));
    let (figure, drained) = drain::run(&rig).await?;
    tell(Known(figure));
    tell(Begins("end to end"));
    let (figure, carried) = end_to_end::run(&rig).await?;
    tell(Known(figure));
    tell(Begins("pick-up when idle"));
    pickup::idle(&rig).await?.into_iter().for_each(|figure| tell(Known(figure)));
    tell(Begins("pick-up at a steady rate"));
    pickup::steady(&rig).await?.into_iter().for_each(|figure| tell(Known(figure)));
    if let Some(figure) = figure::peak_memory() {
        tell(Known(figure));
    }
    (drained + carried).figures().into_iter().for_each(|figure| tell(Known(figure)));
    Ok(())
}
