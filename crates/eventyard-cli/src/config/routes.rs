//! `[routes]`: which events go to which queues.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which events go to which queues.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Routes {
    /// Refuses events that no route takes, instead of keeping them in the log only.
    pub(crate) strict: bool,
    /// The routes. An event goes to every queue that a rule leads it to, once each.
    pub(crate) rules: Vec<Rule>,
}

/// One route: by the event's type, or by its extension attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Rule {
    /// The event type, or a pattern of words: `*` stands for one word, `#` for any number (`booking.*`).
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// Extension attributes with the values that they must have: strings, whole numbers or booleans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) headers: Option<BTreeMap<String, HeaderValue>>,
    /// Whether `all` of `headers` must match, the default, or `any`.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub(crate) matching: Option<Matching>,
    /// The queue that matching events go to.
    pub(crate) queue: String,
}

/// The value of an extension attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a string, a whole number or a boolean")]
pub(crate) enum HeaderValue {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

/// How many of the headers of a rule must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Matching {
    /// All of them; the default.
    #[default]
    All,
    /// At least one.
    Any,
}

impl From<HeaderValue> for serde_json::Value {
    fn from(value: HeaderValue) -> Self {
        match value {
            HeaderValue::Bool(value) => value.into(),
            HeaderValue::Integer(value) => value.into(),
            HeaderValue::Text(value) => value.into(),
        }
    }
}
