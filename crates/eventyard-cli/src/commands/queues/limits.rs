//! `eventyard queues limits` and `limit`.

use std::{collections::BTreeMap, str::FromStr};

use clap::Args;
use miette::IntoDiagnostic;
use serde::Serialize;
use serde_json::Value;

use crate::{
    client::{Call, Client},
    config::{InvalidTimeSpan, TimeSpan},
    output,
};

/// The limits of a queue, over all workers.
#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    queue: String,
    #[command(flatten)]
    limits: Given,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Given {
    /// How many jobs are active at once
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
    /// How fast jobs begin, such as 100/1s
    #[arg(long, value_name = "MAX/TIME")]
    rate: Option<Rate>,
    /// How many unfinished jobs there may be that are not active; more are refused
    #[arg(long, value_name = "N")]
    max_length: Option<u64>,
    /// How many jobs of a key are active at once
    #[arg(long, value_name = "N")]
    key_concurrency: Option<u32>,
    /// How fast jobs of a key begin, such as 5/1m
    #[arg(long, value_name = "MAX/TIME")]
    key_rate: Option<Rate>,
    /// Run the jobs of a key one at a time and in order
    #[arg(long)]
    ordered: bool,
    /// How large the share of a key is; can be given several times
    #[arg(long = "weight", value_name = "KEY=N", value_parser = weight)]
    weights: Vec<(String, u32)>,
    /// Limit nothing
    #[arg(long)]
    none: bool,
}

/// How many jobs may begin in any period of a length, written as `100/1s`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Rate {
    max: u32,
    per: u64,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = |why: &dyn std::fmt::Display| format!("{why}; write it as in 100/1s");
        let (max, per) = text.split_once('/').ok_or_else(|| invalid(&"there is no `/`"))?;
        let max = max.trim().parse().map_err(|error: std::num::ParseIntError| invalid(&error))?;
        let per: TimeSpan = per.parse().map_err(|error: InvalidTimeSpan| invalid(&error))?;
        Ok(Self { max, per: u64::try_from(per.get().as_millis()).unwrap_or(u64::MAX) })
    }
}

fn weight(text: &str) -> Result<(String, u32), String> {
    let invalid = || "write it as in gold=3".to_owned();
    // A key may hold a `=`.
    let (key, weight) = text.rsplit_once('=').ok_or_else(invalid)?;
    Ok((key.to_owned(), weight.parse().map_err(|_| invalid())?))
}

/// The limits as the API takes them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Rate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u64>,
    keys: Keys,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Rate>,
    ordered: bool,
    weights: BTreeMap<String, u32>,
}

impl From<Given> for Limits {
    fn from(given: Given) -> Self {
        let Given { concurrency, rate, max_length, key_concurrency, key_rate, .. } = given;
        let weights = given.weights.into_iter().collect();
        let keys =
            Keys { concurrency: key_concurrency, rate: key_rate, ordered: given.ordered, weights };
        Self { concurrency, rate, max_length, keys }
    }
}

impl LimitArgs {
    pub(super) async fn run(self, client: &Client, json: bool) -> miette::Result<()> {
        let call = Call::put(["queues", &self.queue, "limits"]);
        let answer = client.call(call.body(&Limits::from(self.limits))?).await?;
        tell(&answer, json)
    }
}

pub(super) async fn show(client: &Client, queue: &str, json: bool) -> miette::Result<()> {
    tell(&client.call(Call::get(["queues", queue, "limits"])).await?, json)
}

fn tell(limits: &Value, json: bool) -> miette::Result<()> {
    if json {
        return output::json(limits);
    }
    if limits.as_object().is_some_and(serde_json::Map::is_empty) {
        return output::line("nothing is limited");
    }
    output::line(serde_json::to_string_pretty(limits).into_diagnostic()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_weights_are_read() {
        assert_eq!("100/1s".parse(), Ok(Rate { max: 100, per: 1000 }));
        assert_eq!("5 / 1m".parse(), Ok(Rate { max: 5, per: 60_000 }));
        for wrong in ["100", "x/1s", "5/soon", "/"] {
            let problem = wrong.parse::<Rate>().unwrap_err();
            assert!(problem.ends_with("100/1s"), "{problem}");
        }
        assert_eq!(weight("a=b=3"), Ok(("a=b".to_owned(), 3)));
        assert!(weight("gold").is_err() && weight("gold=much").is_err());
    }
}
