//! Secrets in payloads: members that are stored and handed to workers, but not shown.

mod walk;

use std::{convert::Infallible, fmt, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use bytes::Bytes;
use eventyard::model::Event;
use serde_json::value::RawValue;

use walk::Step;

/// What is shown in place of a secret. A copy of a job that is edited keeps the job's own value where this stands.
pub const MASK: &str = "••••••";

/// Which members of payloads are secrets.
///
/// A path names members from the outside in: `card.number`. `*` is any one member, `**` any number of them; elements of lists
/// need no mention. Names are compared without regard to case.
///
/// ```
/// # use eventyard_admin::Masks;
/// let masks = Masks::new(["card.number", "**.password"])?;
/// let shown = masks.shown(br#"{"card": {"number": "4111"}, "n": 1}"#);
/// assert_eq!(shown.unwrap(), r#"{"card":{"number":"••••••"},"n":1}"#.as_bytes());
/// assert_eq!(masks.shown(br#"{"n": 1}"#), None);
/// # Ok::<(), eventyard_admin::InvalidMask>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Masks(Arc<[Vec<Step>]>);

/// A path that names no members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidMask(String);

impl fmt::Display for InvalidMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no path of members; write one as `card.number` or `**.password`", self.0)
    }
}

impl std::error::Error for InvalidMask {}

impl Masks {
    /// Masks for these paths.
    ///
    /// # Errors
    /// When a path is empty, has an empty part, or ends with `**`, which would hide everything.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidMask> {
        let path = |text: &str| Step::path(text).ok_or_else(|| InvalidMask(text.to_owned()));
        Ok(Self(paths.into_iter().map(path).collect::<Result<_, _>>()?))
    }

    /// JSON with its secrets masked; nothing when there are none in it, or it is no JSON.
    #[must_use]
    pub fn shown(&self, json: &[u8]) -> Option<Vec<u8>> {
        if self.0.is_empty() {
            return None;
        }
        let mut value = serde_json::from_slice(json).ok()?;
        let paths: Vec<_> = self.0.iter().map(Vec::as_slice).collect();
        walk::mask(&mut value, &paths).then(|| value.to_string().into_bytes())
    }

    /// How many paths there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn json(&self, json: &mut Option<Box<RawValue>>) {
        if let Some(json) = json {
            self.raw(json);
        }
    }

    pub(crate) fn raw(&self, json: &mut Box<RawValue>) {
        let shown = self.shown(json.get().as_bytes());
        let shown = shown.and_then(|shown| String::from_utf8(shown).ok());
        if let Some(shown) = shown.and_then(|shown| RawValue::from_string(shown).ok()) {
            *json = shown;
        }
    }

    pub(crate) fn event(&self, mut event: Event) -> Event {
        if let Some(shown) = self.shown(&event.data) {
            event.data = shown.into();
        }
        event
    }
}

/// What was edited, with the `original`'s own values where the mask stands.
pub(crate) fn unmasked(edited: Bytes, original: &[u8]) -> Bytes {
    // Most of what is edited has no mask in it.
    if !String::from_utf8_lossy(&edited).contains(MASK) {
        return edited;
    }
    let values = (serde_json::from_slice(&edited), serde_json::from_slice(original));
    let (Ok(mut value), Ok(original)) = values else { return edited };
    walk::restore(&mut value, &original);
    value.to_string().into()
}

/// As an extractor: the masks of the API, none outside of it.
impl<S: Send + Sync> FromRequestParts<S> for Masks {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_their_path_leads() {
        let check = |path: &str, json: &str, shown: &str| {
            let masks = Masks::new([path]).unwrap();
            let masked = masks.shown(json.as_bytes()).map(|json| String::from_utf8(json).unwrap());
            let masked = masked.unwrap_or_else(|| json.to_owned());
            assert_eq!(masked.replace(MASK, "#"), shown, "{path}");
        };
        check("a", r#"{"a":1,"b":2}"#, r##"{"a":"#","b":2}"##);
        check("A", r#"{"a":1}"#, r##"{"a":"#"}"##);
        check("a.b", r#"{"a":{"b":[1]},"b":2}"#, r##"{"a":{"b":"#"},"b":2}"##);
        check("a.b", r#"{"a":[{"b":1},{"c":1}]}"#, r##"{"a":[{"b":"#"},{"c":1}]}"##);
        check("*.b", r#"{"a":{"b":1},"b":2}"#, r##"{"a":{"b":"#"},"b":2}"##);
        check("**.b", r#"{"a":{"c":{"b":1}},"b":2}"#, r##"{"a":{"c":{"b":"#"}},"b":"#"}"##);
        check("a.b", r#"{"a":1.50}"#, r#"{"a":1.50}"#);
        check("a", "no json", "no json");
        for path in ["", "a..b", "**", "a.**", "."] {
            assert!(Masks::new([path]).is_err(), "{path}");
        }
    }

    #[test]
    fn an_edited_copy_keeps_what_was_masked() {
        let original = br#"{"a":{"token":"t"},"list":[{"n":1}]}"#;
        let edited = format!(r#"{{"a":{{"token":"{MASK}","x":1}},"list":["{MASK}"]}}"#);
        let whole = unmasked(edited.into(), original);
        assert_eq!(&whole[..], br#"{"a":{"token":"t","x":1},"list":[{"n":1}]}"#);
        assert_eq!(&unmasked(Bytes::from_static(b"{ }"), original)[..], b"{ }");
    }
}
