//! The dashboard's files, and what a page asks for first.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, StatusCode},
};
use eventyard_admin::{ApiOptions, Auth, Credential, Role};
use tower::ServiceExt;

use crate::client::{Api, request};

async fn fetch(api: &Api, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    let response = api.router.clone().oneshot(request("GET", path, headers, Body::empty()));
    let (parts, body) = response.await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
}

async fn served() -> Api {
    let auth = Auth::new([Credential::new("look", Role::Viewer, "vera")]);
    Api::with(ApiOptions { auth, dashboard: true, ..ApiOptions::default() }).await
}

#[tokio::test]
async fn the_page_is_there_for_every_address_and_needs_no_credential() {
    let api = served().await;
    for path in ["/queues", "/queues/", "/queues/q/emails/jobs/a%2Fb", "/queues/events?text=x"] {
        let (status, headers, html) = fetch(&api, path, &[]).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(html.contains("<title>Eventyard</title>"), "{path}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for rule in ["default-src 'none'", "script-src 'self' 'sha256-", "frame-ancestors 'none'"] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    let (status, headers, _) = fetch(&api, "/", &[]).await;
    assert_eq!(
        (status, &headers["location"]),
        (StatusCode::TEMPORARY_REDIRECT, &"/queues".parse().unwrap())
    );
    Api::new().await.get("/queues").await.expect_problem(404, "no-such-route", None);
}

#[tokio::test]
async fn files_have_their_type_and_are_sent_once() {
    let api = served().await;
    for (file, media_type) in [
        ("app.css", "text/css; charset=utf-8"),
        ("app/main.js", "text/javascript; charset=utf-8"),
        ("vendor/preact.mjs", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let path = format!("/queues/assets/{file}");
        let (status, headers, text) = fetch(&api, &path, &[]).await;
        assert_eq!(
            (status, headers["content-type"].to_str().unwrap()),
            (StatusCode::OK, media_type)
        );
        assert!(!text.is_empty());
        let tag = headers["etag"].to_str().unwrap();
        let (status, _, text) = fetch(&api, &path, &[("if-none-match", tag)]).await;
        assert_eq!((status, text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{file}");
        let (status, ..) = fetch(&api, &path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(status, StatusCode::OK);
    }
    for missing in ["none.js", "index.html", "../Cargo.toml", "%2e%2e/Cargo.toml"] {
        let (status, ..) = fetch(&api, &format!("/queues/assets/{missing}"), &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn a_page_learns_who_looks_and_at_what() {
    let api = served().await;
    let (_, _, unknown) = fetch(&api, "/api/v1/me", &[]).await;
    assert_eq!(unknown, r#"{"credentialNeeded":true,"caller":null}"#);
    let (_, _, known) = fetch(&api, "/api/v1/me", &[("authorization", "Bearer look")]).await;
    assert!(known.contains(r#"{"name":"vera","role":"viewer"}"#), "{known}");
    let status = Api::new().await.get("/api/v1/status").await.json;
    assert_eq!((&status["storeAnswers"], &status["mailbox"]), (&true.into(), &false.into()));
}
