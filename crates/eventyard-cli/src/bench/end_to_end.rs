//! How many jobs per second go all the way, with producers and a worker at work at once.

use std::{sync::Arc, time::Instant};

use eventyard::Error;

use super::{
    Figure,
    rig::Rig,
    tally::{Tally, Verdict},
};

const QUEUE: &str = "end-to-end";

pub(super) async fn run(rig: &Rig) -> Result<(Figure, Verdict), Error> {
    let jobs = rig.settings.jobs;
    let tally = Arc::new(Tally::new(jobs, jobs));
    let producer = rig.producer(QUEUE).await?;
    let worker = rig.worker(QUEUE, &tally).await?;
    let begun = Instant::now();
    rig.produce(&producer, QUEUE, jobs, 1, 0).await?;
    let took = tally.reached().await - begun;
    worker.stop().await;
    producer.stop().await;
    Ok((Figure::rate(QUEUE, jobs, took), tally.verdict(jobs)))
}
