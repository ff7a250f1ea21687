//! The merged configuration before it has types: every value with its origin.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use toml::{
    Spanned, Value,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    origin::{Origin, Source},
    path::{Path, Step},
    problem::Problem,
};

/// One value with where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) content: Content,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    Leaf(Value),
}

impl Node {
    /// An empty table.
    pub(crate) fn root() -> Self {
        Self { origin: Origin::DEFAULT, content: Content::Table(BTreeMap::new()) }
    }

    /// A value, with one origin for all of it.
    pub(crate) fn of(value: Value, origin: &Origin) -> Self {
        let content = match value {
            Value::Table(table) => Content::Table(
                table.into_iter().map(|(key, value)| (key, Self::of(value, origin))).collect(),
            ),
            Value::Array(items) => {
                Content::List(items.into_iter().map(|item| Self::of(item, origin)).collect())
            }
            leaf => Content::Leaf(leaf),
        };
        Self { origin: origin.clone(), content }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Tells every place where it is not TOML.
    pub(crate) fn parse(source: &Arc<Source>) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        if errors.is_empty() {
            let span = table.span();
            let origin = Origin::File { source: Arc::clone(source), key: None, value: span };
            return Ok(Self { origin, content: entries(table.into_inner(), source) });
        }
        let end = source.text.len();
        Err(errors
            .iter()
            .map(|error| {
                let value = error.span().unwrap_or(end..end);
                let origin = Origin::File { source: Arc::clone(source), key: None, value };
                Problem::at_key(format!("this is not TOML: {}", error.message()), &origin)
            })
            .collect())
    }

    /// Lays `other` over this: tables are merged, anything else is replaced.
    pub(crate) fn merge(&mut self, other: Self) {
        match (&mut self.content, other.content) {
            (Content::Table(mine), Content::Table(theirs)) => {
                for (key, theirs) in theirs {
                    match mine.get_mut(&key) {
                        Some(mine) => mine.merge(theirs),
                        None => {
                            mine.insert(key, theirs);
                        }
                    }
                }
                self.origin = other.origin;
            }
            (_, content) => *self = Self { origin: other.origin, content },
        }
    }

    /// Puts a value at the end of a path of keys, with tables on the way.
    pub(crate) fn set(&mut self, keys: &[String], value: Value, origin: &Origin) {
        let wrapped = keys.iter().rev().fold(Self::of(value, origin), |node, key| Self {
            origin: origin.clone(),
            content: Content::Table(BTreeMap::from([(key.clone(), node)])),
        });
        let kept = self.origin.clone();
        self.merge(wrapped);
        self.origin = kept;
    }

    /// Forgets the value at the end of a path of keys.
    pub(crate) fn unset(&mut self, keys: &[&str]) {
        self.remove(&Path::of(keys.iter().copied()));
    }

    /// Takes out the value at the end of a path; false when there is none.
    pub(crate) fn remove(&mut self, path: &Path) -> bool {
        let Some((last, way)) = path.0.split_last() else { return false };
        let mut node = self;
        for step in way {
            match node.child_mut(step) {
                Some(child) => node = child,
                None => return false,
            }
        }
        match (&mut node.content, last) {
            (Content::Table(table), Step::Key(key)) => table.remove(key).is_some(),
            (Content::List(items), Step::Index(index)) if *index < items.len() => {
                items.remove(*index);
                true
            }
            _ => false,
        }
    }

    /// The node at the end of a path of keys, to be changed.
    pub(crate) fn at_mut(&mut self, keys: &[&str]) -> Option<&mut Self> {
        let mut node = self;
        for key in keys {
            node = node.child_mut(&Step::Key((*key).to_owned()))?;
        }
        Some(node)
    }

    /// The node at the end of a path.
    pub(crate) fn get(&self, path: &Path) -> Option<&Self> {
        path.0.iter().try_fold(self, |node, step| node.child(step))
    }

    /// The deepest node on the way to a path.
    pub(crate) fn nearest(&self, path: &Path) -> &Self {
        let mut node = self;
        for step in &path.0 {
            match node.child(step) {
                Some(child) => node = child,
                None => break,
            }
        }
        node
    }

    fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.content, step) {
            (Content::Table(table), Step::Key(key)) => table.get(key),
            (Content::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    fn child_mut(&mut self, step: &Step) -> Option<&mut Self> {
        match (&mut self.content, step) {
            (Content::Table(table), Step::Key(key)) => table.get_mut(key),
            (Content::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        }
    }

    /// The value without its origins.
    pub(crate) fn to_value(&self) -> Value {
        match &self.content {
            Content::Table(table) => Value::Table(
                table.iter().map(|(key, node)| (key.clone(), node.to_value())).collect(),
            ),
            Content::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Content::Leaf(value) => value.clone(),
        }
    }
}

fn entries(table: DeTable<'_>, source: &Arc<Source>) -> Content {
    Content::Table(
        table
            .into_iter()
            .map(|(key, value)| {
                let mut node = node(value, source);
                if let Origin::File { key: place, .. } = &mut node.origin {
                    *place = Some(key.span());
                }
                (key.into_inner().into_owned(), node)
            })
            .collect(),
    )
}

fn node(value: Spanned<DeValue<'_>>, source: &Arc<Source>) -> Node {
    let span = value.span();
    let content = match value.into_inner() {
        DeValue::Table(table) => entries(table, source),
        DeValue::Array(items) => {
            Content::List(items.into_iter().map(|item| node(item, source)).collect())
        }
        leaf => {
            let text = source.text.get(span.clone()).unwrap_or_default();
            let leaf = ValueDeserializer::from(Spanned::new(span.clone(), leaf));
            // A number that TOML allows and that fits no integer here stays a text; its key refuses it.
            Content::Leaf(Value::deserialize(leaf).unwrap_or_else(|_| text.into()))
        }
    };
    Node { origin: Origin::File { source: Arc::clone(source), key: None, value: span }, content }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Node {
        let source = Arc::new(Source { name: "f.toml".into(), text: text.into() });
        Node::parse(&source).unwrap()
    }

    #[test]
    fn layers_replace_single_keys() {
        let mut tree = parse("[a]\nx = 1\ny = 2\nlist = [1, 2]\n");
        tree.merge(parse("[a]\ny = 3\nlist = [9]\n[b]\nz = true\n"));
        let expected: Value =
            toml::from_str("[a]\nx = 1\ny = 3\nlist = [9]\n[b]\nz = true\n").unwrap();
        assert_eq!(tree.to_value(), expected);
    }

    #[test]
    fn values_know_their_place() {
        let tree = parse("[a]\nx = 1\nl = [\n  { y = 2 },\n]\n");
        let check = |path: Path, place: &str| {
            assert_eq!(tree.nearest(&path).origin.to_string(), place, "{path}");
        };
        check(Path::of(["a", "x"]), "f.toml:2:1");
        check(Path::of(["a", "l"]).index(0), "f.toml:4:3");
        check(Path::of(["a", "l"]).index(0).key("y"), "f.toml:4:5");
        check(Path::of(["a", "l"]).index(0).key("absent"), "f.toml:4:3");
    }

    #[test]
    fn single_keys_are_set_and_forgotten() {
        let mut tree = parse("[a]\nx = 1\n");
        tree.set(&["a".into(), "b".into(), "c".into()], 5.into(), &Origin::Flag("--c"));
        assert_eq!(tree.get(&Path::of(["a", "b", "c"])).unwrap().origin.to_string(), "--c");
        assert_eq!(tree.get(&Path::of(["a", "x"])).unwrap().origin.to_string(), "f.toml:2:1");
        tree.unset(&["a", "b", "c"]);
        assert!(tree.get(&Path::of(["a", "b", "c"])).is_none());
    }
}
