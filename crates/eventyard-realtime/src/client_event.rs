//! What clients may say, and the events that it becomes.

use eventyard::{
    Event,
    model::{Event as Envelope, Timestamp},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// The field of an event's data that says whose it is.
pub const USER_FIELD: &str = "userId";
/// The attribute of an event that says which user's connection it came by.
const USER_ATTRIBUTE: &str = "userid";

/// What clients may say, and the type of the event that it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What clients call it, such as `project:update`.
    pub name: String,
    /// The type of the event, such as `project.updated`.
    pub kind: String,
}

impl Accepted {
    /// What clients may say unless told otherwise: `project:update` and `simulation:start`.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        [("project:update", ProjectUpdated::TYPE), ("simulation:start", SimulationStarted::TYPE)]
            .map(|(name, kind)| Self { name: name.to_owned(), kind: kind.to_owned() })
            .into()
    }
}

/// A user changed a project.
#[derive(Debug, Clone, Event, Serialize, Deserialize, JsonSchema)]
#[event("project.updated", schema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectUpdated {
    /// The project.
    #[schemars(length(min = 1, max = 256))]
    pub project_id: String,
    /// Who changed it.
    pub user_id: String,
    /// Whatever else is said about it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A user started the simulation of a project.
#[derive(Debug, Clone, Event, Serialize, Deserialize, JsonSchema)]
#[event("simulation.started", schema)]
#[serde(rename_all = "camelCase")]
pub struct SimulationStarted {
    /// The project.
    #[schemars(length(min = 1, max = 256))]
    pub project_id: String,
    /// Who started it.
    pub user_id: String,
    /// What is simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulation_type: Option<String>,
    /// Whatever else is said about it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The event that something a user said becomes: with the user's identity, whatever the user says.
pub(crate) fn envelope(
    kind: &str,
    source: &str,
    user: &str,
    said: Option<Value>,
    now: Timestamp,
) -> Result<Envelope, Refusal> {
    let mut data = match said {
        Some(Value::Object(data)) => data,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(Refusal::invalid_body("data", "is no object")),
    };
    match data.get(USER_FIELD) {
        None | Some(Value::Null) => {}
        Some(Value::String(given)) if given == user => {}
        Some(Value::Number(given)) if given.to_string() == user => {}
        Some(_) => {
            let problem = "is not the user of this connection; leave it out";
            return Err(Refusal::forbidden("nobody may speak for another user")
                .field("data.userId", problem));
        }
    }
    data.insert(USER_FIELD.to_owned(), user.into());
    let data = serde_json::to_vec(&data)
        .map_err(|error| Refusal::invalid_body("data", format!("cannot be written: {error}")))?;
    let mut event = Envelope::new(kind, source, now, data);
    event.extensions.insert(USER_ATTRIBUTE.to_owned(), user.into());
    Ok(event)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_under_the_users_identity() {
        let check = |said: Option<Value>, expected: Result<Value, &str>| {
            let event = envelope("t", "s", "7", said.clone(), Timestamp::default());
            let got = event.as_ref().map_err(Refusal::code).map(|event| {
                assert_eq!(event.extensions["userid"], "7");
                serde_json::from_slice(&event.data).unwrap()
            });
            assert_eq!(got, expected, "{said:?}");
        };
        check(None, Ok(json!({"userId": "7"})));
        check(Some(json!({"a": 1})), Ok(json!({"a": 1, "userId": "7"})));
        check(Some(json!({"userId": "7"})), Ok(json!({"userId": "7"})));
        check(Some(json!({"userId": 7})), Ok(json!({"userId": "7"})));
        check(Some(json!({"userId": "8"})), Err("forbidden"));
        check(Some(json!({"userId": ["7"]})), Err("forbidden"));
        check(Some(json!("text")), Err("invalid-body"));
    }

    #[test]
    fn the_usual_events_have_schemas() {
        let mut catalogue = eventyard::Catalogue::default();
        catalogue.add::<ProjectUpdated>().unwrap();
        catalogue.add::<SimulationStarted>().unwrap();
        let check = |kind: &str, said: Value, ok: bool| {
            let event = envelope(kind, "s", "7", Some(said), Timestamp::default()).unwrap();
            assert_eq!(catalogue.check(&event).is_ok(), ok, "{kind}");
        };
        for Accepted { kind, .. } in Accepted::usual() {
            check(&kind, json!({"projectId": "p", "more": [1]}), true);
            check(&kind, json!({"projectId": ""}), false);
            check(&kind, json!({"projectId": 1}), false);
            check(&kind, json!({}), false);
        }
        check("simulation.started", json!({"projectId": "p", "simulationType": 1}), false);
    }
}
