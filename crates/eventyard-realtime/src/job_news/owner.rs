//! Whose job a job is.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use eventyard::{
    Yard,
    model::{EventId, GroupKey, JobKey, StoreError},
};
use serde_json::Value;

use super::JobNews;
use crate::route::text_at;

/// How many jobs' owners are remembered.
const MAX: usize = 20_000;
/// Larger data is not searched, in bytes.
const MAX_DATA_BYTES: usize = 1024 * 1024;

/// Whose jobs are whose, looked up once for each job.
pub(super) struct Owners {
    path: Vec<String>,
    key_is_user: bool,
    known: HashMap<JobKey, Option<Arc<str>>>,
    order: VecDeque<JobKey>,
}

impl Owners {
    pub(super) fn new(news: &JobNews) -> Self {
        Self {
            path: news.owner.split('.').map(str::to_owned).collect(),
            key_is_user: news.key_is_user,
            known: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// The user whose job it is, if it is anybody's.
    pub(super) async fn of(&mut self, yard: &Yard, job: &JobKey) -> Option<Arc<str>> {
        if let Some(owner) = self.known.get(job) {
            return owner.clone();
        }
        let owner = match self.look_up(yard, job).await {
            Ok(owner) => owner,
            Err(error) => {
                tracing::warn!(%error, %job, "it is not known whose job this is");
                return None;
            }
        };
        if self.order.len() >= MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(job.clone());
        self.known.insert(job.clone(), owner.clone());
        owner
    }

    async fn look_up(&self, yard: &Yard, job: &JobKey) -> Result<Option<Arc<str>>, StoreError> {
        if let Some(found) = yard.inspect().job(job).await? {
            let job = found.job;
            return Ok(self.owner(job.payload.data(), job.options.key.as_ref()));
        }
        // It may be gone already; the event that it was made from, whose id it has, stays longer.
        let Ok(event) = EventId::new(job.id.as_str()) else { return Ok(None) };
        let event = yard.inspect().event(&event).await?;
        Ok(event.and_then(|event| self.owner(&event.data, None)))
    }

    fn owner(&self, data: &[u8], key: Option<&GroupKey>) -> Option<Arc<str>> {
        let named = (data.len() <= MAX_DATA_BYTES)
            .then(|| serde_json::from_slice::<Value>(data).ok())
            .flatten()
            .and_then(|data| text_at(&data, &self.path));
        let key = key.filter(|_| self.key_is_user).map(|key| key.as_str().to_owned());
        named.or(key).map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_belongs_to_whom_its_data_names() {
        let check =
            |path: &str, key_is_user: bool, data: &str, key: &str, expected: Option<&str>| {
                let news = JobNews { owner: path.to_owned(), key_is_user, ..JobNews::default() };
                let key = GroupKey::new(key).ok();
                let owner = Owners::new(&news).owner(data.as_bytes(), key.as_ref());
                assert_eq!(owner.as_deref(), expected, "{path} {data} {key:?}");
            };
        check("userId", false, r#"{"userId":"u"}"#, "", Some("u"));
        check("userId", false, r#"{"userId":7}"#, "", Some("7"));
        check("order.by", false, r#"{"order":{"by":"u"},"userId":"v"}"#, "", Some("u"));
        check("userId", false, r#"{"user":"u"}"#, "k", None);
        check("userId", true, r#"{"user":"u"}"#, "k", Some("k"));
        check("userId", true, r#"{"userId":"u"}"#, "k", Some("u"));
        check("userId", true, "not JSON", "", None);
        check("userId", false, r#"{"userId":{"a":1}}"#, "", None);
    }
}
