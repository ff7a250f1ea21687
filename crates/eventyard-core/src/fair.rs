//! Whose turn it is: sharing a queue between its keys.
//!
//! Each key with work has a tag, and the smallest goes next; being served moves a key's tag on by a step, the
//! smaller the larger its weight. A key that gets work joins one step behind the present: it neither waits
//! for the backlog of others nor gains by having been away.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

/// How many jobs a key gets in one turn of a claim of up to `max`.
///
/// A claim that takes many takes a few of each key: what lies together costs less, and whoever asks for one gets
/// strict turns all the same.
#[must_use]
pub fn burst(max: usize) -> usize {
    (max / 4).clamp(1, 32)
}

/// The step of a key with weight 1.
const STEP: u64 = 1 << 20;

/// The keys with work, in the order of their turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turns<K: Eq + Hash> {
    /// By tag, then in the order of joining.
    order: BTreeSet<(u64, u64)>,
    by_place: HashMap<(u64, u64), K>,
    places: HashMap<K, (u64, u64)>,
    /// The tag of the job that was served last, but never beyond that of the key whose turn it is.
    present: u64,
    joined: u64,
}

impl<K: Eq + Hash> Default for Turns<K> {
    fn default() -> Self {
        Self {
            order: BTreeSet::new(),
            by_place: HashMap::new(),
            places: HashMap::new(),
            present: 0,
            joined: 0,
        }
    }
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// Whether a key takes turns.
    pub fn has(&self, key: &K) -> bool {
        self.places.contains_key(key)
    }

    /// How many keys take turns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no key takes turns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Lets a key take turns from now on; one that does already keeps its place.
    pub fn join(&mut self, key: K, weight: u32) {
        if !self.has(&key) {
            self.place(key, self.present + step(weight));
        }
    }

    /// Takes a key out.
    pub fn leave(&mut self, key: &K) {
        if let Some(place) = self.places.remove(key) {
            self.order.remove(&place);
            self.by_place.remove(&place);
        }
    }

    /// Whose turn it is.
    #[must_use]
    pub fn next(&self) -> Option<&K> {
        self.order.first().map(|place| &self.by_place[place])
    }

    /// Counts that the key whose turn it is was served with so many jobs.
    pub fn serve(&mut self, weight: u32, jobs: usize) {
        if let Some(place) = self.order.pop_first() {
            let key = self.by_place.remove(&place).expect("every place has its key");
            self.places.remove(&key);
            let jobs = jobs as u64;
            let last = place.0 + step(weight).saturating_mul(jobs.saturating_sub(1));
            self.present = self.order.first().map_or(last, |next| last.min(next.0));
            self.place(key, place.0 + step(weight).saturating_mul(jobs));
        }
    }

    fn place(&mut self, key: K, tag: u64) {
        self.joined += 1;
        let place = (tag, self.joined);
        self.order.insert(place);
        self.by_place.insert(place, key.clone());
        self.places.insert(key, place);
    }
}

/// How far one job moves the tag of a key.
fn step(weight: u32) -> u64 {
    STEP / u64::from(weight.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(turns: &mut Turns<char>, weights: &[(char, u32)], n: usize) -> String {
        (0..n)
            .map(|_| {
                let key = *turns.next().unwrap();
                let weight = weights.iter().find(|(k, _)| *k == key).map_or(1, |(_, w)| *w);
                turns.serve(weight, 1);
                key
            })
            .collect()
    }

    #[test]
    fn keys_take_turns_by_weight() {
        let mut turns = Turns::default();
        turns.join('a', 1);
        turns.join('b', 1);
        assert_eq!(serve(&mut turns, &[], 6), "ababab");

        let mut turns = Turns::default();
        turns.join('a', 3);
        turns.join('b', 1);
        let served = serve(&mut turns, &[('a', 3)], 40);
        assert_eq!(served.matches('a').count(), 30);
        assert!(!served.contains("bb") && !served.contains("aaaaa"), "{served}");
    }

    #[test]
    fn turns_that_a_key_had_alone_change_nothing() {
        let mut alone = Turns::default();
        alone.join('a', 1);
        for jobs in [1, 8, 3] {
            alone.serve(1, jobs);
        }
        let mut fresh = Turns::default();
        fresh.join('a', 1);
        for turns in [&mut alone, &mut fresh] {
            turns.join('b', 1);
            assert_eq!(serve(turns, &[], 4), "abab");
        }
    }

    #[test]
    fn whoever_comes_late_is_served_soon_and_gains_nothing() {
        let mut turns = Turns::default();
        turns.join('a', 1);
        serve(&mut turns, &[], 1000);
        turns.join('b', 1);
        assert_eq!(serve(&mut turns, &[], 6), "ababab");
        // Whoever leaves and comes back each time is not served twice in a row.
        let mut served = String::new();
        for _ in 0..6 {
            turns.leave(&'b');
            turns.join('b', 1);
            served += &serve(&mut turns, &[], 1);
        }
        assert!(served.contains('a'), "{served}");
    }
}
