//! Every key that can be configured, as the schema knows them.

use std::fmt;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{
    Config,
    path::{Path, Step},
};

/// A key of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    /// The way to it.
    pub(crate) parts: Vec<Part>,
    /// The types that its value may have, as JSON Schema names them; empty when it does not say.
    pub(crate) types: Vec<String>,
    /// What it is for.
    pub(crate) description: String,
    /// Its default, if it has one.
    pub(crate) default: Option<Value>,
    /// Whether it holds further keys.
    pub(crate) is_table: bool,
}

/// One part of the way to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// This name.
    Name(String),
    /// A name of the user's choice.
    Any,
    /// A place in a list.
    Item,
}

impl Part {
    fn takes(&self, step: &Step) -> bool {
        match (self, step) {
            (Self::Name(name), Step::Key(key)) => name == key,
            (Self::Any, Step::Key(_)) | (Self::Item, Step::Index(_)) => true,
            _ => false,
        }
    }
}

impl Key {
    /// Whether `path` is a way to this key.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        self.parts.len() == path.0.len() && self.leads_along(path)
    }

    fn leads_along(&self, path: &Path) -> bool {
        self.parts.iter().zip(&path.0).all(|(part, step)| part.takes(step))
    }

    /// The name of its environment variable; none inside of lists and for tables.
    pub(crate) fn variable(&self) -> Option<String> {
        if self.is_table || self.parts.contains(&Part::Item) {
            return None;
        }
        let parts = self.parts.iter().map(|part| match part {
            Part::Name(name) => upper(name),
            Part::Any | Part::Item => "<NAME>".to_owned(),
        });
        Some(format!("{PREFIX}{}", parts.collect::<Vec<_>>().join("__")))
    }
}

/// What the variables of the configuration begin with.
pub(crate) const PREFIX: &str = "EVENTYARD_";

/// A name as it is written in a variable.
pub(crate) fn upper(name: &str) -> String {
    name.replace(['-', '.'], "_").to_ascii_uppercase()
}

/// As the documentation writes it: `queues.<name>.attempts`, `routes.rules[].queue`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.parts.iter().enumerate() {
            let dot = if n > 0 { "." } else { "" };
            match part {
                Part::Name(name) => write!(f, "{dot}{name}")?,
                Part::Any => write!(f, "{dot}<name>")?,
                Part::Item => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

/// Every key, tables included, in the order of the alphabet.
#[derive(Debug)]
pub(crate) struct Keys(Vec<Key>);

impl Keys {
    /// The keys of [`Config`].
    pub(crate) fn known() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
        let schema = settings.into_generator().into_root_schema_for::<Config>().to_value();
        let mut keys = Vec::new();
        collect(&schema, None, &[], &mut keys);
        keys.sort_by_key(ToString::to_string);
        keys.dedup_by(|a, b| a.parts == b.parts);
        Self(keys)
    }

    /// Every key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    /// The key that `path` leads to.
    pub(crate) fn get(&self, path: &Path) -> Option<&Key> {
        self.0.iter().find(|key| key.is_at(path))
    }

    /// The names that may follow `path`.
    pub(crate) fn names_in(&self, path: &Path) -> Vec<&str> {
        let below = |key: &&Key| key.parts.len() == path.0.len() + 1 && key.leads_along(path);
        self.0
            .iter()
            .filter(below)
            .filter_map(|key| match key.parts.last() {
                Some(Part::Name(name)) => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// How alike two names must be for the one to be taken for the other misspelt.
pub(crate) const LIKE: f64 = 0.75;

/// How alike two names are, from 0 to 1.
pub(crate) fn likeness(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(&a.to_lowercase(), &b.to_lowercase())
}

/// The one of `names` that `wrong` most likely stands for.
pub(crate) fn nearest<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let known = names.into_iter().map(|name| (likeness(wrong, name), name));
    let alike = known.filter(|(likeness, _)| *likeness > LIKE);
    alike.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

fn collect(schema: &Value, default: Option<&Value>, parts: &[Part], keys: &mut Vec<Key>) {
    for schema in alternatives(schema) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, below) in properties.into_iter().flatten() {
            // What a table is by default says what is in it.
            let default = default.and_then(|default| default.get(name)).or(below.get("default"));
            add(below, default, parts, Part::Name(name.clone()), keys);
        }
        if let Some(below) = schema.get("additionalProperties").filter(|below| below.is_object()) {
            add(below, below.get("default"), parts, Part::Any, keys);
        }
        if let Some(below) = schema.get("items") {
            let parts = [parts, &[Part::Item]].concat();
            collect(below, None, &parts, keys);
        }
    }
}

fn add(schema: &Value, default: Option<&Value>, parts: &[Part], part: Part, keys: &mut Vec<Key>) {
    let parts = [parts, &[part]].concat();
    let before = keys.len();
    collect(schema, default, &parts, keys);
    keys.push(Key {
        types: types(schema),
        description: schema["description"].as_str().unwrap_or_default().replace('\n', " "),
        default: default.filter(|value| !value.is_null()).cloned(),
        is_table: keys.len() > before && !types(schema).contains(&"array".to_owned()),
        parts,
    });
}

/// A schema and the schemas that it is a choice of.
fn alternatives(schema: &Value) -> Vec<&Value> {
    let choices =
        ["anyOf", "oneOf"].into_iter().filter_map(|choice| schema.get(choice)?.as_array());
    std::iter::once(schema).chain(choices.flatten().flat_map(alternatives)).collect()
}

fn types(schema: &Value) -> Vec<String> {
    let named = |schema: &Value| match schema.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let mut types: Vec<String> = alternatives(schema).into_iter().flat_map(named).collect();
    types.retain(|name| name != "null");
    types.sort();
    types.dedup();
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        let keys = Keys::known();
        keys.iter().find(|key| key.to_string() == name).cloned().unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn keys_come_from_the_schema() {
        let check = |name: &str, types: &[&str], variable: Option<&str>| {
            let key = key(name);
            assert_eq!(key.types, types, "{name}");
            assert_eq!(key.variable().as_deref(), variable, "{name}");
        };
        check("server.listen", &["string"], Some("EVENTYARD_SERVER__LISTEN"));
        check("queues.<name>.attempts", &["integer"], Some("EVENTYARD_QUEUES__<NAME>__ATTEMPTS"));
        check(
            "queues.<name>.backoff.delay",
            &["integer", "string"],
            Some("EVENTYARD_QUEUES__<NAME>__BACKOFF__DELAY"),
        );
        check("channels.smtp.port", &["integer"], Some("EVENTYARD_CHANNELS__SMTP__PORT"));
        check("channels.smtp", &["object"], None);
        check("routes.rules", &["array"], Some("EVENTYARD_ROUTES__RULES"));
        check("routes.rules[].queue", &["string"], None);
        check("store.synchronous", &["string"], Some("EVENTYARD_STORE__SYNCHRONOUS"));
    }

    #[test]
    fn the_nearest_name_is_found() {
        let names = ["attempts", "backoff", "concurrency"];
        for (wrong, right) in
            [("atempts", Some("attempts")), ("Backof", Some("backoff")), ("zzz", None)]
        {
            assert_eq!(nearest(wrong, names), right, "{wrong}");
        }
    }
}
