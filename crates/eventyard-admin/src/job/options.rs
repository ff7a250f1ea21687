//! The options of a job: their description for the OpenAPI document, and their check. The engine's own type
//! reads them.

use std::time::Duration;

use eventyard::{FieldError, model::JobOptions};

use utoipa::ToSchema;

use crate::request::{JobText, KeyText, MAX_SAFE, QueueText};

/// The options of a job. What is left out comes from its queue's defaults.
///
/// The names are BullMQ's where it has them; times are milliseconds.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JobOptions, rename_all = "camelCase")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct Options {
    /// The job's own id. Adding a job whose id exists on the queue changes nothing.
    job_id: Option<JobText>,
    /// How often the job is tried in all, the first time included.
    #[schema(minimum = 1, maximum = 10000, example = 5)]
    attempts: Option<u32>,
    /// The waits between attempts.
    backoff: Option<Backoff>,
    /// A lower number runs sooner; 0, the default, before all others.
    #[schema(minimum = 0, maximum = 2_097_151, example = 0)]
    priority: Option<u32>,
    /// Runs no earlier than this long after it is added, in milliseconds. Not together with `runAt`.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    delay: Option<u64>,
    /// Runs no earlier than this instant. Not together with `delay`.
    #[schema(format = DateTime)]
    run_at: Option<String>,
    /// How long one attempt may take, in milliseconds.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 30000)]
    timeout: Option<u64>,
    /// Runs before the jobs that wait already, last in first out.
    lifo: Option<bool>,
    /// How long the job stays once completed.
    remove_on_complete: Option<Keep>,
    /// How long the job stays once failed.
    remove_on_fail: Option<Keep>,
    /// What the job has in common with others of its queue, such as a tenant. The queue is fair between keys.
    key: Option<KeyText>,
    /// Fails as expired unless its first attempt begins within this long after it could first have begun, in
    /// milliseconds.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 60000)]
    ttl: Option<u64>,
    /// Drops jobs that say the same. Not together with `parent`.
    deduplication: Option<Deduplication>,
    /// The job that waits for this one. Not together with `deduplication`.
    parent: Option<Parent>,
}

/// How jobs that say the same are dropped: while one with the same id is there, others are not added.
///
/// Without a `ttl` it is there until it is finished or removed.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct Deduplication {
    /// What the job says; unique on its queue.
    id: KeyText,
    /// Others are dropped for this long, whatever becomes of the job, in milliseconds.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 5000)]
    ttl: Option<u64>,
    /// Each that is dropped begins the `ttl` anew; only together with it.
    #[schema(required = false, default = false)]
    extend: bool,
    /// While the job is delayed, the next takes its place: the last one runs.
    #[schema(required = false, default = false)]
    replace: bool,
    /// While the job is active, the last one that came is added when it ends; with neither `ttl` nor `replace`.
    #[schema(required = false, default = false)]
    keep_last_if_active: bool,
}

/// The job that waits for this one. It must wait for children or be active.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct Parent {
    /// The parent's queue.
    queue: QueueText,
    /// The parent's id there.
    id: JobText,
    /// What becomes of the parent if this job fails for good.
    #[schema(required = false)]
    on_fail: OnFail,
}

/// What becomes of a job that waits for its children when one of them fails for good: it goes on waiting (the
/// default), fails too, runs at once, or waits for the others only.
#[derive(ToSchema)]
#[schema(as = OnChildFailure, rename_all = "kebab-case")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) enum OnFail {
    Wait,
    Fail,
    Continue,
    Ignore,
}

/// The waits between the attempts of a job: N attempts have N−1 waits. A number is a fixed wait in milliseconds.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) enum Backoff {
    Fixed(Millis),
    Full(FullBackoff),
}

/// Milliseconds.
#[derive(ToSchema)]
#[schema(as = Milliseconds, value_type = u64, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct Millis(u64);

/// A number of things.
#[derive(ToSchema)]
#[schema(as = Count, value_type = u64, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct Number(u64);

/// The waits between the attempts of a job, in full.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BackoffPolicy)]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct FullBackoff {
    r#type: BackoffType,
    /// The first wait, in milliseconds.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 2000)]
    delay: u64,
    /// The share of each wait that is random, from 0 (none) to 1 (all of it).
    #[schema(required = false, default = 0.0, minimum = 0, maximum = 1)]
    jitter: f64,
    /// The longest wait, in milliseconds.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    max: Option<u64>,
}

/// The shape of the waits: the same every time, or twice, four times, eight times the first.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) enum BackoffType {
    Fixed,
    Exponential,
}

/// How long something finished is kept: true removes it at once, false keeps it for good, a number keeps that many.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) enum Keep {
    Remove(bool),
    Count(Number),
    Limits(KeepLimits),
}

/// Keeps by age and by count, whichever ends first.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) struct KeepLimits {
    /// In seconds, as in BullMQ.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 86400)]
    age: Option<f64>,
    /// This many of the newest.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 1000)]
    count: Option<u64>,
}

/// Checks options against their ranges, once the queue's defaults have completed them.
pub(crate) fn check(options: &JobOptions, defaults: &JobOptions) -> Result<(), FieldError> {
    let backoff = options.backoff;
    let keeps = [
        ("removeOnComplete", options.remove_on_complete),
        ("removeOnFail", options.remove_on_fail),
    ];
    let millis = [
        ("delay", options.delay),
        ("timeout", options.timeout),
        ("ttl", options.ttl),
        ("deduplication.ttl", options.deduplication.as_ref().and_then(|rule| rule.ttl)),
        ("backoff.delay", backoff.map(|backoff| backoff.delay)),
        ("backoff.max", backoff.and_then(|backoff| backoff.max)),
    ];
    for (name, duration) in millis {
        is_safe(name, duration.map(|duration| duration.as_millis()))?;
    }
    for (name, keep) in keeps {
        let age = keep.and_then(|keep| keep.age).as_ref().map(Duration::as_secs);
        is_safe(&format!("{name}.age"), age.map(u128::from))?;
        is_safe(&format!("{name}.count"), keep.and_then(|keep| keep.count).map(u128::from))?;
    }
    options.clone().or(defaults).validate().map_err(|error| FieldError {
        field: format!("opts.{}", error.field),
        problem: error.problem,
    })
}

/// Checks that a number is one that every JSON library can hold.
fn is_safe(name: &str, number: Option<u128>) -> Result<(), FieldError> {
    match number {
        Some(number) if number > MAX_SAFE.into() => Err(FieldError {
            field: format!("opts.{name}"),
            problem: format!("is {number}; use at most {MAX_SAFE}"),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use eventyard::model::{self, GroupKey, JobId, QueueName};
    use utoipa::PartialSchema;

    use super::*;

    /// A job option that the engine learns must be described here.
    #[test]
    fn every_option_is_described() {
        let all = JobOptions {
            job_id: Some(JobId::new("j").unwrap()),
            attempts: Some(1),
            backoff: Some(model::Backoff::fixed(Duration::from_secs(1))),
            priority: Some(1),
            delay: Some(Duration::ZERO),
            run_at: Some(model::Timestamp::default()),
            timeout: Some(Duration::from_secs(1)),
            lifo: Some(true),
            remove_on_complete: Some(model::Keep::FOREVER),
            remove_on_fail: Some(model::Keep::FOREVER),
            key: Some(GroupKey::new("k").unwrap()),
            ttl: Some(Duration::from_secs(1)),
            deduplication: Some(model::Deduplication {
                id: GroupKey::new("d").unwrap(),
                ttl: Some(Duration::from_secs(1)),
                extend: true,
                replace: true,
                keep_last_if_active: true,
            }),
            parent: Some(model::Parent {
                queue: QueueName::new("q").unwrap(),
                id: JobId::new("p").unwrap(),
                on_fail: model::OnChildFailure::Wait,
            }),
        };
        let keys = |value: &serde_json::Value| -> BTreeSet<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        let check = |schema, value: &serde_json::Value| {
            let schema = serde_json::to_value(schema).unwrap();
            assert_eq!(keys(&schema["properties"]), keys(value));
            assert_eq!(schema["additionalProperties"], false);
        };
        let all = serde_json::to_value(all).unwrap();
        check(Options::schema(), &all);
        check(Deduplication::schema(), &all["deduplication"]);
        check(Parent::schema(), &all["parent"]);
    }

    #[test]
    fn ranges_are_checked() {
        let check = |json: &str, field: Option<&str>| {
            let options: JobOptions = serde_json::from_str(json).unwrap();
            let fault = check(&options, &JobOptions::default()).err().map(|error| error.field);
            assert_eq!(fault.as_deref(), field, "{json}");
        };
        check("{}", None);
        check(r#"{"delay":9007199254740991}"#, None);
        check(r#"{"delay":9007199254740992}"#, Some("opts.delay"));
        check(r#"{"timeout":9007199254740992}"#, Some("opts.timeout"));
        check(r#"{"backoff":9007199254740992}"#, Some("opts.backoff.delay"));
        check(r#"{"removeOnFail":{"age":1e18}}"#, Some("opts.removeOnFail.age"));
        check(r#"{"removeOnComplete":9007199254740992}"#, Some("opts.removeOnComplete.count"));
        check(r#"{"attempts":0}"#, Some("opts.attempts"));
        check(r#"{"ttl":0}"#, Some("opts.ttl"));
        check(r#"{"ttl":9007199254740992}"#, Some("opts.ttl"));
        let rule = |rest: &str| format!(r#"{{"deduplication":{{"id":"d"{rest}}}}}"#);
        check(&rule(""), None);
        check(&rule(r#","ttl":9007199254740992"#), Some("opts.deduplication.ttl"));
        check(&rule(r#","extend":true"#), Some("opts.deduplication.extend"));
    }
}
