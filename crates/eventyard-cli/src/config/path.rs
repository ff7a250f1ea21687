//! Ways through the configuration.

use std::fmt;

/// The way to a value: keys, and places in lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(pub(crate) Vec<Step>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    /// A path of keys.
    pub(crate) fn of<S: Into<String>>(keys: impl IntoIterator<Item = S>) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.into())).collect())
    }

    /// This path and one key more.
    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// This path and one place in a list more.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut path = self.clone();
        path.0.push(step);
        path
    }
}

/// As TOML writes it: `queues.emails.attempts`, with the places in lists as `routes.rules[0]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        for (n, step) in self.0.iter().enumerate() {
            let dot = if n > 0 { "." } else { "" };
            match step {
                Step::Key(key) if !key.is_empty() && key.chars().all(bare) => {
                    write!(f, "{dot}{key}")?;
                }
                Step::Key(key) => write!(f, "{dot}{key:?}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_in_toml() {
        let path = Path::of(["routes", "rules"]).index(2).key("a.b");
        assert_eq!(path.to_string(), "routes.rules[2].\"a.b\"");
    }
}
