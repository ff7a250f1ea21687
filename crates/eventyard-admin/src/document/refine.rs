//! What the derived schemas cannot say: members that must not be given together, and how members may be called.

use serde_json::{Value, json};

/// Adds to the schemas of a document what only keywords of JSON Schema itself can say.
pub(super) fn schemas(document: &mut Value) {
    let kinds = json!(["payload", "rejected", "cancelled"]);
    let is_final = json!([
        {"required": ["deadLetter"], "properties": {"deadLetter": {"const": true}}},
        {"required": ["kind"], "properties": {"kind": {"enum": kinds}}},
    ]);
    for (schema, keyword, value) in [
        ("CloudEvent", "not", json!({"required": ["data", "data_base64"]})),
        ("CloudEvent", "propertyNames", json!({"pattern": "^([a-z0-9]+|data_base64)$"})),
        (
            "JobOptions",
            "allOf",
            json!([not_both("delay", "runAt"), not_both("deduplication", "parent")]),
        ),
        ("Deduplication", "allOf", deduplication()),
        (
            "FailJob",
            "not",
            json!({
                "required": ["retryInMs"],
                "properties": {"retryInMs": given()},
                "anyOf": is_final,
            }),
        ),
        ("ChangeJob", "allOf", json!([not_both("delay", "runAt")])),
        ("ChangeJob", "anyOf", changes()),
        (
            "NewFlow",
            "not",
            json!({
                "required": ["children", "opts"],
                "properties": {"children": {"minItems": 1}, "opts": with("deduplication")},
            }),
        ),
        (
            "NewChild",
            "not",
            json!({
                "required": ["opts"],
                "properties": {"opts": {"anyOf": [with("deduplication"), with("parent")]}},
            }),
        ),
        (
            "NewSchedule",
            "oneOf",
            json!([
                {"required": ["cron"], "properties": {"cron": given(), "every": {"type": "null"}}},
                {"required": ["every"], "properties": {"every": given(), "cron": {"type": "null"}}},
            ]),
        ),
    ] {
        let schema = document.pointer_mut(&format!("/components/schemas/{schema}"));
        if let Some(Value::Object(schema)) = schema {
            schema.insert(keyword.to_owned(), value);
        }
    }
    name_keys(document);
}

/// Says how the keys of a queue may be called where they are names.
fn name_keys(document: &mut Value) {
    let weights = "/components/schemas/KeyLimits/properties/weights";
    if let Some(Value::Object(weights)) = document.pointer_mut(weights) {
        let key = json!({"$ref": "#/components/schemas/GroupKey"});
        weights.insert("propertyNames".to_owned(), key);
        weights.insert("maxProperties".to_owned(), 10_000.into());
    }
}

fn deduplication() -> Value {
    let is_true = |name: &str| json!({"required": [name], "properties": {name: {"const": true}}});
    json!([
        {"not": {"allOf": [is_true("extend"), {"not": with("ttl")}]}},
        {"not": {"allOf": [
            is_true("keepLastIfActive"), {"anyOf": [with("ttl"), is_true("replace")]},
        ]}},
    ])
}

/// At least one thing is changed; data may be null.
fn changes() -> Value {
    let [priority, delay, run_at] = ["priority", "delay", "runAt"].map(with);
    json!([{"required": ["data"]}, priority, delay, run_at])
}

fn not_both(a: &str, b: &str) -> Value {
    json!({"not": {"required": [a, b], "properties": {a: given(), b: given()}}})
}

/// An object in which this member is given.
fn with(member: &str) -> Value {
    json!({"required": [member], "properties": {member: given()}})
}

/// A member that is null counts as left out.
fn given() -> Value {
    json!({"not": {"type": "null"}})
}
