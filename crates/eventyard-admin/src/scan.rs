//! Looking for some items of a long listing: a bounded piece of it at a time.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use eventyard::model::{Page, PageAsk, StoreError};

/// How many items are read at once.
const PIECE: usize = 200;
/// The most items that one request looks at.
const MOST: usize = 5000;
/// How long one request looks before it answers with what it has.
const TIME: Duration = Duration::from_millis(30);

/// The items that match, up to the limit that is asked for. The page may hold fewer although more follow; its `next` goes on
/// where the look ended.
pub(crate) async fn scan<T, F: Future<Output = Result<Page<T>, StoreError>>>(
    ask: PageAsk,
    mut read: impl FnMut(PageAsk) -> F,
    matches: impl Fn(&T) -> bool,
) -> Result<Page<T>, StoreError> {
    let PageAsk { limit, mut cursor } = ask;
    let (mut found, mut seen, begun) = (Vec::new(), 0, Instant::now());
    loop {
        let page = read(PageAsk { limit: PIECE.max(limit), cursor: cursor.clone() }).await?;
        seen += page.items.len();
        let room = limit - found.len();
        let hits = page.items.iter().enumerate().filter(|(_, item)| matches(item));
        let places: Vec<_> = hits.map(|(place, _)| place).take(room + 1).collect();
        let last = places.get(room.saturating_sub(1)).copied().filter(|_| places.len() > room);
        let taken = places.iter().take(room).copied().collect::<Vec<_>>();
        let mut places = taken.into_iter().peekable();
        for (place, item) in page.items.into_iter().enumerate() {
            if places.next_if_eq(&place).is_some() {
                found.push(item);
            }
        }
        if let Some(last) = last {
            // More match than are wanted: the next page begins right after the last one that was taken.
            let again = read(PageAsk { limit: last + 1, cursor }).await?;
            return Ok(Page { items: found, next: again.next });
        }
        cursor = page.next;
        let enough = found.len() >= limit || seen >= MOST || begun.elapsed() >= TIME;
        if cursor.is_none() || enough {
            return Ok(Page { items: found, next: cursor });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers from 0, as a listing.
    async fn numbers(end: usize, ask: PageAsk) -> Result<Page<usize>, StoreError> {
        let begin = ask.cursor.as_ref().map_or(0, |cursor| cursor.parse::<usize>().unwrap());
        let last = end.min(begin + ask.limit());
        let next = (last < end).then(|| last.to_string());
        Ok(Page { items: (begin..last).collect(), next })
    }

    async fn all(end: usize, limit: usize, matches: fn(&usize) -> bool) -> Vec<usize> {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let ask = PageAsk { limit, cursor };
            let page = scan(ask, |ask| numbers(end, ask), matches).await.unwrap();
            assert!(page.items.len() <= limit);
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return all;
            }
        }
    }

    #[tokio::test]
    async fn nothing_is_left_out_or_found_twice() {
        for limit in [1, 3, 50, 1000] {
            assert_eq!(all(1234, limit, |_| true).await, (0..1234).collect::<Vec<_>>());
            let sevens: Vec<_> = (0..1234).filter(|n| n % 7 == 0).collect();
            assert_eq!(all(1234, limit, |n| n % 7 == 0).await, sevens);
            assert_eq!(all(12_000, limit, |n| *n == 11_999).await, [11_999]);
            assert_eq!(all(0, limit, |_| true).await, [0_usize; 0]);
        }
    }

    #[tokio::test]
    async fn one_look_is_bounded() {
        let page = scan(PageAsk::first(10), |ask| numbers(usize::MAX, ask), |_| false);
        let page = page.await.unwrap();
        let next: usize = page.next.unwrap().parse().unwrap();
        assert!(page.items.is_empty() && next <= MOST);
    }
}
