//! What many writes of a call share. It is told once; a write says only its number.

use std::{collections::HashMap, hash::Hash};

use eventyard_core::Keep;

use super::{WireKeep, millis};

/// What the writes of one call share.
#[derive(Default)]
pub(crate) struct Shared {
    texts: Numbered<String>,
    /// By the count and the age.
    keeps: Numbered<(Option<u64>, Option<i64>)>,
}

impl Shared {
    /// The number of a text.
    pub(super) fn text(&mut self, text: String) -> usize {
        self.texts.number(text)
    }

    /// The number of a rule.
    pub(super) fn keep(&mut self, keep: Keep) -> usize {
        self.keeps.number((keep.count, keep.age.map(millis)))
    }

    /// The texts and the rules, by their numbers.
    pub(crate) fn into_lists(self) -> (Vec<String>, Vec<WireKeep>) {
        let keeps = self.keeps.into_list().into_iter();
        (self.texts.into_list(), keeps.map(|(count, age)| WireKeep { count, age }).collect())
    }
}

/// Values by numbers, which begin with 1 as Lua's do.
struct Numbered<T> {
    numbers: HashMap<T, usize>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new() }
    }
}

impl<T: Eq + Hash> Numbered<T> {
    fn number(&mut self, value: T) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(value).or_insert(next)
    }

    fn into_list(self) -> Vec<T> {
        let mut all: Vec<_> = self.numbers.into_iter().collect();
        all.sort_unstable_by_key(|(_, number)| *number);
        all.into_iter().map(|(value, _)| value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_has_one_number() {
        let mut shared = Shared::default();
        let numbers = ["b", "a", "b", "c"].map(|text| shared.text(text.to_owned()));
        assert_eq!(numbers, [1, 2, 1, 3]);
        assert_eq!(shared.into_lists().0, ["b", "a", "c"]);
    }
}
