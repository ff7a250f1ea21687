//! Bytes where Node expects JSON.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::de::IgnoredAny;

/// What the JSON string begins with that stands for bytes that are not JSON: a data URL without a media type.
const DATA_URL: &[u8] = b"\"data:;base64,";

/// Whether bytes are one JSON text, with nothing before and behind it.
pub(crate) fn is_plain_json(bytes: &[u8]) -> bool {
    let is_padded = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
    // The fast check does not look into strings for what is not UTF-8.
    !is_padded(bytes.first())
        && !is_padded(bytes.last())
        && str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// The bytes as JSON: themselves if they are, otherwise a string that holds them as a data URL.
pub(crate) fn to_json(bytes: &[u8]) -> Cow<'_, [u8]> {
    if is_plain_json(bytes) && !bytes.starts_with(DATA_URL) {
        Cow::Borrowed(bytes)
    } else {
        Cow::Owned(data_url(bytes).into_bytes())
    }
}

fn data_url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(DATA_URL.len() + bytes.len().div_ceil(3) * 4 + 1);
    text.push_str("\"data:;base64,");
    BASE64_STANDARD.encode_string(bytes, &mut text);
    text.push('"');
    text
}

/// The bytes that [`to_json`] was given.
pub(crate) fn from_json(json: Bytes) -> Bytes {
    let encoded = json.strip_prefix(DATA_URL).and_then(|rest| rest.strip_suffix(b"\""));
    match encoded.map(|encoded| BASE64_STANDARD.decode(encoded)) {
        Some(Ok(bytes)) => bytes.into(),
        // A data URL of somebody else's.
        Some(Err(_)) | None => json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], is_plain: bool) {
        let json = to_json(bytes);
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(matches!(json, Cow::Borrowed(_)), is_plain, "{shown}");
        assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok(), "{shown}");
        assert_eq!(from_json(Bytes::copy_from_slice(&json)), bytes, "{shown}");
    }

    #[test]
    fn json_is_left_alone() {
        for json in [
            "null",
            "0",
            "-1.5e3",
            "\"\"",
            "[]",
            "{}",
            "true",
            r#"{"a": [1, 2] }"#,
            r#""data:""#,
            r#""data:text/plain;base64,AA==""#,
            r#""d\u0061ta:;base64,AA==""#,
            "\"ü\"",
        ] {
            check(json.as_bytes(), true);
        }
    }

    #[test]
    fn everything_else_becomes_a_string() {
        for bytes in [
            &b""[..],
            b" ",
            b"\0",
            b" 1",
            b"1\n",
            b"{",
            b"{} {}",
            b"nul",
            b"\"\xff\"",
            b"\xff",
            b"01",
            b"\"a\nb\"",
            b"\xef\xbb\xbf1",
            b"\"data:;base64,\"",
            b"\"data:;base64,AAEC\"",
            b"\"data:;base64,!\"",
            b"NaN",
        ] {
            check(bytes, false);
        }
        check(&(0..=255).collect::<Vec<u8>>().repeat(100), false);
    }

    #[test]
    fn a_data_url_of_another_kind_stays() {
        for text in [r#""data:;base64,!""#, r#""data:;base64,AA=="#, r#""data:;base64,AA"b""#] {
            assert_eq!(from_json(Bytes::from_static(text.as_bytes())), text);
        }
    }
}
