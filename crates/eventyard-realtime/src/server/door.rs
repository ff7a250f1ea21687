//! Before the protocol: which pages may connect, and how many connections may be opened.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{limit::Bucket, node::Node};

/// Keeps watch.
pub(super) struct Door {
    node: Arc<Node>,
    handshakes: Mutex<Bucket>,
}

impl Door {
    pub(super) fn new(node: Arc<Node>) -> Self {
        let handshakes = Bucket::full(node.options.limits.handshakes, node.clock.now());
        Self { node, handshakes: Mutex::new(handshakes) }
    }

    fn lets_one_more_in(&self) -> bool {
        let limits = &self.node.options.limits;
        let rate = f64::from(limits.handshakes) / limits.handshake_time.as_secs_f64();
        let mut handshakes = self.handshakes.lock().unwrap_or_else(PoisonError::into_inner);
        handshakes.take(limits.handshakes, rate, self.node.clock.now())
    }
}

/// Refuses pages of foreign origins, and connections when too many are opened.
pub(super) async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let origins = &door.node.options.origins;
    if let Some(origin) = foreign_origin(request.headers(), origins) {
        let detail = format!(
            "a page of {origin} may not connect; add its origin to FRONTEND_URL or realtime.origins"
        );
        return refuse(
            StatusCode::FORBIDDEN,
            "foreign-origin",
            "A page of another origin",
            &detail,
        );
    }
    if opens_connection(request.method(), request.uri()) && !door.lets_one_more_in() {
        let limits = &door.node.options.limits;
        let detail = format!(
            "{} connections may be opened in {:?}; try again later",
            limits.handshakes, limits.handshake_time
        );
        let mut response = refuse(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many requests at once",
            &detail,
        );
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return response;
    }
    next.run(request).await
}

/// The origin of the page that asks, if it is none of `origins` and not the server's own.
fn foreign_origin<'a>(headers: &'a HeaderMap, origins: &[String]) -> Option<&'a str> {
    let origin = headers.get(header::ORIGIN)?.to_str().unwrap_or("?");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let is_own = origin.split_once("://").is_some_and(|(_, of)| Some(of) == host);
    let is_known = origins.iter().any(|known| known.eq_ignore_ascii_case(origin));
    (!is_own && !is_known).then_some(origin)
}

/// Whether a request begins a connection: it names none that exists.
fn opens_connection(method: &Method, uri: &Uri) -> bool {
    let names_one = |query: &str| query.split('&').any(|part| part.starts_with("sid="));
    method == Method::GET && !uri.query().is_some_and(names_one)
}

fn refuse(status: StatusCode, code: &str, title: &str, detail: &str) -> Response {
    let problem = json!({
        "type": format!("urn:eventyard:error:{code}"), "title": title,
        "status": status.as_u16(), "detail": detail,
    });
    let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, media_type, Json(problem)).into_response()
}

/// What browsers are told of who may connect.
pub(super) fn cors(origins: &[String]) -> CorsLayer {
    // One that is no header value was refused at the start.
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION])
}

/// What is polled is for one client, now.
pub(super) async fn never_kept(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_origins_are_foreign() {
        let origins = ["https://app.example.com".to_owned()];
        let check = |origin: Option<&str>, host: &str, foreign: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(foreign_origin(&headers, &origins).is_some(), foreign, "{origin:?} {host}");
        };
        check(None, "api.example.com", false);
        check(Some("https://app.example.com"), "api.example.com", false);
        check(Some("https://api.example.com"), "api.example.com", false);
        check(Some("http://localhost:3000"), "localhost:3000", false);
        check(Some("https://evil.example"), "api.example.com", true);
        check(Some("https://app.example.com.evil.example"), "api.example.com", true);
        check(Some("http://localhost:3001"), "localhost:3000", true);
        check(Some("null"), "localhost:3000", true);
    }

    #[test]
    fn requests_that_open_connections() {
        let check = |method: Method, uri: &str, opens: bool| {
            assert_eq!(opens_connection(&method, &uri.parse().unwrap()), opens, "{uri}");
        };
        check(Method::GET, "/socket.io/?EIO=4&transport=polling", true);
        check(Method::GET, "/socket.io/?EIO=4&transport=websocket", true);
        check(Method::GET, "/socket.io/?EIO=4&transport=polling&sid=x", false);
        check(Method::POST, "/socket.io/?EIO=4&transport=polling&sid=x", false);
    }
}
