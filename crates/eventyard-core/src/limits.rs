//! What is accepted at the door.

use serde::{Deserialize, Serialize};

/// The limits on what comes in. Each is checked before anything is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// The most events or jobs in one batch.
    pub batch: usize,
    /// The deepest nesting of JSON.
    pub depth: usize,
    /// The most bytes of all request headers together.
    pub header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 1024 * 1024, batch: 1000, depth: 64, header_bytes: 16 * 1024 }
    }
}

/// How deep the arrays and objects of a JSON text are nested. It reads brackets outside of strings
/// and does not ask whether the text is valid.
#[must_use]
pub fn json_depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        let check = |json: &str, depth| assert_eq!(json_depth(json.as_bytes()), depth, "{json}");
        check("1", 0);
        check("{}", 1);
        check(r#"{"a":[{"b":1}],"c":[]}"#, 3);
        check(r#"{"a":"[[[[\"[[["}"#, 1);
        check(&"[".repeat(100_000), 100_000);
    }
}
