//! Showing what is in force: TOML that can be read back, each value with where it comes from.

use std::fmt::{self, Write};

use serde_json::json;
use toml::Value;

use super::{Loaded, origin::Origin, path::Path, tree::Node};

/// What is in force, secrets masked.
pub(crate) struct Shown<'a> {
    values: Value,
    loaded: &'a Loaded,
}

impl Loaded {
    /// What is in force, secrets masked.
    ///
    /// # Errors
    /// When the configuration cannot be written as TOML, which is a bug.
    pub(crate) fn show(&self) -> Result<Shown<'_>, toml::ser::Error> {
        Ok(Shown { values: Value::try_from(&self.config)?, loaded: self })
    }
}

impl Shown<'_> {
    /// The same for programs: the configuration, and the origin of each value by its path.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let mut origins = serde_json::Map::new();
        self.each(&mut |path, _, origin| {
            origins.insert(path.to_string(), origin.to_string().into());
        });
        json!({
            "file": self.loaded.file,
            "config": self.values,
            "origins": origins,
            "notes": self.loaded.notes,
        })
    }

    /// Visits each value that is no table.
    fn each(&self, visit: &mut impl FnMut(&Path, &Value, Origin)) {
        let mut waiting = vec![(Path::default(), &self.values)];
        while let Some((path, value)) = waiting.pop() {
            if let Value::Table(table) = value {
                let below = table.iter().rev();
                waiting.extend(below.map(|(key, value)| (path.key(key), value)));
                continue;
            }
            let node = self.loaded.tree.get(&path);
            visit(&path, value, node.map_or(Origin::DEFAULT, Node::origin));
        }
    }
}

impl Node {
    fn origin(&self) -> Origin {
        self.origin.clone()
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<(String, String)> = Vec::new();
        self.each(&mut |path, value, origin| match value {
            Value::Array(items) if items.iter().any(Value::is_table) => {
                lines.push((format!("{path} = ["), String::new()));
                for (n, item) in items.iter().enumerate() {
                    let node = self.loaded.tree.get(&path.index(n));
                    let origin = node.map_or_else(|| origin.clone(), Node::origin);
                    lines.push((format!("  {item},"), origin.to_string()));
                }
                lines.push(("]".to_owned(), String::new()));
            }
            value => lines.push((format!("{path} = {value}"), origin.to_string())),
        });
        let width = |(line, origin): &(String, String)| match origin.as_str() {
            "" => 0,
            _ => line.chars().count(),
        };
        let column = lines.iter().map(width).filter(|width| *width <= 60).max().unwrap_or(0);
        let mut text = String::new();
        for (line, origin) in lines {
            match origin.as_str() {
                "" => writeln!(text, "{line}")?,
                origin => writeln!(text, "{line:column$}  # {origin}")?,
            }
        }
        f.write_str(text.trim_end())
    }
}
