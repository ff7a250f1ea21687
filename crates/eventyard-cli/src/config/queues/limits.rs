//! `[queues.NAME.limits]`: what a queue allows at once.

use std::collections::BTreeMap;

use eventyard::{QueueLimits, Rate};
use eventyard_core::{GroupKey, KeyLimits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TimeSpan;

/// What the queue allows at once, over all workers of all processes. It replaces what the store has when this process
/// starts. When absent, what the store has stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct LimitsConfig {
    /// How many jobs are active at once, over all processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    /// How fast jobs begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<RateConfig>,
    /// How many unfinished jobs there may be that are not active; more are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u64>,
    /// What holds for each key by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<KeysConfig>,
}

/// How many jobs may begin in any period of a length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RateConfig {
    /// The most jobs that begin in one period.
    max: u32,
    /// The period's length, up to 31 days.
    per: TimeSpan,
}

/// What holds for each key of a queue by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct KeysConfig {
    /// How many jobs of a key are active at once, over all processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    /// How fast jobs of a key begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<RateConfig>,
    /// Jobs of a key run one at a time and in order, retries included.
    ordered: bool,
    /// How large the shares of keys are, 1 to 1000; 1 for those that are not named.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Share>")]
    weights: BTreeMap<GroupKey, u32>,
}

/// The share of this key.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only describes the value")]
struct Share(#[schemars(range(min = 1, max = 1000))] u32);

impl From<RateConfig> for Rate {
    fn from(RateConfig { max, per }: RateConfig) -> Self {
        Self::new(max, per.get())
    }
}

impl From<&LimitsConfig> for QueueLimits {
    fn from(limits: &LimitsConfig) -> Self {
        let LimitsConfig { concurrency, rate, max_length, keys } = limits;
        Self {
            concurrency: *concurrency,
            rate: rate.map(Into::into),
            max_length: *max_length,
            keys: keys.as_ref().map(Into::into).unwrap_or_default(),
        }
    }
}

impl From<&KeysConfig> for KeyLimits {
    fn from(keys: &KeysConfig) -> Self {
        let KeysConfig { concurrency, rate, ordered, weights } = keys;
        Self {
            concurrency: *concurrency,
            rate: rate.map(Into::into),
            ordered: *ordered,
            weights: weights.clone(),
        }
    }
}
