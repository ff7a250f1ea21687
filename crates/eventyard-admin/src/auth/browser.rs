//! What keeps web pages of others away from an API that asks for no credential.
//!
//! A page can make the reader's browser send requests to the own machine. Its name for that machine gives it
//! away when it resolves to loopback (DNS rebinding), and its origin when it posts.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::uri::Authority,
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{Code, Problem};

/// Refuses what a foreign page sends.
pub(crate) async fn keep_out(
    State(hosts): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Response {
    match check(request.method(), request.uri(), request.headers(), &hosts) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Whether a request may come in, where `hosts` are the names that the API has besides loopback's.
fn check(method: &Method, uri: &Uri, headers: &HeaderMap, hosts: &[String]) -> Result<(), Problem> {
    let mut addressed = None;
    let named = headers.get_all(header::HOST).iter().map(|value| value.to_str().ok());
    for host in named.chain(uri.authority().map(|authority| Some(authority.as_str()))) {
        let authority: Option<Authority> = host.and_then(|host| host.parse().ok());
        let known = authority.filter(|authority| is_own(authority.host(), hosts));
        addressed = Some(known.ok_or_else(|| foreign_host(host.unwrap_or_default()))?);
    }
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    // A WebSocket begins with a read, and no rule of browsers keeps it from the pages of others.
    if reads && !headers.contains_key(header::UPGRADE) {
        return Ok(());
    }
    // A request without an origin comes from no page: browsers send it with everything but reads.
    for origin in headers.get_all(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let from: Option<Authority> =
            origin.split_once("://").and_then(|(_, authority)| authority.parse().ok());
        let own = from
            .is_some_and(|from| addressed.as_ref() == Some(&from) || is_listed(from.host(), hosts));
        if !own {
            return Err(foreign_origin(origin));
        }
    }
    Ok(())
}

fn is_own(host: &str, hosts: &[String]) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    loopback || name == "localhost" || name.ends_with(".localhost") || is_listed(host, hosts)
}

fn is_listed(host: &str, hosts: &[String]) -> bool {
    hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
}

fn foreign_host(host: &str) -> Problem {
    let detail = format!(
        "the request is addressed to `{host}`; use localhost, or allow this host in the configuration"
    );
    Problem::of(Code::FOREIGN_HOST, detail)
}

fn foreign_origin(origin: &str) -> Problem {
    let detail = format!(
        "a page of `{origin}` may not change anything here; allow its host in the configuration"
    );
    Problem::of(Code::FOREIGN_ORIGIN, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(method: &Method, host: &str, origin: Option<&str>) -> &'static str {
        let mut headers = HeaderMap::new();
        if !host.is_empty() {
            headers.insert(header::HOST, host.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        let hosts = ["yard.test".to_owned()];
        match check(method, &Uri::from_static("/api/v1/queues"), &headers, &hosts) {
            Ok(()) => "in",
            Err(problem) => problem.code(),
        }
    }

    #[test]
    fn hosts() {
        for (host, expected) in [
            ("localhost:3000", "in"),
            ("LOCALHOST", "in"),
            ("app.localhost:3000", "in"),
            ("127.0.0.1:3000", "in"),
            ("127.9.9.9", "in"),
            ("[::1]:3000", "in"),
            ("yard.test:3000", "in"),
            ("", "in"),
            ("evil.example:3000", "foreign-host"),
            ("localhost.evil.example", "foreign-host"),
            ("10.0.0.1", "foreign-host"),
            ("evil.example@localhost", "in"),
            ("localhost@evil.example", "foreign-host"),
            ("not a host", "foreign-host"),
        ] {
            assert_eq!(verdict(&Method::GET, host, None), expected, "{host}");
        }
    }

    #[test]
    fn the_address_in_the_request_line_counts_too() {
        let uri = Uri::from_static("http://evil.example/api/v1/queues");
        let refused = check(&Method::GET, &uri, &HeaderMap::new(), &[]).unwrap_err();
        assert_eq!(refused.code(), "foreign-host");
    }

    #[test]
    fn web_sockets_of_others_stay_out() {
        let headers = [
            (header::HOST, "localhost"),
            (header::UPGRADE, "websocket"),
            (header::ORIGIN, "https://evil.example"),
        ];
        let headers = headers.map(|(name, value)| (name, value.parse().unwrap())).into_iter();
        let uri = Uri::from_static("/socket.io/");
        let refused = check(&Method::GET, &uri, &headers.collect(), &[]).unwrap_err();
        assert_eq!(refused.code(), "foreign-origin");
    }

    #[test]
    fn origins() {
        for (origin, expected) in [
            (None, "in"),
            (Some("http://localhost:3000"), "in"),
            (Some("http://yard.test"), "in"),
            (Some("http://localhost:8080"), "foreign-origin"),
            (Some("https://evil.example"), "foreign-origin"),
            (Some("null"), "foreign-origin"),
        ] {
            assert_eq!(verdict(&Method::POST, "localhost:3000", origin), expected, "{origin:?}");
            assert_eq!(verdict(&Method::GET, "localhost:3000", origin), "in", "{origin:?}");
        }
    }
}
