//! `eventyard schedules set`.

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{client::Call, commands::publish, config::TimeSpan};

/// What a schedule is to be.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("when").required(true).args(["cron", "every"]))]
pub(super) struct SetArgs {
    /// Its name
    name: String,
    /// A cron pattern, such as '0 3 * * *'; with seconds in front if wanted
    #[arg(long, value_name = "PATTERN")]
    cron: Option<String>,
    /// The time zone of the pattern, such as Europe/Berlin; UTC without it
    #[arg(long, value_name = "ZONE", requires = "cron")]
    time_zone: Option<String>,
    /// Due each time that this has passed, such as 10m
    #[arg(long, value_name = "TIME")]
    every: Option<TimeSpan>,
    /// The queue that the job is added to
    #[arg(long, value_name = "QUEUE")]
    queue: String,
    /// The name of the job; it selects the handler
    #[arg(long, value_name = "NAME")]
    job: String,
    /// What the job carries: JSON, @FILE to read it from a file, or - to read it from standard input
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    data: Option<String>,
    /// The job's options as JSON, such as '{"attempts": 5}'
    #[arg(long, value_name = "JSON")]
    opts: Option<String>,
    /// Not due before this instant, such as 2026-01-31T09:00:00Z
    #[arg(long, value_name = "INSTANT")]
    start: Option<String>,
    /// Not due after this instant
    #[arg(long, value_name = "INSTANT")]
    end: Option<String>,
    /// How many jobs it adds in all
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// What becomes of times that were missed: dropped, one job for all of them, or one for each
    #[arg(long, value_name = "HOW", default_value = "skip")]
    catch_up: CatchUp,
    /// Whether it is paused; without it, one that exists stays as it is
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    paused: Option<bool>,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum CatchUp {
    Skip,
    One,
    All,
}

/// A schedule as the API takes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    cron: Option<String>,
    time_zone: Option<String>,
    every: Option<u64>,
    start: Option<String>,
    end: Option<String>,
    limit: Option<u64>,
    paused: Option<bool>,
    catch_up: CatchUp,
    job: Job,
}

#[derive(Serialize)]
struct Job {
    queue: String,
    name: String,
    data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opts: Option<Box<RawValue>>,
}

impl SetArgs {
    /// The call that sets it.
    ///
    /// # Errors
    /// When the data or the options are not JSON.
    pub(super) fn call(self) -> miette::Result<Call> {
        let job = Job {
            queue: self.queue,
            name: self.job,
            data: self.data.as_deref().map(|data| publish::read("--data", data)).transpose()?,
            opts: self.opts.as_deref().map(|opts| publish::read("--opts", opts)).transpose()?,
        };
        let every = self.every.map(|every| every.get().as_millis());
        let body = Body {
            cron: self.cron,
            time_zone: self.time_zone,
            every: every.map(|ms| u64::try_from(ms).unwrap_or(u64::MAX)),
            start: self.start,
            end: self.end,
            limit: self.limit,
            paused: self.paused,
            catch_up: self.catch_up,
            job,
        };
        Call::put(["schedules", &self.name]).body(&body)
    }
}
