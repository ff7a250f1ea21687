//! What is wrong with a configuration, and where.

use miette::{Diagnostic, NamedSource, SourceSpan};

use super::origin::Origin;

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
    /// Something that is wrong with the value that comes from `origin`.
    pub(crate) fn new(message: impl Into<String>, origin: &Origin) -> Self {
        let (message, mut source_code, mut span) = (message.into(), None, None);
        if let Origin::File { source, key, value } = origin {
            source_code = Some(NamedSource::new(&source.name, source.text.clone()));
            span = Some(key.clone().unwrap_or_else(|| value.clone()).into());
        }
        let message = match origin {
            Origin::BuiltIn(_) => message,
            placed => format!("{placed}: {message}"),
        };
        Self { message, source_code, span, help: None }
    }

    /// Points at the value instead of its key.
    pub(crate) fn at_value(mut self, origin: &Origin) -> Self {
        if let Origin::File { value, .. } = origin {
            self.span = Some(value.clone().into());
        }
        self
    }

    /// Says what to do.
    pub(crate) fn advise(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the configuration cannot be used: {}", count(.problems.len()))]
pub(crate) struct ConfigError {
    /// Everything that is wrong, as far as it could be told.
    #[related]
    pub(crate) problems: Vec<Problem>,
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
