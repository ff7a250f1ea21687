//! Pages: listings that go on after the last item, whatever came or went in between.

use std::{
    collections::BTreeSet,
    ops::Bound::{Excluded, Included, Unbounded},
};

use super::{entry::Rank, state::State};
use crate::{
    Document, Event, GroupKey, JobId, JobKey, JobState, Page, PageAsk, QueueName, StoreError,
    inspect::{
        Child, DocumentFilter, EventFilter, JobStatus, KeyStatus, read_text_place, text_place,
    },
};

impl State {
    /// The jobs of a queue, or of all, in a state.
    pub(super) fn jobs_page(
        &self,
        queue: Option<&QueueName>,
        state: JobState,
        page: &PageAsk,
    ) -> Result<Page<JobStatus>, StoreError> {
        let newest_first = matches!(state, JobState::Completed | JobState::Failed);
        let after = page.place(state.as_str(), read_rank)?;
        let mut rows = Vec::new();
        for (name, known) in &self.queues {
            let Some(list) = known.shown(state).filter(|_| queue.is_none_or(|only| only == name))
            else {
                continue;
            };
            let paused = known.settings.paused;
            let row = |(rank, id): (&Rank, &JobId)| (rank.clone(), known.jobs[id].status(paused));
            let most = page.limit() + 1;
            let after = after.clone();
            if newest_first {
                let end = after.map_or(Unbounded, Excluded);
                rows.extend(list.range((Unbounded, end)).rev().take(most).map(row));
            } else {
                let start = after.map_or(Unbounded, Excluded);
                rows.extend(list.range((start, Unbounded)).take(most).map(row));
            }
        }
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        if newest_first {
            rows.reverse();
        }
        Ok(Page::cut(rows, page.limit(), |Rank { key, first, then }| {
            let key = text_place(key.as_ref().map_or("", GroupKey::as_str));
            format!("{state}.{first}.{then}.{key}")
        }))
    }

    /// The children of a job, in the order in which they were added.
    pub(super) fn children_page(
        &self,
        key: &JobKey,
        page: &PageAsk,
    ) -> Result<Page<Child>, StoreError> {
        let after = page.place("child", |text| text.parse::<usize>().ok())?;
        let children = self.job(key).map(|entry| entry.children.list()).unwrap_or_default();
        let rows = children.iter().cloned().enumerate();
        let rows = rows.skip(after.map_or(0, |after| after + 1)).take(page.limit() + 1);
        Ok(Page::cut(rows.collect(), page.limit(), |number| format!("child.{number}")))
    }

    /// The keys of a queue that have waiting or active jobs or are paused.
    pub(super) fn keys_page(
        &self,
        queue: &QueueName,
        page: &PageAsk,
    ) -> Result<Page<KeyStatus>, StoreError> {
        let after = page.place("key", read_text_place)?;
        let Some(queue) = self.queues.get(queue) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let busy = queue.lanes.iter().filter(|(_, lane)| !lane.ready.is_empty() || lane.active > 0);
        let keys: BTreeSet<_> = busy
            .filter_map(|(key, _)| key.clone())
            .chain(queue.settings.paused_keys.iter().cloned())
            .filter(|key| after.as_deref().is_none_or(|after| key.as_str() > after))
            .collect();
        let rows = keys.into_iter().take(page.limit() + 1).map(|key| {
            let lane = queue.lanes.get(&Some(key.clone()));
            let status = KeyStatus {
                waiting: lane.map_or(0, |lane| lane.ready.len() as u64),
                active: lane.map_or(0, |lane| lane.active as u64),
                paused: queue.settings.paused_keys.contains(&key),
                key: key.clone(),
            };
            (key, status)
        });
        let cursor = |key: &GroupKey| format!("key.{}", text_place(key.as_str()));
        Ok(Page::cut(rows.collect(), page.limit(), cursor))
    }

    /// The event log, newest first.
    pub(super) fn events_page(
        &self,
        filter: &EventFilter,
        page: &PageAsk,
    ) -> Result<Page<Event>, StoreError> {
        let before = page.place("event", |text| text.parse().ok())?;
        let matches = |event: &Event| {
            filter.kind.as_ref().is_none_or(|kind| *kind == event.kind)
                && filter.correlation_id.as_ref().is_none_or(|id| id == event.correlation())
        };
        let rows = self
            .events
            .newest_first(before.unwrap_or(i64::MAX))
            .filter(|(_, event)| matches(event))
            .take(page.limit() + 1)
            .map(|(number, event)| (number, Event::clone(event)));
        Ok(Page::cut(rows.collect(), page.limit(), |number| format!("event.{number}")))
    }

    /// The documents of a collection whose keys begin with a prefix, by key.
    pub(super) fn documents_page(
        &self,
        filter: &DocumentFilter,
        page: &PageAsk,
    ) -> Result<Page<Document>, StoreError> {
        let after = page.place("document", read_text_place)?;
        let Some(documents) = self.documents.get(&filter.collection) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let prefix = filter.prefix.as_str();
        let row = |(key, document): (&String, &Document)| (key.clone(), document.clone());
        let is_inside = |(key, _): &(&String, &Document)| key.starts_with(prefix);
        let most = page.limit() + 1;
        let rows: Vec<_> = if filter.newest_first {
            let successor = successor(prefix);
            let end = after.as_deref().or(successor.as_deref()).map_or(Unbounded, Excluded);
            let range = documents.range::<str, _>((Unbounded, end)).rev();
            range.take_while(is_inside).take(most).map(row).collect()
        } else {
            let start = after.as_deref().map_or(Included(prefix), Excluded);
            let range = documents.range::<str, _>((start, Unbounded));
            range.take_while(is_inside).take(most).map(row).collect()
        };
        Ok(Page::cut(rows, page.limit(), |key| format!("document.{}", text_place(key))))
    }
}

/// The smallest text that is larger than every text with this prefix; absent when there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // The range skips the surrogates, as UTF-8 does.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

fn read_rank(text: &str) -> Option<Rank> {
    let mut parts = text.splitn(3, '.');
    let (first, then) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let key = read_text_place(parts.next()?)?;
    let key = if key.is_empty() { None } else { Some(GroupKey::new(key).ok()?) };
    Some(Rank { key, first, then })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successors_of_prefixes() {
        for (prefix, expected) in [
            ("", None),
            ("a", Some("b")),
            ("a\u{10ffff}", Some("b")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(successor(prefix).as_deref(), expected, "{prefix:?}");
        }
    }
}
