//! The keys of a queue.

use std::collections::{BTreeMap, BTreeSet};

use eventyard_core::{GroupKey, Page, PageAsk, QueueName, StoreError, inspect::KeyStatus};

use super::{Reader, cursor};

impl Reader {
    /// The keys of a queue that have waiting or active jobs or are paused.
    pub(super) async fn keys_page(
        &self,
        queue: &QueueName,
        page: &PageAsk,
    ) -> Result<Page<KeyStatus>, StoreError> {
        let after = cursor::of_keys(page)?;
        let own = self.own_queue_key(queue);
        let from = after.as_ref().map_or("-".to_owned(), |key| format!("({key}"));
        let mut ask = redis::pipe();
        ask.atomic()
            .cmd("ZRANGEBYLEX")
            .arg((format!("{own}lanes"), from, "+", "LIMIT", 0, page.limit() + 1))
            .hgetall(format!("{own}active"))
            .smembers(format!("{own}paused"));
        let (lanes, active, paused): (Vec<String>, BTreeMap<String, i64>, BTreeSet<String>) =
            self.get_all(&ask).await?;
        let busy = active.iter().filter(|(_, jobs)| **jobs > 0).map(|(key, _)| key);
        let keys: BTreeSet<&String> = lanes
            .iter()
            .chain(busy)
            .chain(&paused)
            .filter(|key| after.as_ref().is_none_or(|after| *key > after))
            .collect();
        let keys: Vec<_> = keys.into_iter().take(page.limit() + 1).collect();
        if keys.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let mut ask = redis::pipe();
        for key in &keys {
            ask.zcard(format!("{own}lane:{key}"));
        }
        let waiting: Vec<u64> = self.get_all(&ask).await?;
        let rows = keys.into_iter().zip(waiting).map(|(key, waiting)| {
            let status = GroupKey::new(key).ok().map(|group| KeyStatus {
                key: group,
                waiting,
                active: active.get(key).map_or(0, |jobs| u64::try_from(*jobs).unwrap_or(0)),
                paused: paused.contains(key),
            });
            (key, status)
        });
        let Page { items, next } =
            Page::cut(rows.collect(), page.limit(), |key| cursor::to_key(key));
        // A lane may have run empty in between.
        let is_listed = |key: &KeyStatus| key.waiting > 0 || key.active > 0 || key.paused;
        Ok(Page { items: items.into_iter().flatten().filter(is_listed).collect(), next })
    }
}
