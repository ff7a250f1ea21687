//! The steps that must happen together.

use std::sync::LazyLock;

use redis::Script;

use super::Inner;
use crate::connect::{Error, Shared};

static BURY: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("bury.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));
static FORGET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("forget.lua")));

/// Moves an entry to the dead letters; false when somebody has handled it meanwhile.
pub(super) async fn bury(
    inner: &Inner,
    group: &str,
    entry: &str,
    reason: &str,
    deliveries: u32,
) -> Result<bool, Error> {
    let mut call = BURY.prepare_invoke();
    call.key(&inner.options.stream).key(&inner.dead_letters);
    call.arg(group).arg(entry).arg(reason).arg(deliveries).arg(inner.options.keep_dead_letters);
    Ok(call.invoke_async(&mut inner.connections.shared()).await?)
}

/// Keeps the entries that a consumer works on with it.
pub(super) async fn renew(
    on: &mut Shared,
    stream: &str,
    group: &str,
    consumer: &str,
    entries: &[String],
) -> Result<(), Error> {
    let mut call = RENEW.prepare_invoke();
    call.key(stream).arg(group).arg(consumer).arg(entries);
    Ok(call.invoke_async::<i64>(on).await.map(drop)?)
}

/// Forgets a consumer, unless it holds something.
pub(super) async fn forget(
    on: &mut Shared,
    stream: &str,
    group: &str,
    consumer: &str,
) -> Result<(), Error> {
    let mut call = FORGET.prepare_invoke();
    call.key(stream).arg(group).arg(consumer);
    Ok(call.invoke_async::<i64>(on).await.map(drop)?)
}
