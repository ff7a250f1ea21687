//! Where a value of the configuration comes from.

use std::{fmt, ops::Range, sync::Arc};

/// The text of a configuration file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The file's name, as it was given.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) text: String,
}

impl Source {
    /// The line and the column of the byte at `offset`, both from 1; columns are characters.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is built in; why, in words.
    BuiltIn(&'static str),
    /// A place in a file: the key, if it has one, and the value.
    File { source: Arc<Source>, key: Option<Range<usize>>, value: Range<usize> },
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl Origin {
    /// What a value that nobody gave comes from.
    pub(crate) const DEFAULT: Self = Self::BuiltIn("default");
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(why) => f.write_str(why),
            Self::File { source, key, value } => {
                let start = key.as_ref().unwrap_or(value).start;
                let (line, column) = source.position(start);
                write!(f, "{}:{line}:{column}", source.name)
            }
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one() {
        let source = Source { name: "f".into(), text: "a\nbé c\n".into() };
        for (offset, position) in [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (6, (2, 4)), (99, (3, 1))]
        {
            assert_eq!(source.position(offset), position, "{offset}");
        }
    }
}
