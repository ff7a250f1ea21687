//! The figures that a run tells.

use std::fmt;

use serde::Serialize;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    #[serde(rename = "jobs/s")]
    JobsPerSecond,
    #[serde(rename = "ms")]
    Millis,
    #[serde(rename = "MiB")]
    MebiBytes,
    #[serde(rename = "lost")]
    Lost,
    #[serde(rename = "doubled")]
    Doubled,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::JobsPerSecond => "jobs/s",
            Self::Millis => "ms",
            Self::MebiBytes => "MiB",
            Self::Lost => "lost",
            Self::Doubled => "doubled",
        })
    }
}

/// One figure of a run.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Figure {
    pub(crate) case: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: Unit,
}

impl Figure {
    pub(crate) fn rate(case: &'static str, jobs: usize, took: std::time::Duration) -> Self {
        let value = (jobs as f64 / took.as_secs_f64()).round();
        Self { case, value, unit: Unit::JobsPerSecond }
    }
}

/// The most memory that this process has held, where the system tells.
pub(crate) fn peak_memory() -> Option<Figure> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let value = (kib / 1024.0).round();
    Some(Figure { case: "peak-memory", value, unit: Unit::MebiBytes })
}
