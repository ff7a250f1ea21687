//! BullMQ's job schedulers: each job of one is the carrier of the next, so whoever takes it adds that.
//!
//! When the next is due is reckoned as BullMQ does: by an interval from the slot of the present one, or by a cron
//! pattern from the present, until a count or a date ends it.

use croner::parser::{CronParser, Seconds};
use eventyard_core::{QueueName, Timestamp};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use super::wire;
use crate::codec::row::Row;

/// The argument of the script that adds the next job of a scheduler.
#[derive(Debug, Serialize)]
struct Iterate<'a> {
    prefix: &'a str,
    node: &'a str,
    now: i64,
    queue: &'a str,
    scheduler: &'a str,
    /// The job that was taken.
    id: &'a str,
    name: &'a str,
    next: i64,
    opts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lifo: bool,
}

/// The call that adds the job after one that was taken, if that is of a scheduler with a next one.
pub(crate) fn argument(
    row: &Row,
    (prefix, node): (&str, &str),
    queue: &QueueName,
    id: &str,
    now: Timestamp,
) -> Option<Vec<u8>> {
    let scheduler = row.scheduler()?;
    let mut opts: Value = serde_json::from_slice(row.options()?).ok()?;
    let next = next(&opts, id, now.as_millis())?;
    let repeat = opts.get_mut("repeat")?.as_object_mut()?;
    let count = repeat.get("count").and_then(Value::as_u64).unwrap_or(1) + 1;
    if repeat.get("limit").and_then(Value::as_u64).is_some_and(|limit| count > limit) {
        return None;
    }
    repeat.insert("count".to_owned(), count.into());
    let by_pattern = repeat.contains_key("pattern");
    let (priority, lifo) = (opts.get("priority").and_then(Value::as_u64), opts.get("lifo"));
    let lifo = lifo.and_then(Value::as_bool).unwrap_or(false);
    let all = opts.as_object_mut()?;
    all.insert("jobId".to_owned(), format!("repeat:{scheduler}:{next}").into());
    all.insert("timestamp".to_owned(), now.as_millis().into());
    all.insert("delay".to_owned(), (next - now.as_millis()).max(0).into());
    if by_pattern {
        all.insert("prevMillis".to_owned(), next.into());
    }
    Some(wire::encode(&Iterate {
        prefix,
        node,
        now: now.as_millis(),
        queue: queue.as_str(),
        scheduler,
        id,
        name: row.name(),
        next,
        opts: opts.to_string(),
        priority,
        lifo,
    }))
}

/// When the job after `id` is due, in milliseconds; nothing if there is none.
fn next(opts: &Value, id: &str, now: i64) -> Option<i64> {
    let repeat = opts.get("repeat")?;
    let number = |name: &str| repeat.get(name).and_then(millis);
    let next = if let Some(pattern) = repeat.get("pattern").and_then(Value::as_str) {
        let zone = repeat.get("tz").and_then(Value::as_str).unwrap_or("UTC");
        let begin = number("startDate").unwrap_or(now);
        let previous = opts.get("prevMillis").and_then(millis).unwrap_or(now);
        by_pattern(pattern, zone, now.max(previous).max(begin))?
    } else {
        let previous: i64 = id.rsplit(':').next()?.parse().ok()?;
        let (every, offset) = (number("every").filter(|every| *every > 0)?, number("offset"));
        by_interval(previous, every, offset.unwrap_or(0), now)
    };
    number("endDate").is_none_or(|end| next <= end).then_some(next)
}

/// The slot after a slot. Those that have passed are left out.
fn by_interval(previous: i64, every: i64, offset: i64, now: i64) -> i64 {
    let next = previous + every;
    if next >= now {
        return next;
    }
    let slot = now.div_euclid(every) * every + offset;
    if slot <= now { slot + every } else { slot }
}

fn by_pattern(pattern: &str, zone: &str, after: i64) -> Option<i64> {
    let parser = CronParser::builder().seconds(Seconds::Optional).build();
    let pattern = parser.parse(pattern).ok()?;
    let zone = TimeZone::get(zone).ok()?;
    let after = jiff::Timestamp::from_millisecond(after).ok()?.to_zoned(zone);
    let next = pattern.find_next_occurrence(&after, false).ok()?;
    Some(next.timestamp().as_millisecond())
}

/// Milliseconds, however Node's JSON has them.
fn millis(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a time in milliseconds")]
    value.as_i64().or_else(|| value.as_f64().map(|float| float as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn when_the_next_is_due() {
        let check = |repeat: Value, id: &str, now: i64, expected: Option<i64>| {
            assert_eq!(next(&json!({ "repeat": repeat }), id, now), expected, "{repeat}");
        };
        check(json!({"every": 1000}), "repeat:s:5000", 5003, Some(6000));
        check(json!({"every": 1000, "offset": 20}), "repeat:s:5020", 9_500, Some(10_020));
        check(json!({"every": 1000, "endDate": 5500}), "repeat:s:5000", 5003, None);
        check(json!({"every": 0}), "repeat:s:5000", 5003, None);
        check(json!({"pattern": "*/5 * * * * *"}), "repeat:s:5000", 5003, Some(10_000));
        check(json!({"pattern": "0 3 * * *"}), "repeat:s:5000", 5003, Some(10_800_000));
        check(
            json!({"pattern": "0 3 * * *", "tz": "Europe/Berlin"}),
            "repeat:s:5000",
            5003,
            Some(7_200_000),
        );
        check(json!({"pattern": "whenever"}), "repeat:s:5000", 5003, None);
    }
}
