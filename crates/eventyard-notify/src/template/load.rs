//! Loading templates, and trying each of them before the first event comes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use eventyard::model::Timestamp;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value};

use super::{Facts, Templates, embedded::TEMPLATES, filter};
use crate::event::{
    BookingCancelled, BookingConfirmed, BookingCreated, BookingEvent, BookingReminder,
    PaymentFailed, PaymentReceived,
};

/// The folders that templates lie in.
const FOLDERS: [&str; 3] = ["mail", "notification", "ticket"];
/// How alike two names must be for the one to be taken for the other misspelt, from 0 to 1.
const ALIKE: f64 = 0.85;
/// The time of the events that templates are tried with.
const TRIAL: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// A template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template {name} {problem}")]
pub struct TemplateError {
    /// The template: `mail/booking.created.html`, or the file's path.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

impl TemplateError {
    fn new(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { name: name.into(), problem: problem.into() }
    }

    pub(super) fn of(name: &str, error: &minijinja::Error) -> Self {
        let mut problem = format!("cannot be used: {error}");
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            problem.push_str(&format!("; {inner}"));
            cause = inner.source();
        }
        Self::new(name, problem)
    }
}

impl Templates {
    /// The templates that come with the crate.
    ///
    /// # Errors
    /// Never, unless the crate itself is broken: they are tried as any others are.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::from_parts(Vec::new())
    }

    /// The templates that come with the crate, with those of a directory over them.
    ///
    /// The directory has the folders `mail`, `notification` and `ticket`; files whose names begin with `_`
    /// are parts for others to include.
    ///
    /// # Errors
    /// When the directory cannot be read, a file's name is no template's, a template has a mistake in it,
    /// or names a field that no event has.
    pub fn load(dir: &Path) -> Result<Self, TemplateError> {
        Self::from_parts(read_dir(dir)?)
    }

    fn from_parts(own: Vec<(String, String)>) -> Result<Self, TemplateError> {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.add_filter("when", filter::when);
        env.add_filter("money", filter::money);
        let embedded =
            TEMPLATES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        for (name, text) in embedded.chain(own) {
            env.add_template_owned(name.clone(), text)
                .map_err(|error| TemplateError::of(&name, &error))?;
        }
        let mut templates = Self { env, fields: Vec::new() };
        let trials = [
            trial::<BookingCreated>(),
            trial::<BookingConfirmed>(),
            trial::<BookingCancelled>(),
            trial::<BookingReminder>(),
            trial::<PaymentReceived>(),
            trial::<PaymentFailed>(),
        ];
        for trial in &trials {
            templates.fields.extend(trial.full.keys().cloned());
        }
        templates.fields.sort_unstable();
        templates.fields.dedup();
        for trial in &trials {
            templates.run(trial.kind, &trial.full)?;
            templates.run(trial.kind, &trial.least)?;
        }
        Ok(templates)
    }

    /// Renders all that is said of an event.
    fn run(&self, kind: &str, data: &Map<String, Value>) -> Result<(), TemplateError> {
        let facts = Facts { kind, id: "trial", time: TRIAL, data };
        self.mail(&facts)?;
        self.notification(&facts)?;
        self.ticket(&facts)?;
        Ok(())
    }
}

/// An event type with the data that its templates are tried with.
struct Trial {
    kind: &'static str,
    /// Every field.
    full: Map<String, Value>,
    /// The required fields alone.
    least: Map<String, Value>,
}

fn trial<E: BookingEvent>() -> Trial {
    let full = match serde_json::to_value(E::sample(TRIAL)) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let schema = E::schema().unwrap_or_default();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let mut least = full.clone();
    least.retain(|name, _| required.iter().any(|required| required == name));
    Trial { kind: E::TYPE, full, least }
}

/// The templates of a directory with their names.
fn read_dir(dir: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let mut templates = Vec::new();
    for (path, is_dir) in entries(dir)? {
        let folder = file_name(&path);
        if !is_dir {
            return Err(TemplateError::new(
                path.display().to_string(),
                format!("lies in no folder; put it into one of {}", FOLDERS.join(", ")),
            ));
        }
        if !FOLDERS.contains(&folder.as_str()) {
            let problem = format!("is no folder of templates; there are {}", FOLDERS.join(", "));
            return Err(TemplateError::new(path.display().to_string(), problem));
        }
        for (path, _) in entries(&path)? {
            let name = format!("{folder}/{}", file_name(&path));
            check_name(&name, &path)?;
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            templates.push((name, text));
        }
    }
    Ok(templates)
}

fn entries(dir: &Path) -> Result<Vec<(PathBuf, bool)>, TemplateError> {
    let read = || -> std::io::Result<Vec<_>> {
        let mut entries = fs::read_dir(dir)?
            .map(|entry| entry.map(|entry| (entry.path(), entry.path().is_dir())))
            .collect::<Result<Vec<_>, _>>()?;
        // Editors and systems leave hidden files behind.
        entries.retain(|(path, _)| !file_name(path).starts_with('.'));
        entries.sort_unstable();
        Ok(entries)
    };
    read().map_err(|error| unreadable(dir, &error))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn unreadable(path: &Path, error: &std::io::Error) -> TemplateError {
    TemplateError::new(path.display().to_string(), format!("cannot be read: {error}"))
}

/// A file that nothing uses would be a misspelt name: the mail would go out with the text it was to replace.
fn check_name(name: &str, path: &Path) -> Result<(), TemplateError> {
    let is_part = file_name(path).starts_with('_');
    let is_own_ticket = name.strip_prefix("ticket/").is_some_and(|file| {
        let kind = file.strip_suffix(".subject.txt").or(file.strip_suffix(".description.txt"));
        kind.is_some_and(|kind| crate::event::mocks().any(|mock| mock == kind.replace('.', "-")))
    });
    if is_part || is_own_ticket || TEMPLATES.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    let nearest = TEMPLATES
        .iter()
        .map(|(known, _)| (strsim::jaro_winkler(known, name), *known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = nearest.map_or_else(
        || {
            format!(
                "there are {}",
                TEMPLATES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
            )
        },
        |(_, known)| format!("did you mean {known}?"),
    );
    let problem =
        format!("is used by nothing; {hint} A part for others to include begins with `_`");
    Err(TemplateError::new(path.display().to_string(), problem))
}
