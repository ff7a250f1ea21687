//! BullMQ and Eventyard in turns on one Redis.
//!
//! Both go through the same cases with the same jobs, rules and numbers at once, each in one process. What is compared is
//! the median of the rounds, since speeds drift on a machine that others use.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

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

/// The values of a figure, round by round: a number of jobs in a second, or milliseconds.
#[derive(Debug, Default)]
struct Figure {
    unit: String,
    theirs: Vec<f64>,
    ours: Vec<f64>,
}

/// Measures, and prints the two sides next to each other.
pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let node = test::prepare(workspace)?;
    invocation::run(&mut workspace.cargo("build --release -p eventyard-cli".split(' ')))?;
    let folder = workspace.target.join(format!("bench-redis-{}", std::process::id()));
    let redis = Redis::start(folder)?;

    let mut theirs = Command::new("node");
    theirs.arg(workspace.root.join("crates/eventyard-redis/benches/bullmq.mjs"));
    theirs.arg(redis.port.to_string()).env("EVENTYARD_NODE", node);

    let mut figures = BTreeMap::<String, Figure>::new();
    let mut commands = BTreeMap::<&str, (u64, u64)>::new();
    for round in 0..ROUNDS {
        for case in CASES {
            eprintln!("round {} of {ROUNDS}: {case}", round + 1);
            let mut counted = (0, 0);
            // Who comes first changes, in case the second finds the machine warm.
            for is_ours in [round % 2 == 1, round % 2 == 0] {
                redis.clear()?;
                let mut command = if is_ours {
                    eventyard(workspace, redis.port, case)
                } else {
                    let mut command = again(&theirs);
                    command.arg(settings(case).to_string());
                    command
                };
                for (name, value, unit) in read(&invocation::output(&mut command)?)? {
                    let figure = figures.entry(name).or_default();
                    figure.unit = unit;
                    if is_ours { &mut figure.ours } else { &mut figure.theirs }.push(value);
                }
                *(if is_ours { &mut counted.1 } else { &mut counted.0 }) = redis.commands()?;
            }
            commands.entry(case).or_insert(counted);
        }
    }
    print(&figures, &commands);
    Ok(())
}

fn settings(case: &str) -> Value {
    json!({
        "case": case, "jobs": JOBS, "producers": PRODUCERS, "batch": BATCH,
        "concurrency": CONCURRENCY, "payload": PAYLOAD,
    })
}

fn eventyard(workspace: &Workspace, port: u16, case: &str) -> Command {
    let mut command = Command::new(workspace.target.join("release/eventyard"));
    command.args(["bench", "--json", "--only", case]);
    command.args(["--store", &format!("redis://127.0.0.1:{port}/0?prefix=bench")]);
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

/// The same command once more.
fn again(command: &Command) -> Command {
    let mut again = Command::new(command.get_program());
    again.args(command.get_args());
    again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    again
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

fn print(figures: &BTreeMap<String, Figure>, commands: &BTreeMap<&str, (u64, u64)>) {
    println!(
        "{JOBS} jobs of {PAYLOAD} bytes, {PRODUCERS} producers, batches of {BATCH}, concurrency \
         {CONCURRENCY}; medians of {ROUNDS}; Redis appends to a file and syncs it every second\n"
    );
    println!("{:<28}{:>12}{:>12}  {:<7}{:>8}", "", "BullMQ 6.7", "Eventyard", "", "better");
    for (name, Figure { unit, theirs, ours }) in figures {
        let (theirs, ours) = (median(theirs), median(ours));
        let better = if unit == "ms" { theirs / ours } else { ours / theirs };
        let decimals = if unit == "ms" { 3 } else { 0 };
        println!("{name:<28}{theirs:>12.decimals$}{ours:>12.decimals$}  {unit:<7}{better:>7.2}x");
    }
    println!("\nRedis commands for each job, those of scripts included");
    let all = |case| commands.get(case).copied().unwrap_or_default();
    let (single, batch, drain) = (all("enqueue-single"), all("enqueue-batch"), all("drain"));
    // A drain begins by adding its jobs in batches.
    let handled = (drain.0.saturating_sub(batch.0), drain.1.saturating_sub(batch.1));
    for (what, (theirs, ours)) in
        [("add, one in a call", single), ("add, in batches", batch), ("handle", handled)]
    {
        let each = |count: u64| count as f64 / f64::from(JOBS);
        println!("{what:<28}{:>12.1}{:>12.1}", each(theirs), each(ours));
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
