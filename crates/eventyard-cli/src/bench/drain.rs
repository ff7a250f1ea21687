//! How many jobs per second a worker handles when there are more than enough.

use std::{sync::Arc, time::Instant};

use eventyard::Error;

use super::{
    Figure,
    rig::Rig,
    tally::{Tally, Verdict},
};

const QUEUE: &str = "drain";

pub(super) async fn run(rig: &Rig) -> Result<(Figure, Verdict), Error> {
    let jobs = rig.settings.jobs;
    let waiting = jobs.max(rig.settings.backlog);
    let producer = rig.producer(QUEUE).await?;
    rig.fill(&producer, QUEUE, waiting).await?;

    let tally = Arc::new(Tally::new(waiting, jobs));
    let begun = Instant::now();
    let worker = rig.worker(QUEUE, &tally).await?;
    let took = tally.reached().await - begun;
    // Only when the last jobs are settled is it known that none of them runs again.
    worker.stop().await;
    producer.stop().await;
    // With a longer backlog the producers' shares are not drained evenly; what is lost then is not known.
    let verdict = if waiting == jobs { tally.verdict(jobs) } else { Verdict::default() };
    Ok((Figure::rate(QUEUE, jobs, took), verdict))
}
