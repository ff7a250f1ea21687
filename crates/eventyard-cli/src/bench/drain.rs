//! How many jobs per second a worker handles when there are more than enough.

use std::{sync::Arc, time::Instant};

use eventyard::Error;

use super::{
    Figure,
    rig::Rig,
    tally::{Tally, Verdict},
};

/// As many jobs as there are.
pub(super) async fn run(rig: &Rig) -> Result<(Figure, Verdict), Error> {
    let jobs = rig.settings.jobs;
    let (figure, tally) = measure(rig, "drain", jobs, rig.settings.keys.min(1)).await?;
    Ok((figure, tally.verdict(jobs)))
}

/// The first jobs of a long backlog. The producers' shares are not drained evenly: what is lost then is not known.
pub(super) async fn with_backlog(rig: &Rig) -> Result<Figure, Error> {
    measure(rig, "drain-backlog", rig.settings.backlog, rig.settings.keys)
        .await
        .map(|(figure, _)| figure)
}

async fn measure(
    rig: &Rig,
    case: &'static str,
    waiting: usize,
    keys: usize,
) -> Result<(Figure, Arc<Tally>), Error> {
    let jobs = rig.settings.jobs;
    let producer = rig.producer(case).await?;
    rig.fill(&producer, case, waiting, keys).await?;

    let tally = Arc::new(Tally::new(waiting, jobs));
    let begun = Instant::now();
    let worker = rig.worker(case, &tally).await?;
    let took = tally.reached().await - begun;
    // Only when the last jobs are settled is it known that none of them runs again.
    worker.stop().await;
    producer.stop().await;
    Ok((Figure::rate(case, jobs, took), tally))
}
