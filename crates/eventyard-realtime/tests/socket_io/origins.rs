//! Which pages may connect.

use crate::server::{Server, options};

#[tokio::test]
async fn browsers_are_told_which_pages_may_connect() {
    let mut options = options();
    options.origins = vec!["https://app.example.com".to_owned()];
    let server = Server::with(options).await;
    let url = format!("{}/socket.io/?EIO=4&transport=polling", server.url());
    let http = reqwest::Client::new();
    let own = server.url();
    for (origin, status, allowed) in [
        (Some("https://app.example.com"), 200, Some("https://app.example.com")),
        (Some(own.as_str()), 200, None),
        (None, 200, None),
        (Some("https://evil.example"), 403, None),
    ] {
        let mut request = http.get(&url);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{origin:?}");
        let header =
            |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(header("access-control-allow-origin").as_deref(), allowed, "{origin:?}");
        if allowed.is_some() {
            assert_eq!(header("access-control-allow-credentials").unwrap(), "true");
        }
        if status == 403 {
            assert_eq!(header("content-type").unwrap(), "application/problem+json");
            assert!(response.text().await.unwrap().contains("urn:eventyard:error:foreign-origin"));
        }
    }
    let preflight = http
        .request(reqwest::Method::OPTIONS, &url)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), 200);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "https://app.example.com");
}

#[tokio::test]
async fn connections_are_opened_at_a_rate() {
    let mut options = options();
    options.limits.handshakes = 3;
    let server = Server::with(options).await;
    let url = format!("{}/socket.io/?EIO=4&transport=polling", server.url());
    let http = reqwest::Client::new();
    for status in [200, 200, 200, 429] {
        let response = http.get(&url).send().await.unwrap();
        assert_eq!(response.status(), status);
        if status == 429 {
            assert_eq!(response.headers()["retry-after"], "1");
        }
    }
}
