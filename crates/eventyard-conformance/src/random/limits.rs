//! Random limits: small ones, that are reached.

use std::collections::BTreeMap;

use eventyard_core::{GroupKey, KeyLimits, QueueLimits, Rate};
use proptest::{
    bool::weighted,
    collection::btree_map,
    option,
    prelude::{Just, Strategy, prop_oneof},
    sample::select,
};

use super::name::group;
use crate::given::ms;

/// The limits of a queue; often none.
pub(super) fn limits() -> impl Strategy<Value = QueueLimits> {
    let whole = (
        option::weighted(0.3, 1..4_u32),
        option::weighted(0.3, rate()),
        option::weighted(0.2, 1..7_u64),
        keys(),
    );
    let limits = whole.prop_map(|(concurrency, rate, max_length, keys)| QueueLimits {
        concurrency,
        rate,
        max_length,
        keys,
    });
    prop_oneof![1 => Just(QueueLimits::default()), 5 => limits]
}

fn keys() -> impl Strategy<Value = KeyLimits> {
    let concurrency = option::weighted(0.3, 1..3_u32);
    let weights = prop_oneof![
        2 => Just(BTreeMap::new()),
        1 => btree_map(group().prop_map(|key| GroupKey::new(key).unwrap()), 1..4_u32, 0..3),
    ];
    (concurrency, option::weighted(0.3, rate()), weighted(0.4), weights).prop_map(
        |(concurrency, rate, ordered, weights)| KeyLimits { concurrency, rate, ordered, weights },
    )
}

fn rate() -> impl Strategy<Value = Rate> {
    (1..4_u32, select(&[5, 20, 50, 100][..])).prop_map(|(max, per)| Rate::new(max, ms(per)))
}
