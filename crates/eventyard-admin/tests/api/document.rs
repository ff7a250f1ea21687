//! The OpenAPI document.

use std::collections::BTreeSet;

use axum::http::{StatusCode, header};
use eventyard_admin::{ApiOptions, OpenApiRouter, routes, utoipa};
use serde_json::Value;

use crate::client::Api;

/// Every endpoint, by method and path.
const ENDPOINTS: [(&str, &str); 58] = [
    ("get", "/api/v1/audit"),
    ("get", "/api/v1/event-types"),
    ("get", "/api/v1/events"),
    ("post", "/api/v1/events"),
    ("get", "/api/v1/events/{id}"),
    ("get", "/api/v1/events/{id}/tree"),
    ("post", "/api/v1/flows"),
    ("post", "/api/v1/leases/{token}/complete"),
    ("post", "/api/v1/leases/{token}/fail"),
    ("post", "/api/v1/leases/{token}/log"),
    ("post", "/api/v1/leases/{token}/progress"),
    ("post", "/api/v1/leases/{token}/renew"),
    ("post", "/api/v1/leases/{token}/step"),
    ("get", "/api/v1/leases/{token}/steps"),
    ("get", "/api/v1/me"),
    ("get", "/api/v1/queues"),
    ("post", "/api/v1/queues/clean"),
    ("get", "/api/v1/queues/failed"),
    ("post", "/api/v1/queues/failed/retry"),
    ("delete", "/api/v1/queues/failed/{jobId}"),
    ("post", "/api/v1/queues/failed/{jobId}/retry"),
    ("get", "/api/v1/queues/metrics"),
    ("get", "/api/v1/queues/stats"),
    ("get", "/api/v1/queues/{queue}"),
    ("post", "/api/v1/queues/{queue}/claim"),
    ("post", "/api/v1/queues/{queue}/drain"),
    ("get", "/api/v1/queues/{queue}/jobs"),
    ("post", "/api/v1/queues/{queue}/jobs"),
    ("delete", "/api/v1/queues/{queue}/jobs/{id}"),
    ("get", "/api/v1/queues/{queue}/jobs/{id}"),
    ("patch", "/api/v1/queues/{queue}/jobs/{id}"),
    ("post", "/api/v1/queues/{queue}/jobs/{id}/cancel"),
    ("get", "/api/v1/queues/{queue}/jobs/{id}/children"),
    ("get", "/api/v1/queues/{queue}/jobs/{id}/logs"),
    ("post", "/api/v1/queues/{queue}/jobs/{id}/promote"),
    ("post", "/api/v1/queues/{queue}/jobs/{id}/retry"),
    ("get", "/api/v1/queues/{queue}/keys"),
    ("post", "/api/v1/queues/{queue}/keys/{key}/pause"),
    ("post", "/api/v1/queues/{queue}/keys/{key}/resume"),
    ("get", "/api/v1/queues/{queue}/limits"),
    ("put", "/api/v1/queues/{queue}/limits"),
    ("post", "/api/v1/queues/{queue}/obliterate"),
    ("post", "/api/v1/queues/{queue}/pause"),
    ("post", "/api/v1/queues/{queue}/resume"),
    ("get", "/api/v1/replays"),
    ("post", "/api/v1/replays"),
    ("delete", "/api/v1/replays/{id}"),
    ("get", "/api/v1/schedules"),
    ("delete", "/api/v1/schedules/{name}"),
    ("get", "/api/v1/schedules/{name}"),
    ("put", "/api/v1/schedules/{name}"),
    ("post", "/api/v1/schedules/{name}/pause"),
    ("post", "/api/v1/schedules/{name}/resume"),
    ("post", "/api/v1/schedules/{name}/run"),
    ("get", "/api/v1/status"),
    ("get", "/api/v1/stream"),
    ("get", "/api/v1/stream/queues"),
    ("get", "/healthz"),
];

async fn document() -> Value {
    let answer = Api::new().await.get("/openapi.json").await;
    answer.expect(StatusCode::OK);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    answer.json
}

/// Every operation with its method and path.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

#[tokio::test]
async fn every_endpoint_is_described() {
    let document = document().await;
    let described: BTreeSet<_> =
        operations(&document).map(|(method, path, _)| (path, method)).collect();
    let mut expected: BTreeSet<_> =
        ENDPOINTS.iter().map(|(method, path)| (*path, *method)).collect();
    expected.insert(("/readyz", "get"));
    assert_eq!(described, expected);
}

#[utoipa::path(get, path = "/api/v1/extra", responses((status = 204, description = "done")))]
async fn extra() {}

#[tokio::test]
async fn endpoints_of_others_are_described_and_completed_too() {
    let extra = OpenApiRouter::new().routes(routes!(extra));
    let api = Api::of(|app| app, extra, ApiOptions::default()).await;
    let document = api.get("/openapi.json").await.json;
    let responses = &document["paths"]["/api/v1/extra"]["get"]["responses"];
    assert!(responses["204"].is_object() && responses["401"].is_object(), "{responses:#}");
    api.get("/api/v1/extra").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn the_document_is_openapi_3_1() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    for member in ["title", "version", "description"] {
        assert!(document["info"][member].is_string(), "{member}");
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let faults = jsonschema::draft202012::meta::validate(schema).err();
        assert!(faults.is_none(), "{name}: {faults:?}");
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').expect("a local reference");
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                members.values().for_each(|value| check(document, value));
            }
            Value::Array(items) => items.iter().for_each(|value| check(document, value)),
            _ => {}
        }
    }
    let document = document().await;
    check(&document, &document);
}

#[tokio::test]
async fn operations_are_complete() {
    let document = document().await;
    let mut ids = BTreeSet::new();
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name}: id");
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
            "{name}: summary"
        );
        let tag = operation["tags"][0].as_str().unwrap();
        assert!(tags.contains(tag), "{name}: tag {tag}");

        let responses = operation["responses"].as_object().unwrap();
        let is_open = operation["security"] == serde_json::json!([]);
        assert_eq!(is_open, path.ends_with('z') || path == "/api/v1/me", "{name}: security");
        let mut needed = vec!["default"];
        if !is_open {
            needed.extend(["401", "403", "503"]);
        }
        if operation.get("requestBody").is_some() {
            needed.extend(["400", "413", "415", "422"]);
        }
        if path.contains('{') {
            needed.extend(["400", "404"]);
        }
        for status in needed {
            assert!(responses.contains_key(status), "{name}: {status}");
        }
        for (status, response) in responses {
            if status == "default" || status.starts_with(['4', '5']) {
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{name}: {status}");
            }
        }
        let declared: BTreeSet<_> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let in_path = path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned);
        assert_eq!(declared, in_path.collect(), "{name}: parameters");
    }
}

#[tokio::test]
async fn bodies_are_as_strict_as_they_say() {
    let document = document().await;
    for (method, path, operation) in operations(&document) {
        let Some(body) = operation.get("requestBody") else { continue };
        let schema = &body["content"]["application/json"]["schema"];
        let mut names = Vec::new();
        collect_references(schema, &mut names);
        assert!(!names.is_empty(), "{method} {path}");
        for name in names.iter().filter(|name| !["NewJobs", "Events"].contains(&name.as_str())) {
            let strict = &document["components"]["schemas"][name]["additionalProperties"];
            assert_eq!(strict, false, "{method} {path}: {name}");
        }
    }
}

fn collect_references(schema: &Value, names: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        names.push(reference.trim_start_matches("#/components/schemas/").to_owned());
    }
    for part in schema["oneOf"].as_array().into_iter().flatten() {
        collect_references(part, names);
    }
}

#[tokio::test]
async fn the_document_can_be_read_in_a_browser_without_a_network() {
    let api = Api::new().await;
    let moved = api.get("/docs").await;
    assert_eq!(moved.headers[header::LOCATION], "/docs/");
    let page = api.get("/docs/").await;
    page.expect(StatusCode::OK);
    let page = page.json.as_str().unwrap().to_owned();
    assert!(page.contains("swagger-ui"), "{page}");
    assert!(!page.contains("//"), "nothing from elsewhere: {page}");
    for file in ["swagger-ui-bundle.js", "swagger-ui.css", "swagger-initializer.js"] {
        api.get(&format!("/docs/{file}")).await.expect(StatusCode::OK);
    }
    let start = api.get("/docs/swagger-initializer.js").await.json;
    let start = start.as_str().unwrap();
    assert!(start.contains("/openapi.json") && start.contains("\"none\""), "{start}");
}
