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
            "not",
            json!({
                "required": ["delay", "runAt"],
                "properties": {"delay": given(), "runAt": given()},
            }),
        ),
        (
            "FailJob",
            "not",
            json!({
                "required": ["retryInMs"],
                "properties": {"retryInMs": given()},
                "anyOf": is_final,
            }),
        ),
    ] {
        let schema = document.pointer_mut(&format!("/components/schemas/{schema}"));
        if let Some(Value::Object(schema)) = schema {
            schema.insert(keyword.to_owned(), value);
        }
    }
}

/// A member that is null counts as left out.
fn given() -> Value {
    json!({"not": {"type": "null"}})
}
