use axum::{
    body::Body,
    http::{StatusCode, header},
};
use eventyard_admin::{
    AdminOnly, ApiOptions, Auth, Credential, OpenApiRouter, Role, routes, utoipa,
};

use crate::client::{Answer, Api, JSON, request};

/// Every endpoint with the role that it needs at least, and a body that it takes.
const ENDPOINTS: [(&str, &str, Role, &str); 56] = [
    ("GET", "/api/v1/queues", Role::Viewer, ""),
    ("GET", "/api/v1/queues/stats", Role::Viewer, ""),
    ("GET", "/api/v1/queues/failed", Role::Viewer, ""),
    ("GET", "/api/v1/queues/emails", Role::Viewer, ""),
    ("GET", "/api/v1/queues/emails/jobs", Role::Viewer, ""),
    ("GET", "/api/v1/queues/emails/jobs/j", Role::Viewer, ""),
    ("GET", "/api/v1/queues/emails/jobs/j/logs", Role::Viewer, ""),
    ("GET", "/api/v1/queues/emails/jobs/j/children", Role::Viewer, ""),
    ("GET", "/api/v1/queues/emails/limits", Role::Viewer, ""),
    ("GET", "/api/v1/queues/emails/keys", Role::Viewer, ""),
    // A stream that is refused for its filter ends.
    ("GET", "/api/v1/stream?event=none", Role::Viewer, ""),
    ("GET", "/api/v1/stream/queues?none=1", Role::Viewer, ""),
    ("GET", "/api/v1/audit", Role::Viewer, ""),
    ("GET", "/api/v1/status", Role::Viewer, ""),
    ("GET", "/api/v1/replays", Role::Viewer, ""),
    ("GET", "/api/v1/queues/metrics", Role::Viewer, ""),
    ("GET", "/api/v1/events", Role::Viewer, ""),
    ("GET", "/api/v1/events/e", Role::Viewer, ""),
    ("GET", "/api/v1/events/e/tree", Role::Viewer, ""),
    ("GET", "/api/v1/event-types", Role::Viewer, ""),
    ("GET", "/api/v1/schedules", Role::Viewer, ""),
    ("GET", "/api/v1/schedules/s", Role::Viewer, ""),
    ("POST", "/api/v1/events", Role::Operator, r#"{"name":"a"}"#),
    ("POST", "/api/v1/queues/emails/jobs", Role::Operator, r#"{"name":"a"}"#),
    ("POST", "/api/v1/queues/emails/jobs/j/retry", Role::Operator, ""),
    ("POST", "/api/v1/queues/emails/jobs/j/promote", Role::Operator, ""),
    ("POST", "/api/v1/queues/emails/jobs/j/cancel", Role::Operator, ""),
    ("PATCH", "/api/v1/queues/emails/jobs/j", Role::Operator, r#"{"priority":1}"#),
    ("POST", "/api/v1/replays", Role::Operator, "{}"),
    ("DELETE", "/api/v1/replays/r", Role::Operator, ""),
    ("POST", "/api/v1/flows", Role::Operator, r#"{"queue":"emails","name":"a"}"#),
    ("PUT", "/api/v1/queues/emails/limits", Role::Operator, "{}"),
    ("POST", "/api/v1/queues/emails/keys/k/pause", Role::Operator, ""),
    ("POST", "/api/v1/queues/emails/keys/k/resume", Role::Operator, ""),
    ("POST", "/api/v1/queues/emails/pause", Role::Operator, ""),
    ("POST", "/api/v1/queues/emails/resume", Role::Operator, ""),
    ("POST", "/api/v1/queues/emails/claim", Role::Operator, r#"{"worker":"w"}"#),
    ("POST", "/api/v1/queues/failed/j/retry", Role::Operator, ""),
    ("PUT", "/api/v1/schedules/s", Role::Operator, r#"{"every":5,"job":{"queue":"q","name":"n"}}"#),
    ("POST", "/api/v1/schedules/s/pause", Role::Operator, ""),
    ("POST", "/api/v1/schedules/s/resume", Role::Operator, ""),
    ("POST", "/api/v1/schedules/s/run", Role::Operator, ""),
    ("POST", "/api/v1/queues/failed/retry", Role::Operator, ""),
    ("POST", "/api/v1/leases/t/complete", Role::Operator, ""),
    ("POST", "/api/v1/leases/t/fail", Role::Operator, r#"{"error":"e"}"#),
    ("POST", "/api/v1/leases/t/renew", Role::Operator, r#"{"leaseMs":1000}"#),
    ("POST", "/api/v1/leases/t/progress", Role::Operator, r#"{"progress":1}"#),
    ("POST", "/api/v1/leases/t/log", Role::Operator, r#"{"line":"l"}"#),
    ("POST", "/api/v1/leases/t/step", Role::Operator, r#"{"name":"s","result":1}"#),
    ("GET", "/api/v1/leases/t/steps", Role::Operator, ""),
    ("DELETE", "/api/v1/queues/failed/j", Role::Admin, ""),
    ("DELETE", "/api/v1/queues/emails/jobs/j", Role::Admin, ""),
    ("DELETE", "/api/v1/schedules/s", Role::Admin, ""),
    ("POST", "/api/v1/queues/emails/drain", Role::Admin, ""),
    ("POST", "/api/v1/queues/emails/obliterate", Role::Admin, ""),
    ("POST", "/api/v1/queues/clean", Role::Admin, ""),
];

const ROLES: [(Role, &str); 3] =
    [(Role::Viewer, "look"), (Role::Operator, "work"), (Role::Admin, "rule")];

async fn guarded(extra: OpenApiRouter) -> Api {
    let credentials = ROLES.map(|(role, token)| Credential::new(token, role, role.as_str()));
    let options = ApiOptions { auth: Auth::new(credentials), ..ApiOptions::default() };
    Api::of(|app| app, extra, options).await
}

async fn ask(api: &Api, method: &str, path: &str, token: &str, body: &'static str) -> Answer {
    let token = format!("Bearer {token}");
    let mut headers = vec![("authorization", token.as_str())];
    if !body.is_empty() {
        headers.push(("content-type", JSON));
    }
    api.send(request(method, path, &headers, Body::from(body))).await
}

#[tokio::test]
async fn no_endpoint_is_forgotten_here() {
    let document = guarded(OpenApiRouter::new()).await.get("/openapi.json").await.json;
    let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    let matches = |template: &str, path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template.zip(path).all(|(part, text)| part == text || part.starts_with('{'))
    };
    // Who asks who they are may be anybody.
    let guarded = described.filter(|(_, path)| path.starts_with("/api/") && *path != "/api/v1/me");
    for (method, template) in guarded {
        let known = ENDPOINTS.iter().any(|(m, path, ..)| *m == method && matches(&template, path));
        assert!(known, "{method} {template} has no role here");
    }
}

#[tokio::test]
async fn every_endpoint_asks_for_its_role() {
    let api = guarded(OpenApiRouter::new()).await;
    for (method, path, needed, body) in ENDPOINTS {
        let anonymous = api.call(method, path).await;
        anonymous.expect_problem(401, "unauthenticated", None);
        assert_eq!(anonymous.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"eventyard\"");
        ask(&api, method, path, "wrong", body).await.expect_problem(401, "unauthenticated", None);
        for (role, token) in ROLES {
            let answer = ask(&api, method, path, token, body).await;
            if role < needed {
                answer.expect_problem(403, "forbidden", None);
                let detail = answer.json["detail"].as_str().unwrap();
                assert!(detail.contains(&format!("role {needed}")), "{detail}");
            } else {
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                assert!(!refused.contains(&answer.status), "{method} {path}: {:#}", answer.json);
            }
        }
    }
}

#[utoipa::path(get, path = "/api/v1/secret", responses((status = 200, description = "yes")))]
async fn secret(AdminOnly(caller): AdminOnly) -> String {
    caller.name.to_string()
}

#[utoipa::path(post, path = "/api/v1/careless", responses((status = 200, description = "yes")))]
async fn careless() {}

#[tokio::test]
async fn endpoints_of_others_are_behind_the_same_door() {
    let extra = || OpenApiRouter::new().routes(routes!(secret)).routes(routes!(careless));
    let api = guarded(extra()).await;
    ask(&api, "GET", "/api/v1/secret", "work", "").await.expect_problem(403, "forbidden", None);
    let told = ask(&api, "GET", "/api/v1/secret", "rule", "").await;
    assert_eq!((told.status, told.json), (StatusCode::OK, "admin".into()));
    // An endpoint that names no role is at least no one's who only looks.
    let refused = ask(&api, "POST", "/api/v1/careless", "look", "").await;
    refused.expect_problem(403, "forbidden", None);
    api.call("POST", "/api/v1/careless").await.expect_problem(401, "unauthenticated", None);

    let outside: axum::Router = extra().into();
    let api = Api { router: outside, ..guarded(OpenApiRouter::new()).await };
    api.get("/api/v1/secret").await.expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_credentials_pages_of_others_are_kept_out() {
    let hosts = vec!["yard.test".to_owned()];
    let open = Api::with(ApiOptions { hosts, ..ApiOptions::default() }).await;
    let closed = guarded(OpenApiRouter::new()).await;
    let check = async |api: &Api, method, host, origin: Option<&str>, expected: Option<&str>| {
        let mut headers = vec![("host", host), ("authorization", "Bearer rule")];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let path = if method == "GET" { "/api/v1/queues" } else { "/api/v1/queues/emails/pause" };
        let answer = api.send(request(method, path, &headers, Body::empty())).await;
        match expected {
            None => answer.expect(StatusCode::OK),
            Some(code) => answer.expect_problem(403, code, None),
        }
    };
    check(&open, "GET", "127.0.0.1:3000", None, None).await;
    check(&open, "GET", "yard.test", None, None).await;
    check(&open, "GET", "rebound.example:3000", None, Some("foreign-host")).await;
    check(&open, "POST", "localhost:3000", None, None).await;
    check(&open, "POST", "localhost:3000", Some("http://localhost:3000"), None).await;
    check(&open, "POST", "localhost:3000", Some("https://yard.test"), None).await;
    check(&open, "POST", "localhost:3000", Some("https://evil.example"), Some("foreign-origin"))
        .await;
    check(&open, "POST", "localhost:3000", Some("null"), Some("foreign-origin")).await;
    check(&closed, "POST", "eventyard.example", Some("https://app.example"), None).await;
}
