//! Reading the event log.

use eventyard_core::{Event, EventId, Page, inspect::EventFilter};
use rusqlite::{Connection, OptionalExtension, Row};

use super::cursor::to_event;
use crate::encoding::event_in_row;

/// What every read of events selects.
macro_rules! events {
    ($($rest:literal)*) => {
        concat!(
            "SELECT seq, time, id, kind, source, correlation, attributes, data FROM event ",
            $($rest)*
        )
    };
}

/// One event.
pub(super) fn one(conn: &Connection, id: &EventId) -> rusqlite::Result<Option<Event>> {
    let event = conn
        .prepare_cached(events!("WHERE id = ?1"))?
        .query_row((id.as_str(),), numbered)
        .optional()?;
    Ok(event.map(|(_, event)| event))
}

/// The events before a number, newest first.
pub(super) fn page(
    conn: &Connection,
    filter: &EventFilter,
    before: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Page<Event>> {
    let before = before.unwrap_or(i64::MAX);
    let most = i64::try_from(limit + 1).expect("a page is small");
    let EventFilter { kind, correlation_id } = filter;
    let rows: rusqlite::Result<Vec<_>> = match (kind, correlation_id) {
        (None, None) => conn
            .prepare_cached(events!("WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"))?
            .query_map((before, most), numbered)?
            .collect(),
        (Some(kind), None) => conn
            .prepare_cached(events!("WHERE kind = ?3 AND seq < ?1 ORDER BY seq DESC LIMIT ?2"))?
            .query_map((before, most, kind), numbered)?
            .collect(),
        // The event that began a story correlates to itself by its id. Each side of the union has an
        // index of its own.
        (kind, Some(correlation)) => conn
            .prepare_cached(concat!(
                "SELECT * FROM (",
                events!("WHERE correlation = ?3 AND seq < ?1 AND (?4 IS NULL OR kind = ?4)"),
                " UNION ALL ",
                events!("WHERE id = ?3 AND correlation IS NULL AND seq < ?1 AND (?4 IS NULL OR kind = ?4)"),
                ") ORDER BY seq DESC LIMIT ?2"
            ))?
            .query_map((before, most, correlation, kind), numbered)?
            .collect(),
    };
    Ok(Page::cut(rows?, limit, |seq| to_event(*seq)))
}

fn numbered(row: &Row<'_>) -> rusqlite::Result<(i64, Event)> {
    Ok((row.get(0)?, event_in_row(row, 1)?))
}
