//! Reading with the path of the field that is wrong.

use serde_path_to_error::Path;

use crate::{Code, Problem};

/// The problem that a deserialiser's complaint at `path` is.
pub(super) fn problem(code: Code, path: &Path, complaint: &str) -> Problem {
    let path = path.to_string();
    let path = if path == "." { "" } else { path.as_str() };
    let (field, what) = locate(path, complaint);
    match field {
        Some(field) => Problem::of(code, format!("`{field}` {what}")).field(field, what),
        None => Problem::of(code, what),
    }
}

/// The field at fault and what is wrong with it. Serde reports a missing or unknown field at its parent.
fn locate(path: &str, complaint: &str) -> (Option<String>, String) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        path => format!("{path}.{name}"),
    };
    if let Some((name, _)) = quoted(complaint, "missing field `") {
        return (Some(below(name)), "is missing".to_owned());
    }
    if let Some((name, rest)) = quoted(complaint, "unknown field `") {
        let known = rest.trim_start_matches(", ").replace("expected one of ", "use ");
        let known = known.replace("expected ", "use ");
        return (Some(below(name)), format!("is not known; {}", position_removed(&known)));
    }
    let what = position_removed(complaint);
    if path.is_empty() {
        return (None, what.to_owned());
    }
    // The field names itself already.
    let what = IDENTIFIERS.iter().find_map(|kind| what.strip_prefix(kind)).unwrap_or(what);
    (Some(path.to_owned()), what.to_owned())
}

/// What the engine's complaints about identifiers begin with.
const IDENTIFIERS: [&str; 6] =
    ["queue name ", "job id ", "event id ", "key ", "worker ", "step name "];

/// Splits `prefixNAME` rest` into the name and the rest.
fn quoted<'a>(complaint: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    complaint.strip_prefix(prefix)?.split_once('`')
}

/// The complaint without ` at line 1 column 9`: the field says where.
fn position_removed(complaint: &str) -> &str {
    match complaint.rfind(" at line ") {
        Some(at) => &complaint[..at],
        None => complaint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_in_full() {
        let check = |path, complaint, field: Option<&str>, what: &str| {
            assert_eq!(locate(path, complaint), (field.map(str::to_owned), what.to_owned()));
        };
        check("", "missing field `name` at line 1 column 2", Some("name"), "is missing");
        check("[3]", "missing field `name` at line 1 column 2", Some("[3].name"), "is missing");
        check(
            "opts.x",
            "unknown field `x`, expected one of `a`, `b` at line 1 column 2",
            Some("opts.x"),
            "is not known; use `a`, `b`",
        );
        check(
            "",
            "unknown field `x`, there are no fields",
            Some("x"),
            "is not known; there are no fields",
        );
        check(
            "opts.attempts",
            "invalid type: string \"3\", expected u32 at line 1 column 9",
            Some("opts.attempts"),
            "invalid type: string \"3\", expected u32",
        );
        check(
            "",
            "invalid type: null, expected struct Body",
            None,
            "invalid type: null, expected struct Body",
        );
    }
}
