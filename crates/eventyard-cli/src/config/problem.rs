//! What is wrong with a configuration, and where.

use std::ops::Range;

use miette::{Diagnostic, NamedSource, Report, SourceSpan};

use super::{
    origin::Origin,
    secret::mask_line,
    tree::{Content, Node},
};

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, thiserror::Error, Diagnostic)]
#[error("{message}")]
pub(crate) struct Problem {
    /// What is wrong, and where: the file with line and column, the variable, or the flag.
    message: String,
    #[source_code]
    source_code: Option<NamedSource<String>>,
    #[label("here")]
    span: Option<SourceSpan>,
    #[help]
    help: Option<String>,
}

impl Problem {
    /// Something that is wrong with the key, or with all that `origin` stands for.
    pub(crate) fn at_key(message: impl Into<String>, origin: &Origin) -> Self {
        let place = match origin {
            Origin::File { key, value, .. } => key.clone().unwrap_or_else(|| value.clone()),
            _ => 0..0,
        };
        Self::at(place, message.into(), origin)
    }

    /// Something that is wrong with a value: of a table, the key is pointed at.
    pub(crate) fn of(message: impl Into<String>, node: &Node) -> Self {
        match (&node.content, &node.origin) {
            (Content::List(_) | Content::Leaf(_), Origin::File { value, .. }) => {
                Self::at(value.clone(), message.into(), &node.origin)
            }
            (_, origin) => Self::at_key(message, origin),
        }
    }

    fn at(place: Range<usize>, message: String, origin: &Origin) -> Self {
        match origin {
            Origin::BuiltIn(_) => Self { message, source_code: None, span: None, help: None },
            Origin::Variable(_) | Origin::Flag(_) => Self {
                message: format!("{origin}: {message}"),
                source_code: None,
                span: None,
                help: None,
            },
            Origin::File { source, .. } => {
                let (line, column) = source.position(place.start);
                Self {
                    message: format!("{}:{line}:{column}: {message}", source.name),
                    source_code: Some(NamedSource::new(&source.name, shown(&source.text, &place))),
                    span: Some(place.into()),
                    help: None,
                }
            }
        }
    }

    /// Says what to do.
    pub(crate) fn advise(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The lines of a text that a place is in, without their secrets; of the others nothing, since they may hold some. Each
/// byte stays where it is.
fn shown(text: &str, place: &Range<usize>) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let start = shown.len();
        if start <= place.end && place.start < start + line.len() {
            shown.push_str(&mask_line(line));
        } else {
            let content = line.trim_end_matches(['\r', '\n']);
            shown.extend(std::iter::repeat_n(' ', content.len()));
            shown.push_str(&line[content.len()..]);
        }
    }
    shown
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the configuration cannot be used: {}", count(.problems.len()))]
pub(crate) struct ConfigError {
    /// Everything that is wrong, as far as it could be told.
    #[related]
    pub(crate) problems: Vec<Problem>,
}

impl ConfigError {
    /// The error as it is shown: a single problem speaks for itself.
    pub(crate) fn report(mut self) -> Report {
        match self.problems.len() {
            1 => self.problems.remove(0).into(),
            _ => self.into(),
        }
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 problem".to_owned() } else { format!("{n} problems") }
}

impl From<Vec<Problem>> for ConfigError {
    fn from(problems: Vec<Problem>) -> Self {
        Self { problems }
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown_but_the_lines_it_is_about() {
        let text = "token = \"a\"\r\n[store]\nurl = \"redis://:b@h:x\"\npassword = \"ü\"\n";
        let at = text.find("\"redis").unwrap();
        assert_eq!(
            shown(text, &(at..at + 16)),
            "           \r\n       \nurl = \"redis://:*@h:x\"\n               \n"
        );
        assert_eq!(shown(text, &(0..5)).lines().next().unwrap(), "token = \"*\"");
        let all = shown(text, &(0..text.len()));
        assert_eq!(all, "token = \"*\"\r\n[store]\nurl = \"redis://:*@h:x\"\npassword = \"**\"\n");
    }
}
