//! Pages of listings, and the cursors that lead from one to the next.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{StoreError, StoreErrorKind};

/// The most items that one page holds.
pub const MAX_PAGE: usize = 1000;

/// One page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last one. Opaque to callers.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The page of rows of which there is one more than `limit` if there is a next page; `cursor` tells where that
    /// begins when a row is the last of this one.
    pub fn cut<K>(mut rows: Vec<(K, T)>, limit: usize, cursor: impl FnOnce(&K) -> String) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(key, _)| cursor(key));
        Self { items: rows.into_iter().map(|(_, item)| item).collect(), next }
    }
}

/// Which page of a listing is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAsk {
    /// The most items, up to [`MAX_PAGE`].
    pub limit: usize,
    /// The `next` of the page before; absent for the first.
    pub cursor: Option<String>,
}

impl PageAsk {
    /// The first `limit` items.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { limit, cursor: None }
    }

    /// The limit, held between 1 and [`MAX_PAGE`].
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.clamp(1, MAX_PAGE)
    }

    /// The place after which the page begins, out of its cursor `listing.place`; nothing for the first page.
    ///
    /// # Errors
    /// When the cursor is of another listing, or `read` does not understand its place.
    pub fn place<K>(
        &self,
        listing: &str,
        read: impl FnOnce(&str) -> Option<K>,
    ) -> Result<Option<K>, StoreError> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let text = cursor.strip_prefix(listing).and_then(|rest| rest.strip_prefix('.'));
        text.and_then(read).map(Some).ok_or_else(|| {
            let message = format!(
                "the cursor `{cursor}` is not one of this listing of {listing}s; ask for the first page"
            );
            StoreError::new(StoreErrorKind::Unsupported, message)
        })
    }
}

/// A text as the place in a cursor.
#[must_use]
pub fn text_place(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// The text that a place in a cursor stands for.
#[must_use]
pub fn read_text_place(place: &str) -> Option<String> {
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(place).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_the_next() {
        let page = |rows: &[u8], limit| {
            let rows = rows.iter().map(|n| (*n, *n)).collect();
            Page::cut(rows, limit, |n| format!("thing.{n}"))
        };
        assert_eq!(page(&[1, 2, 3], 2), Page { items: vec![1, 2], next: Some("thing.2".into()) });
        assert_eq!(page(&[1, 2], 2), Page { items: vec![1, 2], next: None });
        assert_eq!(page(&[], 2), Page { items: vec![], next: None });
    }

    #[test]
    fn a_cursor_is_of_its_listing() {
        let place = |cursor: &str| {
            let ask = PageAsk { limit: 1, cursor: Some(cursor.to_owned()) };
            ask.place("thing", read_text_place)
        };
        assert_eq!(place(&format!("thing.{}", text_place("\u{fc}."))).unwrap().unwrap(), "\u{fc}.");
        for cursor in ["", "thing", "other.YQ", "thing.!", "thing.\u{1f980}"] {
            let error = place(cursor).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unsupported, "{cursor}");
            assert!(error.to_string().contains(&format!("the cursor `{cursor}`")), "{error}");
        }
        assert_eq!(PageAsk::first(1).place("thing", |_| Some(())).unwrap(), None);
    }
}
