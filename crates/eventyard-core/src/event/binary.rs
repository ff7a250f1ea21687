//! Events in HTTP's binary mode: attributes in `ce-` headers, data in the body.
//!
//! Source: CloudEvents 1.0.2, HTTP protocol binding, section 3.1.

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, value::RawValue};

use super::{DecodeError, Event, decode::Draft, is_json_media_type};
use crate::Timestamp;

/// Reads an event from HTTP headers and a body; header names are in lower case. Headers other than
/// `content-type` and `ce-…` are left alone.
///
/// # Errors
/// Names the attribute that is missing or wrong, or says that a body that claims to be JSON is not.
pub fn from_headers<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: Bytes,
    now: Timestamp,
) -> Result<Event, DecodeError> {
    let mut draft = Draft::default();
    let mut is_json = true;
    let mut has_version = false;
    for (header, value) in headers {
        let Some(name) = attribute(header) else {
            continue;
        };
        let text = decode(name, value)?;
        match name {
            "datacontenttype" => is_json = is_json_media_type(&text),
            "specversion" => has_version = true,
            _ => {}
        }
        draft.set(name, Value::String(text))?;
    }
    if !has_version {
        return Err(DecodeError::Missing("specversion"));
    }
    if is_json && !body.is_empty() {
        let _: &RawValue = serde_json::from_slice(&body)
            .map_err(|error| DecodeError::NotJson(error.to_string()))?;
    }
    draft.set_data(body);
    draft.complete(now)
}

fn attribute(header: &str) -> Option<&str> {
    match header {
        "content-type" => Some("datacontenttype"),
        _ => header.strip_prefix("ce-"),
    }
}

fn decode(name: &str, value: &[u8]) -> Result<String, DecodeError> {
    let not_utf8 = || DecodeError::invalid(name, "is not UTF-8, percent-encoded");
    let text = std::str::from_utf8(value).map_err(|_| not_utf8())?;
    Ok(percent_decode_str(text).decode_utf8().map_err(|_| not_utf8())?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &[u8])], body: &'static str) -> Result<Event, DecodeError> {
        from_headers(headers.iter().copied(), Bytes::from(body), Timestamp::default())
    }

    const CORE: [(&str, &[u8]); 4] =
        [("ce-specversion", b"1.0"), ("ce-id", b"1"), ("ce-source", b"s"), ("ce-type", b"t")];

    #[test]
    fn attributes_come_from_headers() {
        let more: [(&str, &[u8]); 4] = [
            ("content-type", b"application/json; charset=utf-8"),
            ("ce-subject", b"Caf%C3%A9"),
            ("ce-tenant", b"acme"),
            ("host", b"localhost"),
        ];
        let event = read(&[&CORE[..], &more[..]].concat(), r#"{"a":1}"#).unwrap();
        assert_eq!(event.subject.as_deref(), Some("Café"));
        assert_eq!(event.extensions["tenant"], "acme");
        assert_eq!(event.data, r#"{"a":1}"#);
        assert!(event.is_json());
    }

    #[test]
    fn errors_name_the_attribute() {
        let field = |headers: &[(&str, &[u8])], body| read(headers, body).unwrap_err().field();
        assert_eq!(field(&CORE[1..], "").as_deref(), Some("specversion"));
        assert_eq!(field(&CORE[..3], "").as_deref(), Some("type"));
        let not_utf8 = [&CORE[..], &[("ce-tenant", &b"%ff"[..])]].concat();
        assert_eq!(field(&not_utf8, "").as_deref(), Some("tenant"));
        assert!(matches!(read(&CORE, "{"), Err(DecodeError::NotJson(_))));
    }
}
