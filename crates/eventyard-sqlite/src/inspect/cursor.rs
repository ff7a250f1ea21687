//! Cursors: the listing that they belong to, and the place after which the page begins.

use eventyard_core::{
    GroupKey, JobState, PageAsk, StoreError,
    inspect::{read_text_place, text_place},
};

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
    page.place(state.as_str(), |text| {
        let mut parts = text.splitn(3, '.');
        let (first, then) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let key = read_text_place(parts.next()?)?;
        let key = if key.is_empty() { None } else { Some(GroupKey::new(key).ok()?) };
        Some(Place { key, first, then })
    })
}

pub(super) fn to_job(state: JobState, Place { key, first, then }: &Place) -> String {
    let key = text_place(key.as_ref().map_or("", GroupKey::as_str));
    format!("{state}.{first}.{then}.{key}")
}

pub(super) fn of_children(page: &PageAsk) -> Result<Option<i64>, StoreError> {
    page.place("child", |text| text.parse().ok())
}

pub(super) fn to_child(n: i64) -> String {
    format!("child.{n}")
}

pub(super) fn of_keys(page: &PageAsk) -> Result<Option<String>, StoreError> {
    page.place("key", read_text_place)
}

pub(super) fn to_key(key: &GroupKey) -> String {
    format!("key.{}", text_place(key.as_str()))
}

pub(super) fn of_events(page: &PageAsk) -> Result<Option<i64>, StoreError> {
    page.place("event", |text| text.parse().ok())
}

pub(super) fn to_event(seq: i64) -> String {
    format!("event.{seq}")
}

pub(super) fn of_documents(page: &PageAsk) -> Result<Option<String>, StoreError> {
    page.place("document", read_text_place)
}

pub(super) fn to_document(key: &str) -> String {
    format!("document.{}", text_place(key))
}
