//! Listings: a page at a time.

use eventyard::model::{Page, PageAsk, StoreError, StoreErrorKind, inspect::MAX_PAGE};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{Code, Problem};

/// How many items a page has unless said otherwise.
pub const DEFAULT_LIMIT: usize = 50;

/// Which page of a listing is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// The most items, 50 unless said otherwise.
    #[param(minimum = 1, maximum = 1000, example = 50)]
    pub limit: Option<usize>,
    /// The `next` of the page before; without it, or empty, the first page.
    pub cursor: Option<String>,
}

impl Paging {
    /// The page as a store is asked for it.
    ///
    /// # Errors
    /// When the limit is out of range.
    pub fn ask(self) -> Result<PageAsk, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_PAGE).contains(&limit) {
            let what = format!("is {limit}; use 1 to {MAX_PAGE}");
            return Err(Problem::of(Code::INVALID_PARAMETER, format!("`limit` {what}"))
                .field("limit", what));
        }
        // Who sends the `next` of the last page back means the first.
        Ok(PageAsk { limit, cursor: self.cursor.filter(|cursor| !cursor.is_empty()) })
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; null on the last one. It is opaque.
    #[schema(required = true)]
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A listing of one page.
    #[must_use]
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// A store's page, each of its items made into what is shown.
    pub fn of<U>(page: Page<U>, show: impl FnMut(U) -> T) -> Self {
        Self { items: page.items.into_iter().map(show).collect(), next: page.next }
    }
}

/// A store's answer to an ask for a page; a cursor that it does not know is the caller's mistake.
///
/// # Errors
/// As the store fails.
pub fn listing<T>(
    answer: Result<Page<T>, StoreError>,
    parameter: &'static str,
    cursor: bool,
) -> Result<Page<T>, Problem> {
    answer.map_err(|error| match error.kind() {
        StoreErrorKind::Unsupported if cursor => {
            let what = "is not one of this listing; leave it out for the first page";
            Problem::of(Code::INVALID_CURSOR, error.to_string()).field(parameter, what)
        }
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_held() {
        let ask = |limit| Paging { limit, cursor: None }.ask().map(|ask| ask.limit).ok();
        for (limit, taken) in
            [(None, Some(50)), (Some(1), Some(1)), (Some(0), None), (Some(1001), None)]
        {
            assert_eq!(ask(limit), taken);
        }
    }
}
