//! The queues: ours, and those that only Node has made.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use eventyard_core::{
    JobState, QueueLimits, QueueName, Rate, StoreError,
    inspect::{Counts, QueueStatus},
};

use redis::Value;

use super::{Reader, ask};

/// How many queues are counted in one transaction.
const AT_ONCE: usize = 50;
/// How many answers there are for each queue.
const ANSWERS: usize = 11;

/// What a queue's `meta` says: that it is paused, who made it, and its limits.
type Meta = [Option<String>; 5];
/// What ours say of it: its limits, and how many jobs wait in the lanes of keys, without and with a priority.
type Own = [Option<String>; 3];

impl Reader {
    /// The names of all queues that may be there, ours surely.
    pub(super) async fn queue_names(&self) -> Result<BTreeSet<QueueName>, StoreError> {
        let (ours, mut all) = (self.our_queues().await?, self.others.queues().await);
        all.extend(ours);
        Ok(all)
    }

    async fn our_queues(&self) -> Result<BTreeSet<QueueName>, StoreError> {
        let ours: Vec<String> = self.get(&redis::Cmd::smembers(self.own_key("queues"))).await?;
        Ok(ours.into_iter().filter_map(|name| QueueName::new(name).ok()).collect())
    }

    /// Every queue as it stands.
    pub(super) async fn all_queues(&self) -> Result<BTreeMap<QueueName, QueueStatus>, StoreError> {
        let names = Vec::from_iter(self.queue_names().await?);
        let asked = names.chunks(AT_ONCE).map(|names| self.count(names));
        let counted = futures_util::future::try_join_all(asked).await?;
        Ok(counted.into_iter().flatten().map(|status| (status.name.clone(), status)).collect())
    }

    async fn count(&self, names: &[QueueName]) -> Result<Vec<QueueStatus>, StoreError> {
        let mut ask = redis::pipe();
        ask.atomic();
        for name in names {
            let (key, own) = (self.queue_key(name), self.own_queue_key(name));
            ask.sismember(self.own_key("queues"), name.as_str())
                .cmd("HMGET")
                .arg((format!("{key}meta"), "paused", "version", "concurrency", "max", "duration"))
                .cmd("HMGET")
                .arg((format!("{own}set"), "limits", "waiting", "prioritized"));
            for list in ["wait", "paused", "active"] {
                ask.llen(format!("{key}{list}"));
            }
            for set in ["prioritized", "delayed", "completed", "failed", "waiting-children"] {
                ask.zcard(format!("{key}{set}"));
            }
        }
        let answers: Vec<Value> = self.get_all(&ask).await?;
        let read = |(name, of): (&QueueName, &[Value])| {
            let (is_ours, meta, own, counts) = ask::read(Value::Array(vec![
                of[0].clone(),
                of[1].clone(),
                of[2].clone(),
                Value::Array(of[3..].into()),
            ]))?;
            Ok(status(name, is_ours, &meta, &own, counts))
        };
        let statuses = names.iter().zip(answers.chunks_exact(ANSWERS)).map(read);
        Ok(statuses.collect::<Result<Vec<_>, StoreError>>()?.into_iter().flatten().collect())
    }
}

/// A queue as it stands; nothing if it has gone since it was found.
fn status(
    name: &QueueName,
    is_ours: bool,
    meta: &Meta,
    own: &Own,
    counts: [u64; 8],
) -> Option<QueueStatus> {
    let [wait, paused_list, active, prioritized, delayed, completed, failed, awaiting] = counts;
    let [paused, version, _, _, _] = meta;
    // BullMQ writes its version when a queue is made.
    if !is_ours && version.is_none() && paused.is_none() && counts.iter().sum::<u64>() == 0 {
        return None;
    }
    let in_lanes = |index: usize| own[index].as_ref().and_then(|n| n.parse().ok()).unwrap_or(0);
    let is_v5 = version.as_ref().is_some_and(|version| version.starts_with("bullmq:5."));
    let is_moved = paused.is_some() && (is_v5 || paused_list > 0);
    let waiting = in_lanes(1) + if is_moved { paused_list } else { wait };
    let mut all = Counts::default();
    for (state, count) in [
        (if paused.is_some() { JobState::Paused } else { JobState::Waiting }, waiting),
        (JobState::Prioritized, in_lanes(2) + prioritized),
        (JobState::Delayed, delayed),
        (JobState::Active, active),
        (JobState::Completed, completed),
        (JobState::Failed, failed),
        (JobState::WaitingChildren, awaiting),
    ] {
        *all.get_mut(state) = count;
    }
    Some(QueueStatus {
        name: name.clone(),
        paused: paused.is_some(),
        counts: all,
        limits: Arc::new(limits(meta, own[0].as_deref())),
    })
}

/// The limits of a queue. Those that BullMQ has too are where Node finds and changes them.
fn limits([_, _, concurrency, max, per]: &Meta, own: Option<&str>) -> QueueLimits {
    let number = |text: &Option<String>| text.as_ref()?.parse::<u64>().ok();
    let small = |text| number(text).and_then(|number| u32::try_from(number).ok());
    let rate = small(max).zip(number(per));
    QueueLimits {
        concurrency: small(concurrency),
        rate: rate.map(|(max, per)| Rate::new(max, Duration::from_millis(per))),
        ..own.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(texts: [&str; 5]) -> Meta {
        texts.map(|text| (!text.is_empty()).then(|| text.to_owned()))
    }

    #[test]
    fn waiting_jobs_are_where_the_pause_put_them() {
        let check = |paused, version, wait, list, expected: (JobState, u64)| {
            let meta = meta([paused, version, "", "", ""]);
            let own = [None, Some("10".to_owned()), None];
            let counts = [wait, list, 0, 0, 0, 0, 0, 0];
            let status = status(&QueueName::new("q").unwrap(), true, &meta, &own, counts).unwrap();
            let some: Vec<_> = status.counts.iter().filter(|(_, n)| *n > 0).collect();
            assert_eq!(some, [expected], "{paused} {version} {wait} {list}");
        };
        use JobState::{Paused, Waiting};
        check("", "bullmq:5.1.0", 3, 0, (Waiting, 13));
        check("", "", 3, 2, (Waiting, 13));
        check("1", "bullmq:5.1.0", 0, 2, (Paused, 12));
        check("1", "bullmq:6.0.0", 3, 0, (Paused, 13));
        check("1", "bullmq:6.0.0", 0, 2, (Paused, 12));
        check("1", "", 3, 0, (Paused, 13));
    }

    #[test]
    fn a_queue_that_has_gone_is_none() {
        let name = QueueName::new("q").unwrap();
        let check = |is_ours, version, jobs, is_there: bool| {
            let meta = meta(["", version, "", "", ""]);
            let found =
                status(&name, is_ours, &meta, &[None, None, None], [jobs, 0, 0, 0, 0, 0, 0, 0]);
            assert_eq!(found.is_some(), is_there);
        };
        check(true, "", 0, true);
        check(false, "bullmq:5.1.0", 0, true);
        check(false, "", 1, true);
        check(false, "", 0, false);
    }

    #[test]
    fn limits_are_those_that_hold() {
        let check = |texts, own, expected: &str| {
            let found = limits(&meta(texts), own);
            assert_eq!(serde_json::to_string(&found).unwrap(), expected);
        };
        check(["", "", "", "", ""], None, "{}");
        check(["", "", "3", "", ""], None, r#"{"concurrency":3}"#);
        check(["", "", "", "5", ""], Some("{"), "{}");
        let own = Some(r#"{"concurrency":9,"rate":{"max":1,"per":2},"maxLength":7}"#);
        check(
            ["", "", "2", "5", "1000"],
            own,
            r#"{"concurrency":2,"rate":{"max":5,"per":1000},"maxLength":7}"#,
        );
        check(["", "", "", "", ""], own, r#"{"maxLength":7}"#);
    }
}
