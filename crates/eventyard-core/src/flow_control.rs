//! What a queue allows at once: how many jobs, how fast, and how many may wait.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{GroupKey, time::serde_millis};

/// The most that a rate may allow in its period.
pub const MAX_RATE: u32 = 1_000_000;
/// The longest period of a rate.
pub const MAX_RATE_PERIOD: Duration = Duration::from_secs(31 * 24 * 60 * 60);
/// The largest weight of a key.
pub const MAX_WEIGHT: u32 = 1000;
/// The most keys of a queue that have a weight of their own.
pub const MAX_WEIGHTS: usize = 10_000;

/// How many jobs may begin in any period of a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The most jobs that begin in one period.
    pub max: u32,
    /// The period's length; milliseconds in JSON.
    #[serde(with = "serde_millis")]
    pub per: Duration,
}

impl Rate {
    /// `max` jobs in any period of this length.
    #[must_use]
    pub const fn new(max: u32, per: Duration) -> Self {
        Self { max, per }
    }

    /// `max` jobs in any second.
    #[must_use]
    pub const fn per_second(max: u32) -> Self {
        Self::new(max, Duration::from_secs(1))
    }
}

/// The limits of a queue, over all workers of all processes. What is left out is not limited.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct QueueLimits {
    /// How many jobs are active at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// How fast jobs begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// How many unfinished jobs there may be that are not active; more are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// What holds for each key by itself.
    #[serde(skip_serializing_if = "KeyLimits::is_default")]
    pub keys: KeyLimits,
}

/// What holds for each key of a queue by itself. Jobs without a key are together one key more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KeyLimits {
    /// How many jobs of a key are active at once. Does not hold for jobs without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// How fast jobs of a key begin. Does not hold for jobs without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Jobs of a key run one at a time and in order: while one of them is active or waits for its next attempt, no
    /// other begins, and it keeps its place among them. Does not hold for jobs without a key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ordered: bool,
    /// How large the share of a key is next to the others; 1 for those that are not named.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<GroupKey, u32>,
}

/// A limit that is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidLimit {
    /// The limit's name in JSON.
    pub field: String,
    /// What is wrong, and the range.
    pub problem: String,
}

impl QueueLimits {
    /// Checks every limit against its range.
    ///
    /// # Errors
    /// Names the first limit that is out of range, and the range.
    pub fn validate(&self) -> Result<(), InvalidLimit> {
        at_least_one("concurrency", self.concurrency.map(u64::from))?;
        at_least_one("maxLength", self.max_length)?;
        at_least_one("keys.concurrency", self.keys.concurrency.map(u64::from))?;
        check_rate("rate", self.rate)?;
        check_rate("keys.rate", self.keys.rate)?;
        let weights = &self.keys.weights;
        if weights.len() > MAX_WEIGHTS {
            let problem = format!("names {} keys; at most {MAX_WEIGHTS}", weights.len());
            return Err(InvalidLimit { field: "keys.weights".to_owned(), problem });
        }
        match weights.iter().find(|(_, weight)| !(1..=MAX_WEIGHT).contains(*weight)) {
            Some((key, weight)) => Err(InvalidLimit {
                field: format!("keys.weights.{key}"),
                problem: format!("is {weight}; use 1 to {MAX_WEIGHT}"),
            }),
            None => Ok(()),
        }
    }

    /// Whether nothing is limited.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}

impl KeyLimits {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// How many jobs of a key may be active at once.
    #[must_use]
    pub fn active(&self) -> u32 {
        if self.ordered { 1 } else { self.concurrency.unwrap_or(u32::MAX) }
    }

    /// The weight of a key.
    #[must_use]
    pub fn weight(&self, key: Option<&GroupKey>) -> u32 {
        key.and_then(|key| self.weights.get(key)).copied().unwrap_or(1).max(1)
    }
}

fn at_least_one(field: &str, value: Option<u64>) -> Result<(), InvalidLimit> {
    if value != Some(0) {
        return Ok(());
    }
    let problem = "is 0; use 1 or more, or leave it out; to stop a queue, pause it".to_owned();
    Err(InvalidLimit { field: field.to_owned(), problem })
}

fn check_rate(field: &str, rate: Option<Rate>) -> Result<(), InvalidLimit> {
    let Some(Rate { max, per }) = rate else { return Ok(()) };
    if !(1..=MAX_RATE).contains(&max) {
        let problem = format!("is {max}; use 1 to {MAX_RATE}");
        return Err(InvalidLimit { field: format!("{field}.max"), problem });
    }
    if per < Duration::from_millis(1) || per > MAX_RATE_PERIOD {
        let problem = format!("is {} ms; use 1 ms to 31 days", per.as_millis());
        return Err(InvalidLimit { field: format!("{field}.per"), problem });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_range_names_the_field() {
        let check = |json: &str, field: Option<&str>| {
            let limits: QueueLimits = serde_json::from_str(json).unwrap();
            assert_eq!(limits.validate().err().map(|e| e.field).as_deref(), field, "{json}");
        };
        check("{}", None);
        check(r#"{"concurrency":0}"#, Some("concurrency"));
        check(r#"{"maxLength":0}"#, Some("maxLength"));
        check(r#"{"rate":{"max":0,"per":1000}}"#, Some("rate.max"));
        check(r#"{"rate":{"max":1,"per":0}}"#, Some("rate.per"));
        check(r#"{"keys":{"rate":{"max":1,"per":99999999999}}}"#, Some("keys.rate.per"));
        check(r#"{"keys":{"weights":{"a":0}}}"#, Some("keys.weights.a"));
    }

    #[test]
    fn unlimited_is_an_empty_object() {
        assert_eq!(serde_json::to_string(&QueueLimits::default()).unwrap(), "{}");
    }
}
