//! How long it takes from the call that adds a job until its handler begins.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use eventyard::{Dep, Error, Eventyard, JobError, JobRequest, Json, Queue, Yard};
use hdrhistogram::Histogram;
use tokio::sync::mpsc;

use super::{Figure, Unit, rig::Rig};

/// How many jobs are timed with nothing else going on.
const IDLE_JOBS: u64 = 1000;
/// The pause after each of them, so that everything has gone to sleep.
const IDLE_PAUSE: Duration = Duration::from_millis(2);
/// How many jobs are timed at a steady rate, and their distance: 2000 per second.
const STEADY_JOBS: u64 = 10_000;
const STEADY_PAUSE: Duration = Duration::from_micros(500);

/// One job at a time.
pub(super) async fn idle(rig: &Rig) -> Result<[Figure; 2], Error> {
    let mut stage = Stage::set(rig, "pickup-idle").await?;
    for _ in 0..IDLE_JOBS {
        stage.add().await?;
        stage.record_one().await;
        tokio::time::sleep(IDLE_PAUSE).await;
    }
    Ok(stage.figures("pickup-idle-p50", "pickup-idle-p99").await)
}

/// Jobs at a steady rate, whether the ones before have been handled or not.
pub(super) async fn steady(rig: &Rig) -> Result<[Figure; 2], Error> {
    let mut stage = Stage::set(rig, "pickup-steady").await?;
    let mut ticks = tokio::time::interval(STEADY_PAUSE);
    let mut adding = tokio::task::JoinSet::new();
    for _ in 0..STEADY_JOBS {
        ticks.tick().await;
        let (yard, request) = (stage.yard.clone(), stage.request()?);
        adding.spawn(async move { yard.enqueue(request).await });
    }
    while let Some(added) = adding.join_next().await {
        added.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    }
    for _ in 0..STEADY_JOBS {
        stage.record_one().await;
    }
    Ok(stage.figures("pickup-steady-p50", "pickup-steady-p99").await)
}

/// An application whose handler tells how old its job is.
struct Stage {
    yard: Yard,
    queue: &'static str,
    /// Instants travel as nanoseconds since this one.
    epoch: Instant,
    ages: mpsc::UnboundedReceiver<Duration>,
    histogram: Histogram<u64>,
}

/// What the handler needs to tell the age of a job.
struct Stopwatch {
    epoch: Instant,
    ages: mpsc::UnboundedSender<Duration>,
}

impl Stage {
    async fn set(rig: &Rig, queue: &'static str) -> Result<Self, Error> {
        async fn tell(Json(added): Json<u64>, watch: Dep<Stopwatch>) -> Result<(), JobError> {
            let age = watch.epoch.elapsed().saturating_sub(Duration::from_nanos(added));
            Ok(watch.ages.send(age)?)
        }
        let epoch = Instant::now();
        let (tx, ages) = mpsc::unbounded_channel();
        let (store, inspect) = (Arc::clone(&rig.store), Arc::clone(&rig.inspect));
        let yard = Eventyard::on_parts(store, inspect, Arc::clone(&rig.clock))
            .queue(Queue::new(queue).concurrency(rig.settings.concurrency))
            .handle(queue, tell)
            .provide(Stopwatch { epoch, ages: tx })
            .start()
            .await?;
        let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3)
            .unwrap_or_else(|_| unreachable!("the bounds are in order"));
        Ok(Self { yard, queue, epoch, ages, histogram })
    }

    fn request(&self) -> Result<JobRequest, Error> {
        let now = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        JobRequest::new(self.queue, "bench").data(&now)
    }

    async fn add(&self) -> Result<(), Error> {
        self.yard.enqueue(self.request()?).await.map(drop)
    }

    async fn record_one(&mut self) {
        if let Some(age) = self.ages.recv().await {
            self.histogram.saturating_record(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX));
        }
    }

    async fn figures(self, p50: &'static str, p99: &'static str) -> [Figure; 2] {
        self.yard.stop().await;
        let figure = |case, quantile| {
            let millis = self.histogram.value_at_quantile(quantile) as f64 / 1e6;
            Figure { case, value: (millis * 1000.0).round() / 1000.0, unit: Unit::Millis }
        };
        [figure(p50, 0.50), figure(p99, 0.99)]
    }
}
