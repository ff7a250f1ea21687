//! Pages: listings that go on after the last item, whatever came or went in between.

use std::ops::Bound::{Excluded, Included, Unbounded};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{entry::Rank, state::State};
use crate::{
    Document, Event, JobId, JobState, Page, PageAsk, QueueName, StoreError, StoreErrorKind,
    inspect::{DocumentFilter, EventFilter, JobStatus},
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
        let after = read_cursor(page, state.as_str(), read_rank)?;
        let mut rows = Vec::new();
        for (name, known) in &self.queues {
            let Some(list) = known.shown(state).filter(|_| queue.is_none_or(|only| only == name))
            else {
                continue;
            };
            let row = |(rank, id): (&Rank, &JobId)| (*rank, known.jobs[id].status(known.paused));
            let most = page.limit() + 1;
            if newest_first {
                let end = after.map_or(Unbounded, Excluded);
                rows.extend(list.range((Unbounded, end)).rev().take(most).map(row));
            } else {
                let start = after.map_or(Unbounded, Excluded);
                rows.extend(list.range((start, Unbounded)).take(most).map(row));
            }
        }
        rows.sort_by_key(|(rank, _)| *rank);
        if newest_first {
            rows.reverse();
        }
        Ok(cut(rows, page, |Rank(a, b)| format!("{state}.{a}.{b}")))
    }

    /// The event log, newest first.
    pub(super) fn events_page(
        &self,
        filter: &EventFilter,
        page: &PageAsk,
    ) -> Result<Page<Event>, StoreError> {
        let before = read_cursor(page, "event", |text| text.parse().ok())?;
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
        Ok(cut(rows.collect(), page, |number| format!("event.{number}")))
    }

    /// The documents of a collection whose keys begin with a prefix, by key.
    pub(super) fn documents_page(
        &self,
        filter: &DocumentFilter,
        page: &PageAsk,
    ) -> Result<Page<Document>, StoreError> {
        let after = read_cursor(page, "document", |text| {
            String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
        })?;
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
        Ok(cut(rows, page, |key| format!("document.{}", BASE64_URL_SAFE_NO_PAD.encode(key))))
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

/// Makes a page of rows of which there is one more than asked for if there is a next page.
fn cut<K, T>(mut rows: Vec<(K, T)>, page: &PageAsk, cursor: impl Fn(&K) -> String) -> Page<T> {
    let more = rows.len() > page.limit();
    rows.truncate(page.limit());
    let next = rows.last().filter(|_| more).map(|(key, _)| cursor(key));
    Page { items: rows.into_iter().map(|(_, item)| item).collect(), next }
}

/// Reads the place after which the page begins out of its cursor, `listing.place`.
fn read_cursor<K>(
    page: &PageAsk,
    listing: &str,
    place: impl Fn(&str) -> Option<K>,
) -> Result<Option<K>, StoreError> {
    let Some(cursor) = &page.cursor else {
        return Ok(None);
    };
    let text = cursor.strip_prefix(listing).and_then(|rest| rest.strip_prefix('.'));
    text.and_then(place).map(Some).ok_or_else(|| {
        let message = format!(
            "the cursor `{cursor}` is not one of this listing of {listing}s; ask for the first page"
        );
        StoreError::new(StoreErrorKind::Unsupported, message)
    })
}

fn read_rank(text: &str) -> Option<Rank> {
    let (a, b) = text.split_once('.')?;
    Some(Rank(a.parse().ok()?, b.parse().ok()?))
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
