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
use tally::Verdict;

/// One thing that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Case {
    /// Durable enqueues, one job in each call
    EnqueueSingle,
    /// Durable enqueues, many jobs in each call
    EnqueueBatch,
    /// A worker with more jobs than it can handle
    Drain,
    /// Producers and a worker at once
    EndToEnd,
    /// From adding a job until its handler begins, one job at a time
    PickupIdle,
    /// The same, at a steady rate
    PickupSteady,
}

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
    /// Jobs that wait when the second drain begins; there is none if that is not more than `jobs`.
    pub(crate) backlog: usize,
    /// Keys over which the backlog is spread; the first drain has one then, and without keys none has any.
    pub(crate) keys: usize,
}

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Progress {
    /// A case begins.
    Begins(Case),
    /// A figure is known.
    Known(Figure),
}

/// Runs the cases, telling each figure as soon as it is known.
///
/// # Errors
/// When the store cannot do what it is asked.
pub(crate) async fn run(
    store: Arc<dyn Store>,
    inspect: Arc<dyn Inspect>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    cases: &[Case],
    mut tell: impl FnMut(Progress),
) -> Result<(), Error> {
    use Progress::{Begins, Known};

    let rig = Rig { store, inspect, clock, settings };
    let mut verdict = Verdict::default();
    for case in cases {
        tell(Begins(*case));
        match case {
            Case::EnqueueSingle => tell(Known(enqueue::single(&rig).await?)),
            Case::EnqueueBatch => tell(Known(enqueue::batch(&rig).await?)),
            Case::Drain => {
                let (figure, drained) = drain::run(&rig).await?;
                tell(Known(figure));
                verdict = verdict + drained;
                if settings.backlog > settings.jobs {
                    tell(Known(drain::with_backlog(&rig).await?));
                }
            }
            Case::EndToEnd => {
                let (figure, carried) = end_to_end::run(&rig).await?;
                tell(Known(figure));
                verdict = verdict + carried;
            }
            Case::PickupIdle => {
                pickup::idle(&rig).await?.into_iter().for_each(|figure| tell(Known(figure)));
            }
            Case::PickupSteady => {
                pickup::steady(&rig).await?.into_iter().for_each(|figure| tell(Known(figure)));
            }
        }
    }
    if let Some(figure) = figure::peak_memory() {
        tell(Known(figure));
    }
    verdict.figures().into_iter().for_each(|figure| tell(Known(figure)));
    Ok(())
}
