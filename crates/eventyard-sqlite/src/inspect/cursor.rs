//! Cursors: the listing that they belong to, and the place after which the page begins.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use eventyard_core::{JobState, Page, PageAsk, StoreError, StoreErrorKind};

/// A job's place in its listing; the order of the two numbers is the order of the listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) i64, pub(super) i64);

pub(super) fn of_jobs(page: &PageAsk, state: JobState) -> Result<Option<Place>, StoreError> {
    read(page, state.as_str(), |text| {
        let (a, b) = text.split_once('.')?;
        Some(Place(a.parse().ok()?, b.parse().ok()?))
    })
}

pub(super) fn to_job(state: JobState, Place(a, b): Place) -> String {
    format!("{state}.{a}.{b}")
}

pub(super) fn of_events(page: &PageAsk) -> Result<Option<i64>, StoreError> {
    read(page, "event", |text| text.parse().ok())
}

pub(super) fn to_event(seq: i64) -> String {
    format!("event.{seq}")
}

pub(super) fn of_documents(page: &PageAsk) -> Result<Option<String>, StoreError> {
    read(page, "document", |text| String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok())
}

pub(super) fn to_document(key: &str) -> String {
    format!("document.{}", BASE64_URL_SAFE_NO_PAD.encode(key))
}

/// Makes a page of rows of which there is one more than `limit` if there is a next page.
pub(super) fn cut<K, T>(
    mut rows: Vec<(K, T)>,
    limit: usize,
    cursor: impl Fn(&K) -> String,
) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|(key, _)| cursor(key));
    Page { items: rows.into_iter().map(|(_, item)| item).collect(), next }
}

fn read<K>(
    page: &PageAsk,
    listing: &str,
    place: impl Fn(&str) -> Option<K>,
) -> Result<Option<K>, StoreError> {
    let Some(cursor) = &page.cursor else { return Ok(None) };
    let text = cursor.strip_prefix(listing).and_then(|rest| rest.strip_prefix('.'));
    text.and_then(place).map(Some).ok_or_else(|| {
        let message = format!(
            "the cursor `{cursor}` is not one of this listing of {listing}s; ask for the first page"
        );
        StoreError::new(StoreErrorKind::Unsupported, message)
    })
}
