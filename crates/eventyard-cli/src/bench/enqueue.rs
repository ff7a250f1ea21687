//! How many jobs per second are acknowledged as durable.

use std::time::Instant;

use eventyard::Error;

use super::{Figure, rig::Rig};

/// One job in each call.
pub(super) async fn single(rig: &Rig) -> Result<Figure, Error> {
    measure(rig, "enqueue-single", 1).await
}

/// Many jobs in each call.
pub(super) async fn batch(rig: &Rig) -> Result<Figure, Error> {
    measure(rig, "enqueue-batch", rig.settings.batch.max(1)).await
}

async fn measure(rig: &Rig, case: &'static str, batch: usize) -> Result<Figure, Error> {
    let yard = rig.producer(case).await?;
    let begun = Instant::now();
    rig.produce(&yard, case, rig.settings.jobs, batch, 0).await?;
    let figure = Figure::rate(case, rig.settings.jobs, begun.elapsed());
    yard.stop().await;
    Ok(figure)
}
