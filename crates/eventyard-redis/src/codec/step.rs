//! A saved step: a field of the job's hash, `eyn:` and its name, that holds its number, when it was saved, and its result.

use bytes::Bytes;
use eventyard_core::{StepName, Timestamp, inspect::SavedStep};

use super::bytes::from_json;

/// The field that says how many steps a job has saved.
pub(crate) const COUNT: &str = "eyn";
/// What the field of a step begins with.
const PREFIX: &[u8] = b"eyn:";

/// The number and the step of a field; nothing if it is another field.
pub(crate) fn decode(field: &[u8], value: &Bytes) -> Option<(u32, SavedStep)> {
    let name = std::str::from_utf8(field.strip_prefix(PREFIX)?).ok()?;
    let mut parts = value.splitn(3, |byte| *byte == b' ');
    let mut next = || parts.next();
    let text = |part: &[u8]| std::str::from_utf8(part).map(str::to_owned).ok();
    let (number, at, result) = (text(next()?)?, text(next()?)?, value.slice_ref(next()?));
    let step = SavedStep {
        name: StepName::new(name).ok()?,
        saved_at: Timestamp::from_millis(at.parse().ok()?),
        result: from_json(result),
    };
    Some((number.parse().ok()?, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_and_other_fields_are_none() {
        let value = Bytes::from_static(b"7 1700000000123 {\"a\": 1}");
        let (number, step) = decode(b"eyn:take a seat", &value).unwrap();
        assert_eq!((number, step.name.as_str()), (7, "take a seat"));
        assert_eq!(step.saved_at, Timestamp::from_millis(1_700_000_000_123));
        assert_eq!(step.result, r#"{"a": 1}"#);
        for (field, value) in [
            ("eyn", "7"),
            ("eya", "7 1 {}"),
            ("eyn:", "7 1 {}"),
            ("eyn:a", "7 1"),
            ("eyn:a", "x 1 {}"),
            ("eyn:a", "7 x {}"),
        ] {
            assert_eq!(decode(field.as_bytes(), &value.into()), None, "{field}: {value}");
        }
    }
}
