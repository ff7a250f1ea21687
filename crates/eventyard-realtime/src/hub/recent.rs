//! Users who left lately: what concerns them is still worth remembering, for they may come back.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use eventyard::model::Timestamp;

/// How many are remembered.
const MAX: usize = 100_000;

/// Users who left within the window.
#[derive(Debug)]
pub(super) struct Recent {
    age: Duration,
    left: HashMap<Arc<str>, Timestamp>,
    /// In the order in which they left. One that left again stands here twice.
    order: VecDeque<(Timestamp, Arc<str>)>,
}

impl Recent {
    pub(super) fn new(age: Duration) -> Self {
        Self { age, left: HashMap::new(), order: VecDeque::new() }
    }

    pub(super) fn left(&mut self, user: Arc<str>, now: Timestamp) {
        self.forget(now);
        if self.order.len() >= MAX {
            self.forget_oldest();
        }
        self.left.insert(Arc::clone(&user), now);
        self.order.push_back((now, user));
    }

    pub(super) fn has(&mut self, user: &str, now: Timestamp) -> bool {
        self.forget(now);
        self.left.contains_key(user)
    }

    pub(super) fn is_empty(&mut self, now: Timestamp) -> bool {
        self.forget(now);
        self.left.is_empty()
    }

    fn forget(&mut self, now: Timestamp) {
        while self.order.front().is_some_and(|(at, _)| now.since(*at) > self.age) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((at, user)) = self.order.pop_front()
            && self.left.get(&user) == Some(&at)
        {
            self.left.remove(&user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_remembered_from_when_they_left_last() {
        let mut recent = Recent::new(Duration::from_secs(10));
        let at = |secs: i64| Timestamp::from_millis(secs * 1000);
        recent.left("a".into(), at(0));
        recent.left("b".into(), at(5));
        recent.left("a".into(), at(8));
        assert!(recent.has("a", at(17)) && !recent.has("b", at(17)));
        assert!(recent.is_empty(at(19)));
    }
}
