//! What the derived schemas cannot say: members that must not be given together.

use serde_json::{Value, json};

/// Adds to the schemas of a document what they exclude.
pub(super) fn add_to(document: &mut Value) {
    let both = |first: &str, second: &str| json!({"required": [first, second], "properties": {first: given(), second: given()}});
    let dead_letter =
        json!({"required": ["deadLetter"], "properties": {"deadLetter": {"const": true}}});
    let kinds = json!(["payload", "rejected", "cancelled"]);
    let is_final = json!({"required": ["kind"], "properties": {"kind": {"enum": kinds}}});
    for (schema, excluded) in [
        ("CloudEvent", json!({"required": ["data", "data_base64"]})),
        ("JobOptions", both("delay", "runAt")),
        (
            "FailJob",
            json!({
                "required": ["retryInMs"],
                "properties": {"retryInMs": given()},
                "anyOf": [dead_letter, is_final],
            }),
        ),
    ] {
        if let Some(Value::Object(schema)) =
            document.pointer_mut(&format!("/components/schemas/{schema}"))
        {
            schema.insert("not".to_owned(), excluded);
        }
    }
}

/// A member that is null counts as left out.
fn given() -> Value {
    json!({"not": {"type": "null"}})
}
