//! The options of a job in BullMQ's JSON.

use std::{borrow::Cow, collections::BTreeMap};

use eventyard_core::{
    Backoff, Deduplication, GroupKey, JobId, JobOptions, Keep, OnChildFailure, Parent, QueueName,
    Timestamp, backoff::BackoffKind,
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::number;

/// The options as Node reads them, with those that BullMQ has not under our own names.
///
/// Scripts replace the number after `"priority":`, and read `removeOnFail`.
pub(crate) fn encode(options: &JobOptions, prefix: &str) -> String {
    serde_json::to_string(&Written { options, prefix }).expect("options are plain JSON")
}

struct Written<'a> {
    options: &'a JobOptions,
    prefix: &'a str,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { options, prefix } = self;
        let mut map = to.serialize_map(None)?;
        macro_rules! entry {
            ($name:literal, $value:expr) => {
                if let Some(value) = $value {
                    map.serialize_entry($name, &value)?;
                }
            };
        }
        // Node reads it without looking whether it is there.
        map.serialize_entry("attempts", &options.attempts.unwrap_or(0))?;
        entry!("priority", options.priority);
        entry!("backoff", options.backoff);
        entry!("delay", options.delay.map(millis));
        entry!("lifo", options.lifo);
        entry!("jobId", &options.job_id);
        entry!("removeOnComplete", options.remove_on_complete);
        entry!("removeOnFail", options.remove_on_fail);
        entry!("de", &options.deduplication);
        entry!("key", &options.key);
        entry!("ttl", options.ttl.map(millis));
        entry!("timeout", options.timeout.map(millis));
        entry!("runAt", options.run_at);
        if let Some(Parent { queue, id, on_fail }) = &options.parent {
            let queue = format!("{prefix}:{queue}");
            let link = BTreeMap::from([("id", id.as_str()), ("queue", &*queue)]);
            map.serialize_entry("parent", &link)?;
            match on_fail {
                OnChildFailure::Wait => {}
                OnChildFailure::Fail => map.serialize_entry("fpof", &true)?,
                OnChildFailure::Continue => map.serialize_entry("cpof", &true)?,
                OnChildFailure::Ignore => map.serialize_entry("idof", &true)?,
            }
        }
        map.end()
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The options that a text means. What is not there, or is nothing that the engine has, is left out.
pub(crate) fn decode(text: &str, prefix: &str) -> JobOptions {
    let all = Members::of(text);
    JobOptions {
        job_id: all.text("jobId").and_then(|id| JobId::new(id).ok()),
        // Node writes 0 if there are none.
        attempts: all.number("attempts", number::small).filter(|attempts| *attempts > 0),
        backoff: all.raw("backoff").and_then(backoff),
        priority: all.number("priority", number::small),
        delay: all.number("delay", number::millis),
        run_at: all.text("runAt").and_then(|at| at.parse::<Timestamp>().ok()),
        timeout: all.number("timeout", number::millis).filter(|time| !time.is_zero()),
        lifo: all.truth("lifo"),
        remove_on_complete: all.raw("removeOnComplete").and_then(keep),
        remove_on_fail: all.raw("removeOnFail").and_then(keep),
        key: all.text("key").and_then(|key| GroupKey::new(key).ok()),
        ttl: all.number("ttl", number::millis).filter(|time| !time.is_zero()),
        // The later names are those that Node's options have before they are written.
        deduplication: ["de", "deduplication", "debounce"]
            .into_iter()
            .find_map(|name| deduplication(all.raw(name)?)),
        parent: all.raw("parent").and_then(|link| parent(&all, link, prefix)),
    }
}

fn backoff(text: &str) -> Option<Backoff> {
    if let Some(delay) = number::millis(text) {
        return Some(Backoff::fixed(delay));
    }
    let all = Members::of(text);
    let kind = match &*all.text("type")? {
        "fixed" => BackoffKind::Fixed,
        "exponential" => BackoffKind::Exponential,
        // A strategy that lives in somebody's worker.
        _ => return None,
    };
    let jitter = all.number("jitter", number::float).unwrap_or(0.0).clamp(0.0, 1.0);
    let delay = all.number("delay", number::millis).unwrap_or_default();
    Some(Backoff { kind, delay, jitter, max: all.number("max", number::millis) })
}

fn keep(text: &str) -> Option<Keep> {
    match text {
        "true" => return Some(Keep::NOTHING),
        "false" => return Some(Keep::FOREVER),
        _ => {}
    }
    if let Some(number) = number::float(text) {
        // In BullMQ, less than none keeps all.
        return Some(
            number::whole(text).filter(|_| number >= 0.0).map_or(Keep::FOREVER, Keep::count),
        );
    }
    let all = Members::of(text);
    let (age, count) = (all.number("age", number::seconds), all.number("count", number::whole));
    (age.is_some() || count.is_some()).then_some(Keep { age, count })
}

fn deduplication(text: &str) -> Option<Deduplication> {
    let all = Members::of(text);
    Some(Deduplication {
        id: GroupKey::new(all.text("id")?).ok()?,
        ttl: all.number("ttl", number::millis).filter(|time| !time.is_zero()),
        extend: all.truth("extend").unwrap_or(false),
        replace: all.truth("replace").unwrap_or(false),
        keep_last_if_active: all.truth("keepLastIfActive").unwrap_or(false),
    })
}

fn parent(all: &Members<'_>, link: &str, prefix: &str) -> Option<Parent> {
    let link = Members::of(link);
    let queue = link.text("queue")?;
    let queue = queue.strip_prefix(prefix)?.strip_prefix(':')?;
    let on_fail = ON_FAIL.iter().find(|(name, _)| all.truth(name) == Some(true));
    Some(Parent {
        queue: QueueName::new(queue).ok()?,
        id: JobId::new(link.text("id")?).ok()?,
        on_fail: on_fail.map_or(OnChildFailure::Wait, |(_, on_fail)| *on_fail),
    })
}

/// What becomes of a parent: BullMQ's names as they are written, then as they are in Node. A dependency that is removed
/// comes closest to one that is ignored: neither is waited for.
const ON_FAIL: [(&str, OnChildFailure); 8] = [
    ("fpof", OnChildFailure::Fail),
    ("cpof", OnChildFailure::Continue),
    ("idof", OnChildFailure::Ignore),
    ("rdof", OnChildFailure::Ignore),
    ("failParentOnFailure", OnChildFailure::Fail),
    ("continueParentOnFailure", OnChildFailure::Continue),
    ("ignoreDependencyOnFailure", OnChildFailure::Ignore),
    ("removeDependencyOnFailure", OnChildFailure::Ignore),
];

/// The members of a JSON object as text; none if it is something else.
struct Members<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Members<'a> {
    fn of(text: &'a str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get())
    }

    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let raw = self.raw(name)?;
        serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
    }

    fn number<T>(&self, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.raw(name).and_then(read)
    }

    fn truth(&self, name: &str) -> Option<bool> {
        self.raw(name).and_then(|text| text.parse().ok())
    }
}

#[cfg(test)]
mod tests;
