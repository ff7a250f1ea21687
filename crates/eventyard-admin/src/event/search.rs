//! Which events somebody looks for.

use eventyard::model::{Event, Timestamp};

use crate::job::Instant;

/// What an event must be like, besides what the store looks for itself.
#[derive(Debug)]
pub(super) struct Search {
    /// The type, or a pattern of types.
    kind: Option<String>,
    /// In lower case.
    text: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Search {
    pub(super) fn new(
        kind: Option<String>,
        text: Option<String>,
        from: Option<Instant>,
        to: Option<Instant>,
    ) -> Self {
        let instant = |instant: Option<Instant>| instant.map(|Instant(at)| at);
        let text = text.map(|text| text.to_lowercase());
        Self { kind, text, from: instant(from), to: instant(to) }
    }

    /// The type, if it is one and no pattern.
    pub(super) fn exact_kind(&self) -> Option<String> {
        self.kind.clone().filter(|kind| !is_pattern(kind))
    }

    /// Whether the store can do the whole of it.
    pub(super) fn is_exact(&self) -> bool {
        let Self { kind, text, from, to } = self;
        let is_type = kind.as_ref().is_none_or(|kind| !is_pattern(kind));
        is_type && text.is_none() && from.is_none() && to.is_none()
    }

    pub(super) fn wants(&self, event: &Event) -> bool {
        self.from.is_none_or(|from| event.time >= from)
            && self.to.is_none_or(|to| event.time < to)
            && self.kind.as_ref().is_none_or(|kind| matches(kind, &event.kind))
            && self.text.as_ref().is_none_or(|text| holds(event, text))
    }
}

fn is_pattern(kind: &str) -> bool {
    kind.contains(['*', '#'])
}

/// Whether a type is one of a pattern's, part by part.
fn matches(pattern: &str, kind: &str) -> bool {
    fn parts(pattern: &[&str], kind: &[&str]) -> bool {
        match (pattern.split_first(), kind.split_first()) {
            (None, None) => true,
            (Some((&"#", further)), None) => parts(further, &[]),
            (Some((&"#", further)), Some((_, rest))) => {
                parts(further, kind) || parts(pattern, rest)
            }
            (Some((part, further)), Some((own, rest))) => {
                (*part == "*" || part == own) && parts(further, rest)
            }
            _ => false,
        }
    }
    let split = |text| str::split(text, '.').collect::<Vec<_>>();
    // More than a few `#` mean nothing, and would take long.
    pattern.matches('#').count() <= 4 && parts(&split(pattern), &split(kind))
}

fn holds(event: &Event, text: &str) -> bool {
    let part = |part: &str| part.to_lowercase().contains(text);
    part(event.id.as_str())
        || part(&event.kind)
        || part(&event.source)
        || event.subject.as_deref().is_some_and(part)
        || part(&String::from_utf8_lossy(&event.data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_routes() {
        for (pattern, kind, expected) in [
            ("booking.created", "booking.created", true),
            ("booking.*", "booking.created", true),
            ("booking.*", "booking.created.late", false),
            ("booking.#", "booking.created.late", true),
            ("booking.#", "booking", true),
            ("#.late", "booking.created.late", true),
            ("*", "booking.created", false),
            ("#", "booking.created", true),
            ("#.#.#.#.#", "a", false),
        ] {
            assert_eq!(matches(pattern, kind), expected, "{pattern} {kind}");
        }
    }
}
