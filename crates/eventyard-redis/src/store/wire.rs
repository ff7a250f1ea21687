//! What the scripts are told: MessagePack, by the names that they read. What comes by the thousand has no names but a
//! fixed order, and what much of it shares is told once: unpacking is a good part of what a job costs Redis.

mod job;
mod list;
mod shared;
mod write;

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use eventyard_core::{Keep, Lease, Timestamp};
use serde::{Serialize, Serializer};

pub(crate) use self::{list::Lists, shared::Shared};

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) now: Timestamp,
}

#[derive(Serialize)]
pub(crate) struct WorkArgs<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) node: &'a str,
    pub(crate) now: i64,
    /// Whether anybody listens to the feed.
    pub(crate) heard: bool,
    /// How many milliseconds longer Redis keeps what it forgets by its own clock.
    pub(crate) grace: u32,
    /// Options of jobs, which are meant by their numbers.
    pub(crate) texts: Vec<String>,
    /// How long jobs are kept, by number too.
    pub(crate) keeps: Vec<WireKeep>,
    pub(crate) parts: Vec<WirePart<'a>>,
}

/// What is asked for together with more.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WirePart<'a> {
    Commits(Lists<'a>),
    Claim(WireClaim<'a>),
}

#[derive(Serialize)]
pub(crate) struct WireClaim<'a> {
    pub(crate) queue: &'a str,
    pub(crate) max: usize,
    pub(crate) burst: usize,
    pub(crate) lease: i64,
    pub(crate) worker: &'a str,
    /// The first 24 digits of the tokens.
    pub(crate) token: &'a str,
}

#[derive(Serialize)]
pub(crate) struct RenewArgs<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) node: &'a str,
    pub(crate) now: i64,
    pub(crate) grace: u32,
    pub(crate) leases: Vec<WireLease<'a>>,
    pub(crate) lease: i64,
}

#[derive(Serialize)]
pub(crate) struct MaintainArgs<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) node: &'a str,
    pub(crate) now: i64,
    pub(crate) heard: bool,
    pub(crate) grace: u32,
    pub(crate) limit: usize,
    pub(crate) max_crashes: u32,
    pub(crate) keep_events: WireKeep,
    pub(crate) stalled_interval: u32,
    pub(crate) max_stalled: u32,
}

#[derive(Serialize)]
pub(crate) struct WireLease<'a> {
    queue: &'a str,
    id: &'a str,
    token: String,
}

impl<'a> From<&'a Lease> for WireLease<'a> {
    fn from(lease: &'a Lease) -> Self {
        let (queue, id) = (lease.job.queue.as_str(), lease.job.id.as_str());
        Self { queue, id, token: lease.token.to_string() }
    }
}

/// How long something finished is kept; the age in milliseconds.
#[derive(Serialize)]
pub(crate) struct WireKeep {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<i64>,
}

impl From<Keep> for WireKeep {
    fn from(keep: Keep) -> Self {
        Self { count: keep.count, age: keep.age.map(millis) }
    }
}

/// Text, most often JSON. Lua's MessagePack knows no other bytes.
enum Blob<'a> {
    Cow(Cow<'a, [u8]>),
    Shared(Bytes),
}

impl<'a> From<&'a str> for Blob<'a> {
    fn from(text: &'a str) -> Self {
        Self::Cow(text.as_bytes().into())
    }
}

impl From<String> for Blob<'_> {
    fn from(text: String) -> Self {
        Self::Cow(text.into_bytes().into())
    }
}

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let bytes: &[u8] = match self {
            Self::Cow(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        };
        to.serialize_str(std::str::from_utf8(bytes).map_err(serde::ser::Error::custom)?)
    }
}

/// A script's argument as MessagePack.
pub(crate) fn encode(argument: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(argument).expect("plain data becomes MessagePack")
}

/// Whole milliseconds, as far as Lua's numbers are exact.
pub(crate) fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX).min(1 << 52)
}

fn instant(at: Timestamp) -> i64 {
    at.as_millis().clamp(-(1 << 52), 1 << 52)
}
