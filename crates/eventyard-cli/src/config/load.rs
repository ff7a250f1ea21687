//! Loading: lays the layers over each other and makes a [`Config`] of them, or tells what is wrong.

use std::{
    fmt, fs,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use serde_path_to_error::Segment;
use toml::Value;

use super::{
    Config, ConfigError, Environment, Problem, built_in,
    key::{Keys, nearest},
    legacy,
    origin::{Origin, Source},
    path::{Path, Step},
    tree::{Content, Node},
    validate::validate,
};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "eventyard.toml";
/// The most problems that are told at once.
const MAX_PROBLEMS: usize = 20;

/// One flag of the command line that sets or unsets a key.
#[derive(Debug, Clone)]
pub(crate) struct Flag {
    /// The flag, as it is written.
    pub(crate) name: &'static str,
    /// The section and the key.
    pub(crate) key: [&'static str; 2],
    /// The value; none to forget what other layers say.
    pub(crate) value: Option<Value>,
}

/// What a configuration is made of.
#[derive(Default)]
pub(crate) struct Layers {
    /// The file that was named; otherwise `eventyard.toml` in the working folder, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// The environment variables.
    pub(crate) environment: Environment,
    /// The flags.
    pub(crate) flags: Vec<Flag>,
    /// Whether the defaults are those of `eventyard dev`.
    pub(crate) dev: bool,
}

/// A configuration that makes sense.
pub(crate) struct Loaded {
    /// The configuration.
    pub(crate) config: Config,
    /// The same with where each value comes from.
    pub(super) tree: Node,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// What a person should know, although nothing is wrong.
    pub(crate) notes: Vec<String>,
}

/// The tree is left out: it holds the secrets as they were given.
impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Layers {
    /// Reads the file, lays the layers over each other and checks the whole.
    ///
    /// # Errors
    /// Tells everything that is wrong, with the place where it was written and the nearest known key.
    pub(crate) fn load(self) -> Result<Loaded, ConfigError> {
        let keys = Keys::known();
        let (file, mut given) = self.read()?;
        let notes = legacy::lay_over(&self.environment, &mut given);
        let mut problems = self.environment.lay_over(&mut given, &keys);
        for flag in self.flags {
            match flag.value {
                Some(value) => {
                    given.set(&flag.key.map(str::to_owned), value, &Origin::Flag(flag.name));
                }
                None => given.unset(&flag.key),
            }
        }
        let mut tree = built_in::under(given, self.dev);
        unknown_keys(&tree, &Path::default(), &keys, &mut problems);
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let config = typed(&mut tree)?;
        let problems = validate(&config, &tree);
        if problems.is_empty() {
            Ok(Loaded { config, tree, file, notes })
        } else {
            Err(problems.into())
        }
    }

    fn read(&self) -> Result<(Option<PathBuf>, Node), ConfigError> {
        let file = match &self.file {
            Some(file) => file.clone(),
            None if FilePath::new(DEFAULT_FILE).is_file() => DEFAULT_FILE.into(),
            None => return Ok((None, Node::root())),
        };
        let text = fs::read_to_string(&file).map_err(|error| {
            let message = format!("cannot read {}: {error}", file.display());
            Problem::at_key(message, &Origin::DEFAULT)
                .advise("name another file with --config, or leave it out to use the defaults")
        })?;
        let source = Arc::new(Source { name: file.display().to_string(), text });
        Ok((Some(file), Node::parse(&source)?))
    }
}

/// Tells every key of the tree that is not known.
fn unknown_keys(node: &Node, path: &Path, keys: &Keys, problems: &mut Vec<Problem>) {
    match &node.content {
        Content::Table(table) => {
            for (name, below) in table {
                let path_below = path.key(name);
                if keys.get(&path_below).is_some() {
                    unknown_keys(below, &path_below, keys, problems);
                } else if !keys.names_in(path).is_empty() && problems.len() < MAX_PROBLEMS {
                    problems.push(unknown_key(name, path, &below.origin, keys));
                }
            }
        }
        Content::List(items) => {
            for (n, item) in items.iter().enumerate() {
                unknown_keys(item, &path.index(n), keys, problems);
            }
        }
        Content::Leaf(_) => {}
    }
}

fn unknown_key(name: &str, path: &Path, origin: &Origin, keys: &Keys) -> Problem {
    let names = keys.names_in(path);
    let place = if path.0.is_empty() { String::new() } else { format!(" in {path}") };
    let problem = Problem::at_key(format!("unknown key `{name}`{place}"), origin);
    match nearest(name, names.iter().copied()) {
        Some(nearest) => problem.advise(format!("did you mean `{nearest}`?")),
        None => problem.advise(format!("the keys there are {}", names.join(", "))),
    }
}

/// Gives the tree its types. A value that does not fit is left out and the rest is tried again, so that all of
/// them are told.
fn typed(tree: &mut Node) -> Result<Config, ConfigError> {
    let mut problems = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, Config>(tree.to_value()) {
            Ok(config) if problems.is_empty() => return Ok(config),
            Ok(_) => return Err(problems.into()),
            Err(error) => error,
        };
        let path = Path(error.path().iter().filter_map(step).collect());
        let message = format!("{path}: {}", error.inner().message());
        problems.push(Problem::of(message, tree.nearest(&path)));
        if problems.len() == MAX_PROBLEMS || !tree.remove(&path) {
            return Err(problems.into());
        }
    }
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

#[cfg(test)]
mod tests;
