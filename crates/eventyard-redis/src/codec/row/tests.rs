use eventyard_core::{Backoff, JobOptions, Payload, inspect::AttemptRecord};

use super::*;

fn row(fields: &[(&str, &str)]) -> Row {
    let flat = fields.iter().flat_map(|(name, value)| [name, value]);
    let flat = flat.map(|text| Bytes::copy_from_slice(text.as_bytes()));
    Row::of(flat.chain([Bytes::from_static(b"name"), Bytes::from_static(b"n")])).unwrap()
}

fn job(row: &Row) -> Job {
    row.job(&QueueName::new("q").unwrap(), &JobId::new("1").unwrap(), "bull")
}

const fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

#[test]
fn a_hash_without_a_name_is_no_job() {
    let flat = |text: &'static [&str]| text.iter().map(|text| Bytes::from_static(text.as_bytes()));
    assert_eq!(Row::of(flat(&[])), None);
    assert_eq!(Row::of(flat(&["processedOn", "5", "ats", "1"])), None);
    assert!(Row::of(flat(&["timestamp", "5"])).is_some());
    assert!(Row::of(flat(&["name", ""])).is_some());
}

#[test]
fn a_job_of_nodes_is_understood() {
    let row = row(&[
        ("data", r#"{"to":"a"}"#),
        ("opts", r#"{"attempts":3,"backoff":{"delay":1e+3,"type":"fixed"},"jobId":"1"}"#),
        ("timestamp", "1700000000000"),
        ("delay", "0"),
        ("priority", "0"),
        ("processedOn", "1700000000005"),
        ("ats", "2"),
        ("atm", "1"),
        ("stc", "1"),
        ("pb", "räuber"),
        ("progress", "42"),
    ]);
    let expected = Job {
        queue: QueueName::new("q").unwrap(),
        id: JobId::new("1").unwrap(),
        name: "n".into(),
        payload: Payload::Data(r#"{"to":"a"}"#.into()),
        options: Arc::new(JobOptions {
            attempts: Some(3),
            backoff: Some(Backoff::fixed(std::time::Duration::from_secs(1))),
            job_id: JobId::new("1").ok(),
            ..JobOptions::default()
        }),
        created_at: at(1_700_000_000_000),
        attempts_made: 1,
        crashes: 1,
    };
    assert_eq!(job(&row), expected);
    assert_eq!(row.started_at(), Some(at(1_700_000_000_005)));
    assert_eq!((row.activations(), row.finished_at()), (2, None));
    assert_eq!(row.worker().unwrap().as_str(), "räuber");
    assert_eq!(row.progress().unwrap(), "42");
}

#[test]
fn what_is_missing_or_odd_does_no_harm() {
    let row = row(&[("opts", "{"), ("timestamp", "NaN"), ("atm", "many"), ("pb", "")]);
    let read = job(&row);
    assert_eq!(read.payload, Payload::Data("{}".into()));
    assert_eq!((read.created_at, read.attempts_made), (at(0), 0));
    assert_eq!(*read.options, JobOptions::default());
    assert_eq!((row.worker(), row.result(), row.progress()), (None, None, None));
    assert_eq!((row.failure(), row.attempts(), row.lease()), (None, vec![], None));
}

#[test]
fn a_priority_that_was_changed_is_the_priority() {
    let check = |opts, priority, expected| {
        let row = row(&[("opts", opts), ("priority", priority)]);
        assert_eq!(job(&row).options.priority, expected, "{opts} {priority}");
    };
    check("{}", "0", None);
    check(r#"{"priority":0}"#, "0", Some(0));
    check(r#"{"priority":3}"#, "3", Some(3));
    check(r#"{"priority":3}"#, "0", Some(0));
    check("{}", "7", Some(7));
    check(r#"{"priority":3}"#, "NaN", Some(3));
}

#[test]
fn old_jobs_count_their_attempts_under_another_name() {
    assert_eq!(row(&[("attemptsMade", "2")]).attempts_made(), 2);
    assert_eq!(row(&[("attemptsMade", "2"), ("atm", "3")]).attempts_made(), 3);
    assert_eq!(row(&[("atm", "3"), ("attemptsMade", "2")]).attempts_made(), 3);
}

#[test]
fn results_are_what_was_returned() {
    let check = |json, expected: Option<&[u8]>| {
        assert_eq!(row(&[("returnvalue", json)]).result().as_deref(), expected, "{json}");
    };
    check("null", None);
    check("0", Some(b"0"));
    check("\"null\"", Some(b"\"null\""));
    check("\"data:;base64,AP8=\"", Some(b"\0\xff"));
}

#[test]
fn the_last_to_tell_a_failure_is_right() {
    let ours = Failure::new(FailureKind::Timeout, "too late").with_stack("a\nb");
    let json = serde_json::to_string(&ours).unwrap();
    let check = |fields: &[(&str, &str)], expected: Failure| {
        assert_eq!(row(fields).failure(), Some(expected), "{fields:?}");
    };
    check(&[("eyf", &json), ("failedReason", "too late"), ("stacktrace", "[\"x\"]")], ours.clone());
    check(&[("eyf", &json)], ours);
    let error = |message: &str| Failure::new(FailureKind::Error, message);
    check(&[("eyf", &json), ("failedReason", "later")], error("later"));
    check(&[("failedReason", "no")], error("no"));
    check(&[("failedReason", "no"), ("stacktrace", "[]")], error("no"));
    check(&[("failedReason", "no"), ("stacktrace", "[\"no\"]")], error("no"));
    check(&[("failedReason", "no"), ("stacktrace", "nonsense")], error("no"));
    check(
        &[("failedReason", "no"), ("stacktrace", r#"["Error: first","Error: no\n at x"]"#)],
        error("no").with_stack("Error: no\n at x"),
    );
}

/// The attempts as text, to be compared.
fn shown(row: &Row) -> Vec<String> {
    let show = |r: AttemptRecord| {
        let (worker, failure) = (r.worker, r.failure);
        let (from, to) = (r.started_at.as_millis(), r.ended_at.as_millis());
        format!(
            "{} by {worker} {from}-{to} {}: {}",
            r.attempt,
            failure.kind.as_str(),
            failure.message
        )
    };
    row.attempts().into_iter().map(show).collect()
}

#[test]
fn attempts_are_those_that_were_recorded() {
    let records = r#"[{"attempt":1,"worker":"w","startedAt":5,"endedAt":6,"failure":{"kind":"panic","message":"a"}},
        {"worker":[],"endedAt":1.5e+3},
        {"attempt":2,"worker":"","startedAt":1.7e+12,"endedAt":1700000000001,"failure":{"kind":"crash","message":"b\/c","stack":"s"}}]"#;
    let ours = ["1 by w 5-6 panic: a", "2 by unknown 1700000000000-1700000000001 crash: b/c"];
    let known = row(&[("eya", records), ("atm", "2"), ("stacktrace", r#"["a","s"]"#)]);
    assert_eq!(shown(&known), ours);
    // A failure that no attempt ended in.
    let beyond = row(&[("eya", records), ("atm", "3"), ("stacktrace", r#"["a","s"]"#)]);
    assert_eq!(shown(&beyond), ours);
    // A worker of Node's went on.
    let mixed = row(&[
        ("eya", records),
        ("atm", "3"),
        ("stacktrace", r#"["a","s","Error: d\n at"]"#),
        ("failedReason", "d"),
        ("pb", "node"),
        ("processedOn", "7"),
        ("finishedOn", "8"),
    ]);
    assert_eq!(shown(&mixed), [ours[0], ours[1], "3 by node 7-8 error: d"]);
}

#[test]
fn attempts_of_nodes_are_told_by_their_stacks() {
    let stacks = r#"["Error: a\n at x","Error: b\n at y"]"#;
    let check = |fields: &[(&str, &str)], expected: &[&str]| {
        assert_eq!(shown(&row(fields)), expected, "{fields:?}");
    };
    check(
        &[("stacktrace", stacks), ("atm", "2"), ("failedReason", "b"), ("processedOn", "5")],
        &["1 by unknown 5-5 error: Error: a", "2 by unknown 5-5 error: b"],
    );
    // Older ones were cut off.
    check(
        &[("stacktrace", stacks), ("atm", "12"), ("timestamp", "3")],
        &["11 by unknown 3-3 error: Error: a", "12 by unknown 3-3 error: Error: b"],
    );
    check(
        &[("stacktrace", stacks), ("atm", "3"), ("failedReason", "b"), ("returnvalue", "1")],
        &["1 by unknown 0-0 error: Error: a", "2 by unknown 0-0 error: Error: b"],
    );
    // One that was retried begins afresh.
    check(&[("stacktrace", stacks)], &[]);
    check(&[("stacktrace", stacks), ("atm", "1")], &["1 by unknown 0-0 error: Error: b"]);
}

#[test]
fn a_lease_is_a_token_and_an_activation() {
    assert_eq!(row(&[("eyl", "00ff 3")]).lease(), Some(("00ff", 3)));
    for odd in ["", "00ff", "00ff x"] {
        assert_eq!(row(&[("eyl", odd)]).lease(), None, "{odd}");
    }
}
