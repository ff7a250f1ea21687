//! Jobs that are to be added.

use eventyard_core::{GroupKey, JobOptions, NewJob, OnChildFailure};
use serde::Serialize;

use super::{Blob, Caller, Shared, instant, millis};
use crate::codec;

/// A list that begins with the verb.
#[derive(Serialize)]
pub(super) struct WireJob<'a>(
    pub(super) &'static str,
    /// The queue, the id, the name.
    pub(super) &'a str,
    pub(super) &'a str,
    pub(super) &'a str,
    /// Of what kind the data is.
    pub(super) String,
    /// The data; absent when it is the body of the event that the job is made from.
    pub(super) Option<Blob<'a>>,
    /// The number of the options.
    pub(super) usize,
    /// What few jobs have.
    pub(super) Option<WireMore<'a>>,
);

#[derive(Default, PartialEq, Eq, Serialize)]
pub(super) struct WireMore<'a> {
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

#[derive(PartialEq, Eq, Serialize)]
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

#[derive(PartialEq, Eq, Serialize)]
struct WireParent {
    key: String,
    /// The job's field `parent`, as BullMQ writes it.
    link: String,
}

impl<'a> WireJob<'a> {
    /// The id of a job that has nothing that few have. An id that is a number is BullMQ's to give.
    pub(super) fn plain_id(&self) -> Option<&'a str> {
        let Self(_, _, id, _, _, data, _, more) = self;
        let is_number = id.bytes().all(|digit| digit.is_ascii_digit());
        (data.is_some() && more.is_none() && !is_number).then_some(*id)
    }

    /// The queue, the number of the options, the kind of the data.
    pub(super) fn has_in_common(&self) -> (&'a str, usize, &str) {
        (self.1, self.6, &self.4)
    }
}

/// `is_carried` says that the job's data is the body of the event it is published with.
pub(super) fn wire_job<'a>(
    new: &'a NewJob,
    caller: Caller<'_>,
    shared: &mut Shared,
    is_carried: bool,
) -> WireJob<'a> {
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
    WireJob(
        "enqueue",
        new.queue.as_str(),
        new.id.as_str(),
        &new.name,
        kind,
        data,
        shared.text(codec::options::encode(options, caller.prefix)),
        wire_more(new, caller),
    )
}

fn wire_more<'a>(new: &'a NewJob, caller: Caller<'_>) -> Option<WireMore<'a>> {
    let options: &JobOptions = &new.options;
    let more = WireMore {
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
    };
    (more != WireMore::default()).then_some(more)
}
