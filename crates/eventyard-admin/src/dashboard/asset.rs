//! One file of the dashboard.

use std::{borrow::Cow, fmt::Write};

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{Files, is_known, not_modified};

/// The page in which the HTML of a mail is shown: it runs in a frame without an origin, takes the mail by a message, and
/// may load nothing.
const FRAME: &str = "mail-frame.html";

/// A file with what is said about it.
pub(super) struct Asset {
    name: String,
    bytes: Cow<'static, [u8]>,
    hash: [u8; 32],
}

impl Asset {
    /// The file of this name.
    pub(super) fn find(name: &str) -> Option<Self> {
        // The page and what it is made of have an address of their own.
        let file = Files::get(name).filter(|_| name != "index.html")?;
        let hash = file.metadata.sha256_hash();
        Some(Self { name: name.to_owned(), bytes: file.data, hash })
    }

    pub(super) fn answer(self, headers: &HeaderMap) -> Response {
        let tag = tag(&self.hash);
        if is_known(headers, &tag) {
            return not_modified(&tag);
        }
        let policy = if self.name == FRAME {
            "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; \
             frame-ancestors 'self'; sandbox allow-scripts"
        } else {
            "default-src 'none'; frame-ancestors 'none'"
        };
        let mut answer = (
            [
                (header::CONTENT_TYPE, media_type(&self.name)),
                (header::CACHE_CONTROL, "no-cache"),
                (header::CONTENT_SECURITY_POLICY, policy),
            ],
            self.bytes,
        )
            .into_response();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            answer.headers_mut().insert(header::ETAG, tag);
        }
        // The frame has no origin of its own, and its script is asked for from none.
        if self.name.starts_with("mail-frame") {
            let any = HeaderValue::from_static("*");
            answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
        }
        answer
    }
}

/// The tag of what has this hash.
pub(super) fn tag(hash: &[u8; 32]) -> String {
    let mut tag = String::from("\"");
    for byte in &hash[..16] {
        // Writing to a string does not fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}
