//! Names of rooms with places that an event fills: `user:{data.userId}`.

use std::{fmt, str::FromStr};

use eventyard::model::Event;
use serde_json::Value;

/// The name of a room with places that an event fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Id,
    Kind,
    Source,
    Subject,
    Correlation,
    /// A way into the data; numbers are places in lists.
    Data(Vec<String>),
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{template}` {problem}")]
pub struct InvalidTemplate {
    template: String,
    problem: String,
}

impl FromStr for Template {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        let invalid = |problem: String| InvalidTemplate { template: text.to_owned(), problem };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after
                .split_once('}')
                .ok_or_else(|| invalid("has a `{` without a `}`".to_owned()))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let place = Place::of(name).ok_or_else(|| {
                invalid(format!(
                    "names `{{{name}}}`; use {{data.FIELD}}, {{id}}, {{type}}, {{source}}, {{subject}} or \
                     {{correlationId}}"
                ))
            })?;
            parts.push(Part::Place(place));
            rest = tail;
        }
        if rest.contains('}') {
            return Err(invalid("has a `}` without a `{`".to_owned()));
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        if parts.is_empty() {
            return Err(invalid("is empty; name a room, as in `user:{data.userId}`".to_owned()));
        }
        Ok(Self { parts })
    }
}

impl Place {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "type" => Self::Kind,
            "source" => Self::Source,
            "subject" => Self::Subject,
            "correlationId" => Self::Correlation,
            _ => {
                let keys: Vec<String> =
                    name.strip_prefix("data.")?.split('.').map(str::to_owned).collect();
                if keys.iter().any(String::is_empty) {
                    return None;
                }
                Self::Data(keys)
            }
        })
    }
}

impl Template {
    /// The room that an event fills it to.
    pub(super) fn fill(&self, event: &Event, data: &Value) -> Result<String, String> {
        let mut room = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => room.push_str(text),
                Part::Place(place) => match place {
                    Place::Id => room.push_str(event.id.as_str()),
                    Place::Kind => room.push_str(&event.kind),
                    Place::Source => room.push_str(&event.source),
                    Place::Correlation => room.push_str(event.correlation()),
                    Place::Subject => {
                        room.push_str(event.subject.as_deref().ok_or("it has no subject")?);
                    }
                    Place::Data(keys) => {
                        let text = text_at(data, keys).ok_or_else(|| {
                            format!("data.{} is neither text nor a number", keys.join("."))
                        })?;
                        room.push_str(&text);
                    }
                },
            }
        }
        Ok(room)
    }
}

/// The text or whole number at a place in JSON, if there is one that is not empty.
pub(crate) fn text_at(data: &Value, keys: &[String]) -> Option<String> {
    let mut value = data;
    for key in keys {
        value = match value {
            Value::Object(fields) => fields.get(key)?,
            Value::Array(items) => items.get(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Place(Place::Id) => f.write_str("{id}")?,
                Part::Place(Place::Kind) => f.write_str("{type}")?,
                Part::Place(Place::Source) => f.write_str("{source}")?,
                Part::Place(Place::Subject) => f.write_str("{subject}")?,
                Part::Place(Place::Correlation) => f.write_str("{correlationId}")?,
                Part::Place(Place::Data(keys)) => write!(f, "{{data.{}}}", keys.join("."))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use eventyard::model::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_are_filled() {
        let mut event = Event::new("order.paid", "shop", Timestamp::default(), "");
        event.subject = Some("o-1".to_owned());
        let data = json!({"userId": "u", "n": 7, "a": {"b": ["x", "y"]}, "half": 0.5, "empty": ""});
        let check = |template: &str, expected: Option<&str>| {
            let template: Template = template.parse().unwrap();
            assert_eq!(template.fill(&event, &data).ok().as_deref(), expected, "{template}");
            assert_eq!(template.to_string().parse::<Template>().unwrap(), template);
        };
        check("lobby", Some("lobby"));
        check("user:{data.userId}", Some("user:u"));
        check("{data.n}-{data.a.b.1}", Some("7-y"));
        check("{type}/{source}/{subject}", Some("order.paid/shop/o-1"));
        for lacking in ["{data.none}", "{data.a}", "{data.half}", "{data.empty}", "{data.n.x}"] {
            check(lacking, None);
        }
    }

    #[test]
    fn what_is_no_template_is_told() {
        for bad in ["", "{", "a}", "{user}", "{data}", "{data.}", "{data.a..b}", "{data.a"] {
            assert!(bad.parse::<Template>().is_err(), "{bad}");
        }
    }
}
