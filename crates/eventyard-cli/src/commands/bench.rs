//! `eventyard bench`.

use std::{io::Write as _, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};
use eventyard::model::Durability;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::{
    bench::{self, Case, Figure, Progress, Settings, Unit},
    store::{self, OpenStore},
};

/// Measure a store: durable enqueues, drain, end to end, pick-up latency, memory, and whether every job
/// was delivered exactly once
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The store to measure: sqlite://PATH, redis://HOST:PORT or memory://; a new embedded store by default,
    /// removed afterwards
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Where the new embedded store is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    data_dir: PathBuf,
    /// Jobs in each throughput case
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    jobs: usize,
    /// Producers at work at once
    #[arg(long, value_name = "N", default_value_t = 50)]
    producers: usize,
    /// Jobs in one call of the batch case
    #[arg(long, value_name = "N", default_value_t = 100)]
    batch: usize,
    /// Jobs that the worker handles at once
    #[arg(long, value_name = "N", default_value_t = 50)]
    concurrency: usize,
    /// Bytes of each job's payload
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    payload: usize,
    /// Drain a second time, with this many jobs waiting, if that is more than --jobs
    #[arg(long, value_name = "N", default_value_t = 0)]
    backlog: usize,
    /// Spread the backlog over this many keys, and give the first drain one
    #[arg(long, value_name = "N", default_value_t = 0)]
    keys: usize,
    /// Measure only this; may be repeated
    #[arg(long, value_name = "CASE", value_enum)]
    only: Vec<Case>,
    /// Print a line of JSON for each figure
    #[arg(long)]
    json: bool,
}

/// A figure with what it was measured on, as `--json` prints it.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    figure: Figure,
    durability: Durability,
    params: Settings,
}

pub(crate) async fn run(args: BenchArgs) -> miette::Result<()> {
    let settings = Settings {
        jobs: args.jobs.max(1),
        producers: args.producers,
        batch: args.batch,
        concurrency: args.concurrency,
        payload: args.payload,
        backlog: args.backlog,
        keys: args.keys,
    };
    let cases = if args.only.is_empty() { Case::value_variants() } else { &args.only };
    let scratch = match &args.store {
        Some(_) => None,
        None => Some(Scratch::make(&args.data_dir)?),
    };
    let url = args.store.unwrap_or_else(|| match &scratch {
        Some(scratch) => format!("sqlite://{}", scratch.0.join("bench.db").display()),
        None => "memory://".to_owned(),
    });
    let OpenStore { store, inspect, clock } = store::open(&url, store::Synchronous::Full).await?;
    let durability = store.capabilities().durability;
    let mut out = std::io::stdout().lock();
    if !args.json {
        let name = store.capabilities().name;
        eprintln!("{name}: {}", durability.describe());
        eprintln!(
            "{} jobs of {} bytes, {} producers, batches of {}, concurrency {}",
            settings.jobs,
            settings.payload,
            settings.producers,
            settings.batch,
            settings.concurrency
        );
    }
    // Hidden by itself where there is no terminal.
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(100));
    let tell = |progress| match progress {
        Progress::Begins(case) => {
            let case = case.to_possible_value();
            spinner.set_message(case.map(|case| case.get_name().to_owned()).unwrap_or_default());
        }
        Progress::Known(figure) => {
            let text = if args.json {
                let line = Line { figure, durability, params: settings };
                serde_json::to_string(&line).unwrap_or_default()
            } else {
                let Figure { case, value, unit } = figure;
                let decimals = if unit == Unit::Millis { 3 } else { 0 };
                format!("{case:<20} {value:>12.decimals$} {unit}")
            };
            // A closed pipe ends the printing, not the run.
            spinner.suspend(|| drop(writeln!(out, "{text}")));
        }
    };
    bench::run(Arc::clone(&store), inspect, clock, settings, cases, tell)
        .await
        .map_err(|error| miette::miette!("{error}"))?;
    spinner.finish_and_clear();
    store.close().await;
    Ok(())
}

/// A folder for a store that is removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn make(parent: &std::path::Path) -> miette::Result<Self> {
        let folder = parent.join(format!("eventyard-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| {
            miette::miette!("cannot make the folder {}: {error}", folder.display())
        })?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove the folder {}: {error}", self.0.display());
        }
    }
}
