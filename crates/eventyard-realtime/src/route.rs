//! Routes from events to rooms.

mod template;

use eventyard::{model::Event, route::Pattern};
use serde_json::{Value, value::RawValue};

pub(crate) use template::text_at;
pub use template::{InvalidTemplate, Template};

use crate::message::{Message, Target};

/// Says that events of some types go to a room.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The events.
    pub pattern: Pattern,
    /// The room, made from the event; absent when everyone hears of it.
    pub room: Option<Template>,
    /// What clients hear it as; the event's type when absent.
    pub event: Option<String>,
}

impl Route {
    /// The message that an event becomes.
    ///
    /// # Errors
    /// Names what the event lacks.
    pub(crate) fn message(&self, event: &Event, data: &Value) -> Result<Message, String> {
        let to = match &self.room {
            None => Target::Everyone,
            Some(room) => Target::Room(room.fill(event, data)?),
        };
        let said = match std::str::from_utf8(&event.data) {
            Ok("") => Ok(RawValue::NULL.to_owned()),
            Ok(text) => RawValue::from_string(text.to_owned()).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let data = said.map_err(|error| format!("its data is not JSON: {error}"))?;
        let name = self.event.clone().unwrap_or_else(|| event.kind.clone());
        let message = Message { to, event: name, data };
        message.check().map_err(|error| format!("{} {}", error.field, error.problem))?;
        Ok(message)
    }
}

/// The messages that an event becomes, and what kept it from becoming others.
pub(crate) fn messages(routes: &[Route], event: &Event) -> (Vec<Message>, Vec<String>) {
    let data = serde_json::from_slice(&event.data).unwrap_or(Value::Null);
    let mut messages: Vec<Message> = Vec::new();
    let mut problems = Vec::new();
    for route in routes.iter().filter(|route| route.pattern.matches(&event.kind)) {
        match route.message(event, &data) {
            // Two routes that say the same are one.
            Ok(message)
                if messages.iter().any(|m| m.to == message.to && m.event == message.event) => {}
            Ok(message) => messages.push(message),
            Err(problem) => problems.push(problem),
        }
    }
    (messages, problems)
}

#[cfg(test)]
mod tests {
    use eventyard::model::Timestamp;

    use super::*;

    fn route(pattern: &str, room: &str, event: &str) -> Route {
        Route {
            pattern: Pattern::new(pattern).unwrap(),
            room: (!room.is_empty()).then(|| room.parse().unwrap()),
            event: (!event.is_empty()).then(|| event.to_owned()),
        }
    }

    #[test]
    fn events_go_to_rooms() {
        let routes = [
            route("order.*", "user:{data.userId}", ""),
            route("order.paid", "shop:{data.shop.id}", "sale"),
            route("order.#", "user:{data.userId}", ""),
            route("news", "", "news"),
        ];
        let check = |kind: &str, data: &'static str, expected: &[(&str, &str)], lacks: &str| {
            let event = Event::new(kind, "s", Timestamp::default(), data);
            let (messages, problems) = messages(&routes, &event);
            let got: Vec<_> = messages
                .iter()
                .map(|m| match &m.to {
                    Target::Room(room) => (room.as_str(), m.event.as_str()),
                    _ => ("", m.event.as_str()),
                })
                .collect();
            assert_eq!(got, expected, "{kind} {data}");
            assert_eq!(problems.is_empty(), lacks.is_empty(), "{problems:?}");
            assert!(problems.concat().contains(lacks), "{problems:?}");
            for message in messages {
                assert_eq!(message.data.get(), if data.is_empty() { "null" } else { data });
            }
        };
        check("order.new", r#"{"userId":"u"}"#, &[("user:u", "order.new")], "");
        check(
            "order.paid",
            r#"{"userId":7,"shop":{"id":"s"}}"#,
            &[("user:7", "order.paid"), ("shop:s", "sale")],
            "",
        );
        check("order.paid", r#"{"userId":"u"}"#, &[("user:u", "order.paid")], "data.shop.id");
        check("order.paid", "", &[], "data.userId");
        check("news", "", &[("", "news")], "");
        check("other", "", &[], "");
    }
}
