//! Reading the event log.

use eventyard_core::{Event, EventId, Page, PageAsk, StoreError, inspect::EventFilter};

use super::{Reader, cursor};
use crate::codec::payload::decode_event;

impl Reader {
    /// One event.
    pub(super) async fn event_with(&self, id: &EventId) -> Result<Option<Event>, StoreError> {
        let ask = redis::Cmd::hget(self.event_key(id.as_str()), "body");
        let body: Option<Vec<u8>> = self.get(&ask).await?;
        Ok(body.and_then(|body| decode_event(&body)))
    }

    fn event_key(&self, id: &str) -> String {
        self.own_key(&format!("event:{id}"))
    }

    /// The event log before a number, newest first.
    pub(super) async fn events_page(
        &self,
        filter: &EventFilter,
        page: &PageAsk,
    ) -> Result<Page<Event>, StoreError> {
        let mut before = cursor::of_events(page)?;
        let log = self.shortest_log(filter).await?;
        let most = page.limit() + 1;
        let mut rows = Vec::new();
        loop {
            let to = before.map_or("+inf".to_owned(), |number| format!("({number}"));
            let mut ask = redis::cmd("ZREVRANGEBYSCORE");
            ask.arg((&log, to, "-inf", "WITHSCORES", "LIMIT", 0, most));
            let ids: Vec<(String, f64)> = self.get(&ask).await?;
            let is_last = ids.len() < most;
            before = ids.last().map(|(_, number)| *number as i64);
            rows.extend(self.matching(ids, filter).await?);
            if rows.len() >= most || is_last {
                return Ok(Page::cut(rows, page.limit(), |number| cursor::to_event(*number)));
            }
        }
    }

    /// The shortest list that has all events of a filter.
    async fn shortest_log(&self, filter: &EventFilter) -> Result<String, StoreError> {
        let by_kind = filter.kind.as_ref().map(|kind| self.own_key(&format!("log:kind:{kind}")));
        let story = filter.correlation_id.as_ref();
        let by_story = story.map(|story| self.own_key(&format!("log:story:{story}")));
        match (by_kind, by_story) {
            (None, None) => Ok(self.own_key("log")),
            (Some(log), None) | (None, Some(log)) => Ok(log),
            (Some(kind), Some(story)) => {
                let mut ask = redis::pipe();
                ask.zcard(&kind).zcard(&story);
                let (kinds, stories): (u64, u64) = self.get_all(&ask).await?;
                Ok(if kinds < stories { kind } else { story })
            }
        }
    }

    /// The events that a filter shows, with their numbers. One that was forgotten in between is left out.
    async fn matching(
        &self,
        ids: Vec<(String, f64)>,
        filter: &EventFilter,
    ) -> Result<Vec<(i64, Event)>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = redis::pipe();
        for (id, _) in &ids {
            ask.hget(self.event_key(id), "body");
        }
        let bodies: Vec<Option<Vec<u8>>> = self.get_all(&ask).await?;
        let events = ids.into_iter().zip(bodies).filter_map(|((_, number), body)| {
            let event = decode_event(&body?)?;
            let is_shown = filter.kind.as_ref().is_none_or(|kind| *kind == event.kind)
                && filter.correlation_id.as_ref().is_none_or(|id| id == event.correlation());
            is_shown.then_some((number as i64, event))
        });
        Ok(events.collect())
    }
}
