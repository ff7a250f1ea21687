//! The children of a job.
//!
//! Those that we added are in the order of the parent's field `eyc`; those that Node added come behind them, by their keys,
//! because BullMQ keeps no order.

use std::collections::HashSet;

use bytes::Bytes;
use eventyard_core::{
    JobId, JobKey, Page, PageAsk, QueueName, StoreError,
    inspect::{Child, ChildOutcome},
};

use super::{Reader, cursor};
use crate::codec::row;

/// What a parent knows of a child: what it returned, whether it is pending, how it ended in our words, why it failed in
/// BullMQ's, and when it failed with the parent.
type Known = (Option<Vec<u8>>, bool, Option<Vec<u8>>, Option<String>, Option<f64>);

/// The children in the order of ours, then the members of BullMQ's four sets.
type Told = (Option<String>, Vec<String>, Vec<String>, Vec<String>, Vec<String>);

impl Reader {
    /// The children of a job, in the order in which they were added.
    pub(super) async fn children_page(
        &self,
        key: &JobKey,
        page: &PageAsk,
    ) -> Result<Page<Child>, StoreError> {
        let after = cursor::of_children(page)?;
        let parent = self.job_key(key);
        let keys = self.child_keys(&parent).await?.into_iter().enumerate();
        let keys: Vec<_> =
            keys.skip(after.map_or(0, |after| after + 1)).take(page.limit() + 1).collect();
        let known = self.known_of(&parent, &keys).await?;
        let rows = keys.into_iter().zip(known).map(|((index, key), known)| {
            let child =
                self.parse_key(&key).map(|job| Child { job, outcome: outcome(&key, known) });
            (index, child)
        });
        let Page { items, next } =
            Page::cut(rows.collect(), page.limit(), |n| cursor::to_child(*n));
        Ok(Page { items: items.into_iter().flatten().collect(), next })
    }

    /// The keys of all children of a job.
    async fn child_keys(&self, parent: &str) -> Result<Vec<String>, StoreError> {
        let mut ask = redis::pipe();
        ask.atomic()
            .hget(parent, "eyc")
            .smembers(format!("{parent}:dependencies"))
            .hkeys(format!("{parent}:processed"))
            .hkeys(format!("{parent}:failed"))
            .zrange(format!("{parent}:unsuccessful"), 0, -1);
        let (ours, pending, done, ignored, failed): Told = self.get_all(&ask).await?;
        let ours = ours.unwrap_or_default();
        let ours = ours.split('\n').filter(|key| !key.is_empty()).map(str::to_owned);
        Ok(in_order(ours.collect(), [pending, done, ignored, failed]))
    }

    async fn known_of(
        &self,
        parent: &str,
        keys: &[(usize, String)],
    ) -> Result<Vec<Known>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = redis::pipe();
        for (_, key) in keys {
            ask.hget(format!("{parent}:processed"), key)
                .sismember(format!("{parent}:dependencies"), key)
                .hget(parent, format!("ey>{key}"))
                .hget(format!("{parent}:failed"), key)
                .zscore(format!("{parent}:unsuccessful"), key);
        }
        let answers: Vec<redis::Value> = self.get_all(&ask).await?;
        let known =
            answers.chunks_exact(5).map(|of| super::ask::read(redis::Value::Array(of.into())));
        known.collect()
    }

    /// The job that a key means; none if it is of another prefix.
    fn parse_key(&self, key: &str) -> Option<JobKey> {
        let (queue, id) = key.strip_prefix(&*self.prefix)?.strip_prefix(':')?.split_once(':')?;
        Some(JobKey { queue: QueueName::new(queue).ok()?, id: JobId::new(id).ok()? })
    }
}

/// Our children in their order, then those that only the sets know of.
fn in_order(mut ours: Vec<String>, sets: [Vec<String>; 4]) -> Vec<String> {
    let known: HashSet<&String> = ours.iter().collect();
    let mut others: Vec<_> =
        sets.into_iter().flatten().filter(|key| !known.contains(key)).collect();
    others.sort();
    others.dedup();
    ours.extend(others);
    ours
}

/// How a child ended. What Node wrote last wins over what we wrote before: it does not know our words.
fn outcome(key: &str, (returned, is_pending, fate, ignored, failed): Known) -> ChildOutcome {
    if let Some(returned) = returned {
        return ChildOutcome::Completed(row::result(Bytes::from(returned)));
    } else if is_pending {
        return ChildOutcome::Pending;
    }
    let ours = fate.and_then(|fate| row::failure(&fate));
    let theirs = || ignored.or_else(|| failed.map(|_| format!("child {key} failed")));
    match ours.or_else(|| theirs().map(|message| row::foreign(message, None))) {
        Some(failure) => ChildOutcome::Failed(failure),
        None => ChildOutcome::Removed,
    }
}

#[cfg(test)]
mod tests {
    use eventyard_core::{Failure, FailureKind};

    use super::*;

    #[test]
    fn children_have_an_order() {
        let keys = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let check = |ours, sets: [&str; 4], expected| {
            assert_eq!(in_order(keys(ours), sets.map(keys)), keys(expected));
        };
        check("", ["", "", "", ""], "");
        check("c a b", ["b", "a", "c", "c"], "c a b");
        check("c", ["x b", "c", "a", "a"], "c a b x");
    }

    #[test]
    fn the_last_word_counts() {
        let text = |text: &str| Some(text.as_bytes().to_vec());
        let failure = |kind, message: &str| ChildOutcome::Failed(Failure::new(kind, message));
        let fate = r#"{"kind":"crash","message":"ours"}"#;
        let check = |known, expected| assert_eq!(outcome("b:q:1", known), expected);
        check((text("null"), false, None, None, None), ChildOutcome::Completed(None));
        let result = ChildOutcome::Completed(Some("1".into()));
        check((text("1"), false, text(fate), None, None), result);
        check((None, true, None, None, None), ChildOutcome::Pending);
        check((None, true, text(fate), None, None), ChildOutcome::Pending);
        let reason = || Some("theirs".to_owned());
        check((None, false, text(fate), reason(), None), failure(FailureKind::Crash, "ours"));
        check((None, false, None, reason(), None), failure(FailureKind::Error, "theirs"));
        let message = "child b:q:1 failed";
        check((None, false, None, None, Some(1.0)), failure(FailureKind::Error, message));
        check((None, false, text(""), None, None), ChildOutcome::Removed);
        check((None, false, None, None, None), ChildOutcome::Removed);
    }
}
