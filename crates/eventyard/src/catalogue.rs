//! The catalogue: every event type that is known, with its schema.

use std::{collections::BTreeMap, sync::Arc};

use eventyard_core::Event as Envelope;
use serde_json::Value;

use crate::{Error, Event, FieldError};

/// The most faults that are reported of one event.
const MAX_FAULTS: usize = 10;

/// One event type of the catalogue.
#[derive(Debug, Clone)]
pub struct EventInfo {
    /// The type.
    pub kind: String,
    /// The version of the shape of its data.
    pub version: u32,
    /// The JSON Schema of its data, if it has one.
    pub schema: Option<Value>,
    validator: Option<Arc<jsonschema::Validator>>,
}

/// Every event type that is known. Types that are not in it pass unchecked.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    events: BTreeMap<String, EventInfo>,
}

impl Catalogue {
    /// Adds a typed event.
    ///
    /// # Errors
    /// When its schema is not a valid JSON Schema.
    pub fn add<E: Event>(&mut self) -> Result<(), String> {
        self.add_schema(E::TYPE, E::VERSION, E::schema())
    }

    /// Adds an event type with its schema.
    ///
    /// # Errors
    /// When the schema is not a valid JSON Schema.
    pub fn add_schema(
        &mut self,
        kind: &str,
        version: u32,
        schema: Option<Value>,
    ) -> Result<(), String> {
        let build = |schema: &Value| {
            jsonschema::options()
                .should_validate_formats(true)
                .build(schema)
                .map(Arc::new)
                .map_err(|error| format!("the schema of event `{kind}` is not valid: {error}"))
        };
        let validator = schema.as_ref().map(build).transpose()?;
        let info = EventInfo { kind: kind.to_owned(), version, schema, validator };
        self.events.insert(kind.to_owned(), info);
        Ok(())
    }

    /// Every type, by name.
    pub fn iter(&self) -> impl Iterator<Item = &EventInfo> {
        self.events.values()
    }

    /// What is known of a type.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&EventInfo> {
        self.events.get(kind)
    }

    /// Checks an event against the schema of its type.
    ///
    /// # Errors
    /// Names each field that breaks the schema, up to a limit.
    pub fn check(&self, event: &Envelope) -> Result<(), Error> {
        let Some(validator) = self.get(&event.kind).and_then(|info| info.validator.as_ref()) else {
            return Ok(());
        };
        let invalid = |fields| Error::InvalidEvent { kind: event.kind.clone(), fields };
        let data: Value = if event.data.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&event.data).map_err(|error| {
                invalid(vec![FieldError {
                    field: "data".into(),
                    problem: format!("is not JSON: {error}"),
                }])
            })?
        };
        let faults: Vec<_> =
            validator.iter_errors(&data).take(MAX_FAULTS).map(|error| fault(&error)).collect();
        if faults.is_empty() { Ok(()) } else { Err(invalid(faults)) }
    }
}

fn fault(error: &jsonschema::ValidationError<'_>) -> FieldError {
    use jsonschema::error::ValidationErrorKind as Kind;
    let at = error.instance_path().to_string().replace('/', ".");
    match error.kind() {
        Kind::Required { property } => FieldError {
            field: format!("data{at}.{}", property.as_str().unwrap_or_default()),
            problem: "is missing".to_owned(),
        },
        _ => FieldError { field: format!("data{at}"), problem: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use eventyard_core::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn faults_name_the_field() {
        let mut catalogue = Catalogue::default();
        let schema = json!({
            "type": "object", "required": ["id", "user"],
            "properties": {
                "id": {"type": "string"},
                "user": {"type": "object", "properties": {"email": {"type": "string", "format": "email"}}}
            }
        });
        catalogue.add_schema("t", 1, Some(schema)).unwrap();
        let faults = |data: &'static str| -> Vec<String> {
            match catalogue.check(&Envelope::new("t", "s", Timestamp::default(), data)) {
                Ok(()) => vec![],
                Err(Error::InvalidEvent { fields, .. }) => {
                    fields.into_iter().map(|f| f.field).collect()
                }
                Err(other) => panic!("{other}"),
            }
        };
        assert!(faults(r#"{"id":"1","user":{"email":"ada@example.com"}}"#).is_empty());
        assert_eq!(faults(r#"{"id":7}"#), ["data.user", "data.id"]);
        assert_eq!(faults(r#"{"id":"1","user":{"email":"nobody"}}"#), ["data.user.email"]);
        assert_eq!(faults(""), ["data"]);
        assert_eq!(faults("{"), ["data"]);
    }

    #[test]
    fn unknown_types_pass() {
        let event = Envelope::new("free", "s", Timestamp::default(), "anything");
        assert!(Catalogue::default().check(&event).is_ok());
    }
}
