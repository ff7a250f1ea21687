//! Sample data: what a mock event carries unless told otherwise.

use eventyard::{Event, model::Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Booking, BookingCancelled, BookingConfirmed, BookingCreated, BookingEvent, BookingReminder,
    PaymentFailed, PaymentReceived,
};

pub(super) const AMOUNT: f64 = 12.5;
pub(super) const CURRENCY: &str = "EUR";
pub(super) const PAYMENT: &str = "p-1";

pub(super) fn booking() -> Booking {
    Booking {
        booking_id: "b-1".to_owned(),
        user_id: "u-1".to_owned(),
        user_email: "ada@example.com".to_owned(),
        user_name: Some("Ada".to_owned()),
        parking_spot: Some("A-12".to_owned()),
    }
}

/// A mock event: its type, and data that is ready to be published.
#[derive(Debug, Clone, PartialEq)]
pub struct Mock {
    /// The event's type.
    pub kind: &'static str,
    /// The data.
    pub data: Value,
}

/// There is no mock event of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no mock event `{0}`; there are {names}", names = names())]
pub struct UnknownMock(pub String);

/// The sample of an event type as of a time.
type Sample = fn(Timestamp) -> serde_json::Result<Value>;

const SAMPLES: [(&str, Sample); 6] = [
    (BookingCreated::TYPE, sample::<BookingCreated>),
    (BookingConfirmed::TYPE, sample::<BookingConfirmed>),
    (BookingCancelled::TYPE, sample::<BookingCancelled>),
    (BookingReminder::TYPE, sample::<BookingReminder>),
    (PaymentReceived::TYPE, sample::<PaymentReceived>),
    (PaymentFailed::TYPE, sample::<PaymentFailed>),
];

fn sample<E: BookingEvent + Serialize>(now: Timestamp) -> serde_json::Result<Value> {
    serde_json::to_value(E::sample(now))
}

/// The names of all mock events, such as `booking-created`.
pub fn mocks() -> impl Iterator<Item = String> {
    SAMPLES.iter().map(|(kind, _)| name(kind))
}

fn name(kind: &str) -> String {
    kind.replace('.', "-")
}

fn names() -> String {
    mocks().collect::<Vec<_>>().join(", ")
}

/// A mock event as of `now`, by name (`booking-created`) or type (`booking.created`).
///
/// `overrides` go over the sample field by field, objects within objects too; `null` takes a field away
/// (a JSON Merge Patch, RFC 7396).
///
/// # Errors
/// When there is no mock event of this name.
pub fn mock(
    event: &str,
    overrides: Map<String, Value>,
    now: Timestamp,
) -> Result<Mock, UnknownMock> {
    let is_meant = |kind: &str| kind == event || name(kind) == event;
    SAMPLES
        .iter()
        .find(|(kind, _)| is_meant(kind))
        .and_then(|(kind, sample)| {
            let mut data = sample(now).ok()?;
            merge(&mut data, Value::Object(overrides));
            Some(Mock { kind, data })
        })
        .ok_or_else(|| UnknownMock(event.to_owned()))
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn overrides_go_over_the_sample() {
        let check = |target: Value, patch: Value, expected: Value| {
            let text = format!("{target} and {patch}");
            let mut merged = target;
            merge(&mut merged, patch);
            assert_eq!(merged, expected, "{text}");
        };
        check(json!({"a": 1, "b": 2}), json!({"b": 3, "c": 4}), json!({"a": 1, "b": 3, "c": 4}));
        check(
            json!({"a": {"b": 1, "c": 2}}),
            json!({"a": {"c": 3}}),
            json!({"a": {"b": 1, "c": 3}}),
        );
        check(
            json!({"a": 1}),
            json!({"a": {"b": {"c": null, "d": 1}}}),
            json!({"a": {"b": {"d": 1}}}),
        );
        check(json!({"a": 1, "b": 2}), json!({"a": null}), json!({"b": 2}));
        check(json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]}));
    }

    #[test]
    fn mocks_are_found_by_name_and_by_type() {
        let now = Timestamp::from_millis(1_767_225_600_000);
        let overrides = Map::from_iter([("userId".to_owned(), json!("u-2"))]);
        for name in ["booking-reminder", "booking.reminder"] {
            let mock = mock(name, overrides.clone(), now).unwrap();
            assert_eq!(mock.kind, "booking.reminder");
            assert_eq!(mock.data["userId"], "u-2");
            assert_eq!(mock.data["startsAt"], "2026-01-02T00:00:00.000Z");
        }
        let error = mock("booking-moved", Map::new(), now).unwrap_err().to_string();
        assert!(error.contains("`booking-moved`") && error.contains("payment-failed"), "{error}");
        assert_eq!(mocks().count(), 6);
    }
}
