//! Cursors: the listing that they belong to, and the place after which the page begins.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use eventyard_core::{GroupKey, JobState, Page, PageAsk, StoreError, StoreErrorKind};

/// A job's place in its listing; the order of places is the order of the listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The key, in the listing of those that wait.
    pub(super) key: Option<GroupKey>,
    pub(super) first: i64,
    pub(super) then: i64,
}

impl Place {
    pub(super) const fn new(first: i64, then: i64) -> Self {
        Self { key: None, first, then }
    }
}

pub(super) fn of_jobs(page: &PageAsk, state: JobState) -> Result<Option<Place>, StoreError> {
    read(page, state.as_str(), |text| {
        let mut parts = text.splitn(3, '.');
        let (first, then) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let key = decoded(parts.next()?)?;
        let key = if key.is_empty() { None } else { Some(GroupKey::new(key).ok()?) };
        Some(Place { key, first, then })
    })
}

pub(super) fn to_job(state: JobState, Place { key, first, then }: &Place) -> String {
    let key = BASE64_URL_SAFE_NO_PAD.encode(key.as_ref().map_or("", GroupKey::as_str));
    format!("{state}.{first}.{then}.{key}")
}

pub(super) fn of_children(page: &PageAsk) -> Result<Option<i64>, StoreError> {
    read(page, "child", |text| text.parse().ok())
}

pub(super) fn to_child(n: i64) -> String {
    format!("child.{n}")
}

pub(super) fn of_keys(page: &PageAsk) -> Result<Option<String>, StoreError> {
    read(page, "key", decoded)
}

pub(super) fn to_key(key: &GroupKey) -> String {
    format!("key.{}", BASE64_URL_SAFE_NO_PAD.encode(key.as_str()))
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

pub(super) fn of_events(page: &PageAsk) -> Result<Option<i64>, StoreError> {
    read(page, "event", |text| text.parse().ok())
}

pub(super) fn to_event(seq: i64) -> String {
    format!("event.{seq}")
}

pub(super) fn of_documents(page: &PageAsk) -> Result<Option<String>, StoreError> {
    read(page, "document", decoded)
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
