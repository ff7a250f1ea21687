//! Environment variables: `EVENTYARD_QUEUES__EMAILS__ATTEMPTS=7` is `queues.emails.attempts = 7`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Value;

use super::{
    key::{Key, Keys, LIKE, PREFIX, Part, likeness, upper},
    origin::Origin,
    path::{Path, Step},
    problem::Problem,
    tree::{Content, Node},
};

/// The environment variables of the process, read once.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process. What is not Unicode is no configuration.
    pub(crate) fn of_process() -> Self {
        let pairs = std::env::vars_os();
        Self(
            pairs
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// The value of a variable; one that is set to nothing counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variables that are configuration: two underscores separate the parts of a key. Names with single ones
    /// belong to the command line, or are what container platforms set for a service named `eventyard`.
    fn configuration(&self) -> impl Iterator<Item = (&str, &str)> {
        let named =
            |(name, value): (&'_ String, &'_ String)| !value.is_empty() && name.starts_with(PREFIX);
        self.0
            .iter()
            .filter(move |pair| named(*pair))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Lays the variables over the tree.
    pub(crate) fn lay_over(&self, tree: &mut Node, keys: &Keys) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, text) in self.configuration() {
            let parts: Vec<&str> = name[PREFIX.len()..].split("__").collect();
            let origin = Origin::Variable(name.to_owned());
            match keys.iter().find_map(|key| Some((key, path(key, &parts, tree)?))) {
                Some((key, path)) => tree.set(&path, value(key, text), &origin),
                None => problems.extend(unknown(name, &parts, keys, &origin)),
            }
        }
        problems
    }
}

/// The way to `key` in the tree, when `parts` are its variable's.
fn path(key: &Key, parts: &[&str], tree: &Node) -> Option<Vec<String>> {
    if key.variable().is_none() || key.parts.len() != parts.len() {
        return None;
    }
    let mut path: Vec<String> = Vec::new();
    for (part, text) in key.parts.iter().zip(parts) {
        match part {
            Part::Name(name) if upper(name) == *text => path.push(name.clone()),
            Part::Any if !text.is_empty() => path.push(chosen(text, tree, &path)),
            _ => return None,
        }
    }
    Some(path)
}

/// The name of the user's choice that `text` stands for: one that is in use there, or else the text in lower case
/// with `-` for `_`.
fn chosen(text: &str, tree: &Node, way: &[String]) -> String {
    let way = Path(way.iter().cloned().map(Step::Key).collect());
    if let Some(Node { content: Content::Table(table), .. }) = tree.get(&way)
        && let Some(name) = table.keys().find(|name| upper(name) == text)
    {
        return name.clone();
    }
    text.to_ascii_lowercase().replace('_', "-")
}

/// The value that a variable's text stands for, by what its key can hold.
fn value(key: &Key, text: &str) -> Value {
    let can_be = |name: &str| key.types.iter().any(|kind| kind == name);
    let toml = || {
        let parsed = toml::de::ValueDeserializer::parse(text).ok()?;
        Value::deserialize(parsed).ok()
    };
    if can_be("array") && !text.trim_start().starts_with('[') {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        return Value::Array(items.map(Value::from).collect());
    }
    if key.types == ["string"] {
        return text.into();
    }
    toml().unwrap_or_else(|| text.into())
}

/// What is wrong with a variable that names no key, if it was meant to.
fn unknown(name: &str, parts: &[&str], keys: &Keys, origin: &Origin) -> Option<Problem> {
    let flat = |variable: &str| variable.replace("__", "_") == name.replace("__", "_");
    let same = keys.iter().filter_map(Key::variable).find(|variable| flat(variable));
    if parts.len() == 1 && same.is_none() {
        return None;
    }
    let problem = Problem::at_key("this variable names no key of the configuration", origin);
    Some(match same.or_else(|| nearest_variable(parts, keys)) {
        Some(nearest) => problem.advise(format!("did you mean {nearest}?")),
        None => problem.advise(
            "`eventyard config schema` tells every key; two underscores separate its parts",
        ),
    })
}

/// The variable whose parts are most like these, each of them.
fn nearest_variable(parts: &[&str], keys: &Keys) -> Option<String> {
    let likeness = |key: &Key| -> Option<f64> {
        if key.parts.len() != parts.len() {
            return None;
        }
        let pairs = key.parts.iter().zip(parts);
        let each = pairs.filter_map(|(part, text)| match part {
            Part::Name(name) => Some(likeness(&upper(name), text)),
            Part::Any | Part::Item => None,
        });
        Some(each.fold(1.0, f64::min)).filter(|likeness| *likeness > LIKE)
    };
    let known = keys.iter().filter_map(|key| Some((likeness(key)?, key.variable()?)));
    known.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, variable)| variable)
}

#[cfg(test)]
impl Environment {
    /// These variables and no others.
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_over(toml: &str, name: &str, text: &str) -> Result<Value, String> {
        let mut tree = Node::of(toml::from_str(toml).unwrap(), &Origin::DEFAULT);
        match Environment::of(&[(name, text)]).lay_over(&mut tree, &Keys::known()).pop() {
            None => Ok(tree.to_value()),
            Some(problem) => {
                let help = miette::Diagnostic::help(&problem).map(|help| help.to_string());
                Err(format!("{problem} ({})", help.unwrap_or_default()))
            }
        }
    }

    #[test]
    fn variables_are_keys() {
        let check = |before: &str, name: &str, text: &str, after: &str| {
            let expected: Value = toml::from_str(after).unwrap();
            assert_eq!(laid_over(before, name, text), Ok(expected), "{name}={text}");
        };
        let listen = "EVENTYARD_SERVER__LISTEN";
        check("", listen, "127.0.0.1:80", "server.listen = '127.0.0.1:80'");
        check("", listen, "", "");
        check("", "EVENTYARD_SERVER__SHUTDOWN_GRACE", "2s", "server.shutdown-grace = '2s'");
        check("", "EVENTYARD_SERVER__SHUTDOWN_GRACE", "500", "server.shutdown-grace = 500");
        check("", "EVENTYARD_AUTH__TOKENS", "a, 1", "auth.tokens = ['a', '1']");
        check("", "EVENTYARD_AUTH__TOKENS", "['a,b']", "auth.tokens = ['a,b']");
        check("", "EVENTYARD_CHANNELS__SMTP__PASSWORD", "1234", "channels.smtp.password = '1234'");
        check("", "EVENTYARD_CHANNELS__SMTP__PORT", "25", "channels.smtp.port = 25");
        check("", "EVENTYARD_QUEUES__EMAILS__ATTEMPTS", "7", "queues.emails.attempts = 7");
        check("", "EVENTYARD_QUEUES__MY_MAILS__ATTEMPTS", "7", "queues.my-mails.attempts = 7");
        check(
            "queues.'my_mails'.attempts = 3",
            "EVENTYARD_QUEUES__MY_MAILS__ATTEMPTS",
            "7",
            "queues.'my_mails'.attempts = 7",
        );
        check(
            "",
            "EVENTYARD_ROUTES__RULES",
            "[{type = 'a.*', queue = 'q'}]",
            "routes.rules = [{type = 'a.*', queue = 'q'}]",
        );
        check("", "EVENTYARD_TOKEN", "not ours", "");
        check("", "EVENTYARD_SERVER", "http://localhost", "");
        check("", "EVENTYARD_PORT_3000_TCP", "tcp://10.0.0.1:3000", "");
    }

    #[test]
    fn unknown_variables_name_the_nearest() {
        let check = |name: &str, expected: &str| {
            let problem = laid_over("", name, "1").unwrap_err();
            assert!(problem.contains(name) && problem.contains(expected), "{problem}");
        };
        check("EVENTYARD_SERVER__LISTN", "did you mean EVENTYARD_SERVER__LISTEN?");
        check("EVENTYARD_SERVER_LISTEN", "did you mean EVENTYARD_SERVER__LISTEN?");
        check("EVENTYARD_X__Y__Z__Q", "eventyard config schema");
    }
}
