//! The page: one for all addresses of the dashboard.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};

use super::{Files, asset::tag, is_known, not_modified};

/// Where the page's own import map stands.
const PLACE: &str = "<!-- import map -->";

/// The page with its import map, and the policy that lets the browser read the map.
struct Page {
    html: String,
    policy: String,
    tag: String,
}

/// A release build makes it once.
static PAGE: LazyLock<Page> = LazyLock::new(Page::make);

impl Page {
    fn make() -> Self {
        let (html, map) = (text("index.html"), text("importmap.json"));
        let hash = |name| Files::get(name).map_or([0; 32], |file| file.metadata.sha256_hash());
        let map_hash = BASE64_STANDARD.encode(hash("importmap.json"));
        let script = format!("<script type=\"importmap\">{map}</script>");
        Self {
            html: html.replace(PLACE, &script),
            policy: format!(
                "default-src 'none'; script-src 'self' 'sha256-{map_hash}'; style-src 'self'; \
                 img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; \
                 form-action 'none'; frame-ancestors 'none'"
            ),
            // The page changes with either of them.
            tag: tag(&std::array::from_fn(|n| hash("index.html")[n] ^ hash("importmap.json")[n])),
        }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        if is_known(headers, &self.tag) {
            return not_modified(&self.tag);
        }
        let mut answer = (
            [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CACHE_CONTROL, "no-cache"),
                (header::REFERRER_POLICY, "no-referrer"),
            ],
            self.html.clone(),
        )
            .into_response();
        for (name, value) in
            [(header::CONTENT_SECURITY_POLICY, &self.policy), (header::ETAG, &self.tag)]
        {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.headers_mut().insert(name, value);
            }
        }
        let own = HeaderValue::from_static("same-origin");
        answer.headers_mut().insert("cross-origin-opener-policy", own);
        answer
    }
}

/// A file that the program brings along.
fn text(name: &str) -> String {
    let file = Files::get(name).map(|file| file.data).unwrap_or_default();
    String::from_utf8_lossy(&file).into_owned()
}

pub(super) async fn show(headers: HeaderMap) -> Response {
    if cfg!(debug_assertions) { Page::make().answer(&headers) } else { PAGE.answer(&headers) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_its_map_and_the_policy_lets_it_be_read() {
        let page = Page::make();
        assert!(page.html.contains(r#""imports""#) && !page.html.contains(PLACE));
        assert!(page.policy.contains("'sha256-"), "{}", page.policy);
        assert!(!page.policy.contains("unsafe"), "{}", page.policy);
        for inline in ["<style", " style=", " onclick=", "http://", "https://"] {
            assert!(!page.html.contains(inline), "{inline}");
        }
    }
}
