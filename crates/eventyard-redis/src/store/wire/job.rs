//! Jobs that are to be added.

use eventyard_core::{GroupKey, JobOptions, NewJob, OnChildFailure};
use serde::Serialize;

use super::{Blob, Caller, instant, millis};
use crate::codec;

#[derive(Serialize)]
pub(super) struct WireJob<'a> {
    queue: &'a str,
    id: &'a str,
    name: &'a str,
    kind: String,
    /// Absent when it is the body of the event that the job is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Blob<'a>>,
    opts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lifo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<WireRule<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<WireParent>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    awaits: bool,
}

#[derive(Serialize)]
struct WireRule<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    extend: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replace: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    keep_last: bool,
}

#[derive(Serialize)]
struct WireParent {
    key: String,
    /// The job's field `parent`, as BullMQ writes it.
    link: String,
}

/// `is_carried` says that the job's data is the body of the event it is published with.
pub(super) fn wire_job<'a>(new: &'a NewJob, caller: Caller<'_>, is_carried: bool) -> WireJob<'a> {
    let options: &JobOptions = &new.options;
    let (mut kind, data) = if is_carried {
        ("e".to_owned(), None)
    } else {
        let encoded = codec::payload::encode(&new.payload);
        (encoded.kind.to_owned(), Some(Blob::Shared(encoded.data)))
    };
    if options.lifo() {
        kind.push('l');
    }
    WireJob {
        queue: new.queue.as_str(),
        id: new.id.as_str(),
        name: &new.name,
        kind,
        data,
        opts: codec::options::encode(options, caller.prefix),
        priority: options.priority,
        lifo: options.lifo(),
        at: options.run_at.map(instant),
        delay: options.delay.map(millis),
        key: options.key.as_ref().map(GroupKey::as_str),
        ttl: options.ttl.map(millis),
        says: options.deduplication.as_ref().map(|rule| WireRule {
            id: rule.id.as_str(),
            ttl: rule.ttl.map(millis),
            extend: rule.extend,
            replace: rule.replace,
            keep_last: rule.keep_last_if_active,
        }),
        parent: options.parent.as_ref().map(|parent| {
            let queue_key = format!("{}:{}", caller.prefix, parent.queue);
            let mut link = serde_json::json!({ "id": parent.id, "queueKey": queue_key });
            let policy = match parent.on_fail {
                OnChildFailure::Wait => None,
                OnChildFailure::Fail => Some("fpof"),
                OnChildFailure::Continue => Some("cpof"),
                OnChildFailure::Ignore => Some("idof"),
            };
            if let Some(policy) = policy {
                link[policy] = true.into();
            }
            WireParent { key: format!("{queue_key}:{}", parent.id), link: link.to_string() }
        }),
        awaits: new.awaits_children,
    }
}
