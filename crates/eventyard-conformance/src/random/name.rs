//! The few queues, ids and keys of random operations: few, so that they meet often.

use std::time::Duration;

use eventyard_core::Keep;
use proptest::{
    option,
    prelude::{Just, Strategy, prop_oneof},
    sample::{select, subsequence},
};

use crate::given::ms;

const QUEUES: [&str; 3] = ["emails", "tickets", "ü"];
/// Jobs and events share their ids, so that events are carried by jobs or not.
const IDS: [&str; 6] = ["a", "b", "c", "d", "e'", "f%"];
/// Jobs that come together.
const THRONG: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
/// The keys of documents.
const KEYS: [&str; 4] = ["", "k", "k/1", "\u{1f980}"];
/// The keys of jobs.
const GROUPS: [&str; 3] = ["g", "G", "ö%"];
/// What jobs say.
const SAYINGS: [&str; 2] = ["hello", "a'"];
/// The steps of jobs.
const STEPS: [&str; 4] = ["charge", "Charge", "s'%", "\u{1f980} :"];
const SPANS: [u64; 6] = [1, 5, 20, 50, 100, 1000];

pub(super) fn queue() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just(QUEUES[0]), 2 => Just(QUEUES[1]), 1 => Just(QUEUES[2])]
}

pub(super) fn id() -> impl Strategy<Value = &'static str> {
    select(&IDS[..])
}

pub(super) fn throng() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(&THRONG[..], 3..=THRONG.len())
}

pub(super) fn document_key() -> impl Strategy<Value = &'static str> {
    select(&KEYS[..])
}

pub(super) fn group() -> impl Strategy<Value = &'static str> {
    select(&GROUPS[..])
}

pub(super) fn saying() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(SAYINGS[0]), 1 => Just(SAYINGS[1])]
}

pub(super) fn step() -> impl Strategy<Value = &'static str> {
    select(&STEPS[..])
}

pub(super) fn span() -> impl Strategy<Value = Duration> {
    select(&SPANS[..]).prop_map(ms)
}

/// Before, at and after the present.
pub(super) fn from_now() -> impl Strategy<Value = i64> {
    select(&[0, -10, 1, 5, 20, 50, 1000][..])
}

pub(super) fn keep() -> impl Strategy<Value = Keep> {
    let count = option::of(0..4_u64);
    let age = option::weighted(0.3, prop_oneof![1 => Just(ms(0)), 9 => span()]);
    (age, count).prop_map(|(age, count)| Keep { age, count })
}
