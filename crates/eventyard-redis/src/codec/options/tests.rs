use std::time::Duration;

use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn survives(options: &JobOptions) {
    let text = encode(options, "{x}:bull");
    assert_eq!(decode(&text, "{x}:bull"), *options, "{text}");
}

#[test]
fn ours_come_back_as_they_were() {
    let none = JobOptions::default;
    survives(&none());
    survives(&JobOptions {
        job_id: JobId::new("a \"b\" ü \u{10ffff}").ok(),
        attempts: Some(7),
        backoff: Some(Backoff::exponential(MS(2000)).jitter(0.1).max(MS(9))),
        priority: Some(3),
        delay: Some(MS(u64::MAX)),
        run_at: Some(Timestamp::from_millis(1_700_000_000_123)),
        timeout: Some(MS(1)),
        lifo: Some(false),
        remove_on_complete: Some(Keep::NOTHING),
        remove_on_fail: Some(Keep::count(5).or_age(MS(366 * 86_400_001))),
        key: GroupKey::new("k/\\:").ok(),
        ttl: Some(MS(1)),
        deduplication: Some(Deduplication {
            id: GroupKey::new("says").unwrap(),
            ttl: Some(MS(5)),
            extend: true,
            replace: true,
            keep_last_if_active: true,
        }),
        parent: None,
    });
    use OnChildFailure::{Continue, Fail, Ignore, Wait};
    for on_fail in [Wait, Fail, Continue, Ignore] {
        let queue = QueueName::new("q").unwrap();
        let parent = Some(Parent { queue, id: JobId::new("p:1:2").unwrap(), on_fail });
        survives(&JobOptions { parent, ..none() });
    }
    for keep in [Keep::FOREVER, Keep::NOTHING, Keep::age(MS(0)), Keep::age(MS(1))] {
        survives(&JobOptions { remove_on_fail: Some(keep), ..none() });
    }
    for jitter in [0.1, 0.3, 1.0 / 3.0, 0.7, 0.999_999_999_999_999_9, 1e-300] {
        let backoff = Some(Backoff::fixed(MS(0)).jitter(jitter));
        survives(&JobOptions { backoff, priority: Some(0), ..none() });
    }
}

#[test]
fn ours_have_nodes_names() {
    let check = |json: &str, written: &str| {
        let options: JobOptions = serde_json::from_str(json).unwrap();
        assert_eq!(encode(&options, "bull"), written);
    };
    check("{}", r#"{"attempts":0}"#);
    check(
        r#"{"attempts":3,"backoff":{"type":"fixed","delay":5},"priority":2,"lifo":true,"jobId":"a"}"#,
        r#"{"attempts":3,"priority":2,"backoff":{"type":"fixed","delay":5},"lifo":true,"jobId":"a"}"#,
    );
    check(
        r#"{"removeOnComplete":true,"removeOnFail":{"age":60,"count":2},"delay":7}"#,
        r#"{"attempts":0,"delay":7,"removeOnComplete":true,"removeOnFail":{"age":60.0,"count":2}}"#,
    );
    check(
        r#"{"parent":{"queue":"q","id":"p","onFail":"fail"}}"#,
        r#"{"attempts":0,"parent":{"id":"p","queue":"bull:q"},"fpof":true}"#,
    );
    check(
        r#"{"deduplication":{"id":"d","ttl":5},"key":"k","ttl":6,"timeout":7,"runAt":"2026-01-01T00:00:00Z"}"#,
        r#"{"attempts":0,"de":{"id":"d","ttl":5},"key":"k","ttl":6,"timeout":7,"runAt":"2026-01-01T00:00:00.000Z"}"#,
    );
}

#[test]
fn nodes_are_read_as_far_as_they_fit() {
    let check = |text: &str, expected: &str| {
        let options: JobOptions = serde_json::from_str(expected).unwrap();
        assert_eq!(decode(text, "bull"), options, "{text}");
    };
    for nothing in ["", "null", "[]", "7", "{", r#"{"attempts":0,"what":{"is":["this"]}}"#] {
        check(nothing, "{}");
    }
    check(r#"{"attempts":5,"delay":1.5e+3}"#, r#"{"attempts":5,"delay":1500}"#);
    check(r#"{"attempts":-1,"delay":-5,"priority":-2,"lifo":1}"#, "{}");
    check(r#"{"attempts":1e99}"#, r#"{"attempts":4294967295}"#);
    check(r#"{"attempts":null,"backoff":null,"removeOnFail":null,"parent":null}"#, "{}");
    check(r#"{"attempts":2,"backoff":{"type":"mine","delay":5}}"#, r#"{"attempts":2}"#);
    check(r#"{"backoff":250}"#, r#"{"backoff":250}"#);
    check(
        r#"{"backoff":{"type":"exponential","jitter":7}}"#,
        r#"{"backoff":{"type":"exponential","delay":0,"jitter":1}}"#,
    );
    check(r#"{"backoff":{"delay":5}}"#, "{}");
    check(
        r#"{"removeOnComplete":{"age":0.5,"count":2,"limit":9},"removeOnFail":{"limit":9}}"#,
        r#"{"removeOnComplete":{"age":0.5,"count":2}}"#,
    );
    check(
        r#"{"removeOnComplete":{"count":1e+15},"removeOnFail":-1}"#,
        r#"{"removeOnComplete":1000000000000000,"removeOnFail":false}"#,
    );
    check(r#"{"removeOnFail":{"age":-1}}"#, "{}");
    check(
        r#"{"de":{"id":"a","ttl":5,"reschedule":true}}"#,
        r#"{"deduplication":{"id":"a","ttl":5}}"#,
    );
    check(r#"{"debounce":{"id":"a"}}"#, r#"{"deduplication":{"id":"a"}}"#);
    check(r#"{"de":{"id":""}}"#, "{}");
    check(
        r#"{"parent":{"id":"p","queue":"bull:q"},"rdof":true}"#,
        r#"{"parent":{"id":"p","queue":"q","onFail":"ignore"}}"#,
    );
    check(
        r#"{"parent":{"id":"p","queue":"bull:q"},"failParentOnFailure":true}"#,
        r#"{"parent":{"id":"p","queue":"q","onFail":"fail"}}"#,
    );
    check(r#"{"parent":{"id":"p","queue":"other:q"}}"#, "{}");
    check(r#"{"jobId":"repeat:x\/y:1","timestamp":1e+14,"kl":5}"#, r#"{"jobId":"repeat:x/y:1"}"#);
    check(r#"{"jobId":5,"key":"","runAt":"soon","timeout":0,"ttl":0}"#, "{}");
}
