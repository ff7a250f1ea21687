//! Topic patterns, as RabbitMQ has them: words separated by dots, `*` for one word, `#` for any number.

use std::fmt;

/// A pattern for event types.
///
/// `order.*` takes `order.paid` but not `order` or `order.item.added`; `order.#` takes all three; `#` takes
/// everything; a pattern without `*` and `#` takes just that type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(String);

/// A text that is not a topic pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern `{pattern}` {problem}")]
pub struct InvalidPattern {
    pattern: String,
    problem: &'static str,
}

impl Pattern {
    /// Checks and takes a pattern.
    ///
    /// # Errors
    /// When it is empty, or `*` or `#` is only a part of a word.
    pub fn new(pattern: impl Into<String>) -> Result<Self, InvalidPattern> {
        let pattern = pattern.into();
        let partial = |word: &str| word.len() > 1 && word.contains(['*', '#']);
        let problem = if pattern.is_empty() {
            "is empty; use `#` for every event"
        } else if pattern.split('.').any(partial) {
            "has `*` or `#` inside a word; each stands for whole words, as in `order.*`"
        } else {
            return Ok(Self(pattern));
        };
        Err(InvalidPattern { pattern, problem })
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it takes just one type.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.0.contains(['*', '#'])
    }

    /// Whether it takes events of type `kind`.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        let pattern: Vec<&str> = self.0.split('.').collect();
        let words: Vec<&str> = kind.split('.').collect();
        // `reach[n]`: the pattern so far takes the first `n` words.
        let mut reach = vec![false; words.len() + 1];
        reach[0] = true;
        for part in pattern {
            if part == "#" {
                let first = reach.iter().position(|&r| r).unwrap_or(reach.len());
                reach[first..].fill(true);
            } else {
                for n in (1..=words.len()).rev() {
                    reach[n] = reach[n - 1] && (part == "*" || part == words[n - 1]);
                }
                reach[0] = false;
            }
        }
        reach[words.len()]
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_words() {
        let check = |pattern: &str, takes: &[&str], leaves: &[&str]| {
            let pattern = Pattern::new(pattern).unwrap();
            for kind in takes {
                assert!(pattern.matches(kind), "{pattern} takes {kind}");
            }
            for kind in leaves {
                assert!(!pattern.matches(kind), "{pattern} leaves {kind}");
            }
        };
        check("order.paid", &["order.paid"], &["order", "order.paid.late", "order.Paid"]);
        check("order.*", &["order.paid"], &["order", "order.item.added", "user.created"]);
        check("order.#", &["order", "order.paid", "order.item.added"], &["orders", "my.order"]);
        check("#", &["a", "a.b.c"], &[]);
        check("#.failed", &["failed", "payment.failed", "a.b.failed"], &["failed.a"]);
        check("a.#.*.z", &["a.b.z", "a.b.c.z"], &["a.z"]);
        check("*.*", &["a.b"], &["a", "a.b.c"]);
    }

    #[test]
    fn wildcards_stand_for_whole_words() {
        for bad in ["", "order*", "a.b#", "##"] {
            assert!(Pattern::new(bad).is_err(), "{bad}");
        }
    }
}
