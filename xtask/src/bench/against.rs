//! BullMQ and Eventyard in turns: both on one Redis, and Eventyard's embedded store on the same disk.
//!
//! All go through the same cases with the same jobs, rules and numbers at once, each in one process. What is compared is
//! the median of the rounds, since speeds drift on a machine that others use.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::Appendfsync;
use super::redis::Redis;
use crate::failure::Failure;
use crate::invocation;
use crate::test;
use crate::workspace::Workspace;

/// Jobs in each case.
const JOBS: u32 = 30_000;
/// How often each case is measured on each side.
const ROUNDS: usize = 3;
/// What is measured, by the names of `eventyard bench`.
const CASES: [&str; 4] = ["enqueue-single", "enqueue-batch", "drain", "pickup-idle"];
const PRODUCERS: u32 = 50;
const BATCH: u32 = 100;
const CONCURRENCY: u32 = 50;
const PAYLOAD: u32 = 200;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Bullmq,
    OnRedis,
    Embedded,
}

const SIDES: [Side; 3] = [Side::Bullmq, Side::OnRedis, Side::Embedded];

/// The values of a figure, side by side and round by round: a number of jobs in a second, or milliseconds.
#[derive(Debug, Default)]
struct Figure {
    unit: String,
    values: [Vec<f64>; SIDES.len()],
}

/// Measures, and prints the sides next to each other.
pub(super) fn run(workspace: &Workspace, appendfsync: Appendfsync) -> Result<(), Failure> {
    let node = test::prepare(workspace)?;
    invocation::run(&mut workspace.cargo("build --release -p eventyard-cli".split(' ')))?;
    let folder = |what| workspace.target.join(format!("bench-{what}-{}", std::process::id()));
    let redis = Redis::start(folder("redis"), appendfsync)?;
    let data = folder("embedded");

    let bullmq = workspace.root.join("crates/eventyard-redis/benches/bullmq.mjs");
    let command = |side, case| match side {
        Side::Bullmq => {
            let mut theirs = Command::new("node");
            theirs.arg(&bullmq).arg(redis.port.to_string()).arg(settings(case).to_string());
            theirs.env("EVENTYARD_NODE", &node);
            theirs
        }
        Side::OnRedis => {
            let mut ours = eventyard(workspace, case);
            ours.args(["--store", &format!("redis://127.0.0.1:{}/0?prefix=bench", redis.port)]);
            ours
        }
        Side::Embedded => {
            let mut ours = eventyard(workspace, case);
            ours.arg("--data-dir").arg(&data);
            ours
        }
    };

    let mut figures = BTreeMap::<String, Figure>::new();
    let mut commands = BTreeMap::<&str, [u64; SIDES.len()]>::new();
    for round in 0..ROUNDS {
        for case in CASES {
            eprintln!("round {} of {ROUNDS}: {case}", round + 1);
            let mut counted = [0; SIDES.len()];
            // Who comes first changes, in case the others find the machine warm.
            for at in (0..SIDES.len()).map(|at| (at + round) % SIDES.len()) {
                redis.clear()?;
                remove(&data)?;
                for (name, value, unit) in
                    read(&invocation::output(&mut command(SIDES[at], case))?)?
                {
                    let figure = figures.entry(name).or_default();
                    figure.unit = unit;
                    figure.values[at].push(value);
                }
                counted[at] = redis.commands()?;
            }
            commands.entry(case).or_insert(counted);
        }
    }
    remove(&data)?;
    print(appendfsync, &figures, &commands);
    Ok(())
}

fn remove(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| {
            Failure::new(format!("cannot remove {}: {error}", folder.display()))
        })?;
    }
    Ok(())
}

fn settings(case: &str) -> Value {
    json!({
        "case": case, "jobs": JOBS, "producers": PRODUCERS, "batch": BATCH,
        "concurrency": CONCURRENCY, "payload": PAYLOAD,
    })
}

fn eventyard(workspace: &Workspace, case: &str) -> Command {
    let mut command = Command::new(workspace.target.join("release/eventyard"));
    command.args(["bench", "--json", "--only", case]);
    for (option, value) in [
        ("--jobs", JOBS),
        ("--producers", PRODUCERS),
        ("--batch", BATCH),
        ("--concurrency", CONCURRENCY),
        ("--payload", PAYLOAD),
    ] {
        command.args([option, &value.to_string()]);
    }
    command
}

/// The figures that a side printed, one on a line: those that both sides have.
fn read(printed: &str) -> Result<Vec<(String, f64, String)>, Failure> {
    let mut figures = Vec::new();
    for line in printed.lines() {
        let figure: Value = serde_json::from_str(line)
            .map_err(|error| Failure::new(format!("`{line}` is no figure: {error}")))?;
        let (case, unit) = (figure["case"].as_str(), figure["unit"].as_str());
        let (Some(case), Some(value), Some(unit)) = (case, figure["value"].as_f64(), unit) else {
            return Err(Failure::new(format!("`{line}` is no figure")));
        };
        if ["lost", "doubled"].contains(&unit) && value > 0.0 {
            return Err(Failure::new(format!(
                "{value} jobs were {unit}; the figures mean nothing"
            )));
        }
        if ["jobs/s", "ms"].contains(&unit) {
            figures.push((case.to_owned(), value, unit.to_owned()));
        }
    }
    Ok(figures)
}

fn print(
    appendfsync: Appendfsync,
    figures: &BTreeMap<String, Figure>,
    commands: &BTreeMap<&str, [u64; SIDES.len()]>,
) {
    let synced = match appendfsync {
        Appendfsync::Everysec => "every second",
        Appendfsync::Always => "before it answers",
    };
    println!(
        "{JOBS} jobs of {PAYLOAD} bytes, {PRODUCERS} producers, batches of {BATCH}, concurrency \
         {CONCURRENCY}; medians of {ROUNDS}. Redis appends to a file and syncs it {synced}; the embedded \
         store syncs before it answers\n"
    );
    println!("{:<20}{:>12}{:>22}{:>22}", "", "BullMQ 6.7", "Eventyard on Redis", "embedded");
    for (name, Figure { unit, values }) in figures {
        let [theirs, ours, embedded] = values.each_ref().map(|values| median(values));
        let decimals = if unit == "ms" { 3 } else { 0 };
        print!("{name:<20}{theirs:>12.decimals$}");
        for ours in [ours, embedded] {
            let better = if unit == "ms" { theirs / ours } else { ours / theirs };
            print!("{ours:>14.decimals$} {better:>6.2}x");
        }
        println!("  {unit}");
    }
    println!("\nRedis commands for each job, those of scripts included");
    let all = |case| commands.get(case).copied().unwrap_or_default();
    let (single, batch, drain) = (all("enqueue-single"), all("enqueue-batch"), all("drain"));
    // A drain begins by adding its jobs in batches.
    let handled = [0, 1, 2].map(|side| drain[side].saturating_sub(batch[side]));
    for (what, [theirs, ours, _]) in
        [("add, one in a call", single), ("add, in batches", batch), ("handle", handled)]
    {
        let each = |count: u64| count as f64 / f64::from(JOBS);
        println!("{what:<20}{:>12.1}{:>14.1}", each(theirs), each(ours));
    }
}

/// The value in the middle.
fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_run_are_read() {
        let printed = "{\"case\":\"drain\",\"value\":7.0,\"unit\":\"jobs/s\"}\n\
                       {\"case\":\"peak-memory\",\"value\":9,\"unit\":\"MiB\"}\n\
                       {\"case\":\"delivery-check\",\"value\":0,\"unit\":\"lost\"}\n";
        assert_eq!(read(printed), Ok(vec![("drain".to_owned(), 7.0, "jobs/s".to_owned())]));

        for bad in ["what?", "{}", "{\"case\":\"delivery-check\",\"value\":2,\"unit\":\"lost\"}"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_odd_round_does_not_count() {
        assert_eq!(median(&[5.0, 900.0, 4.0]).to_bits(), 5.0_f64.to_bits());
    }
}
