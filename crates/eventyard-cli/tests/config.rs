//! `eventyard config`.

mod support;

use serde_json::Value;
use support::Bench;

#[tokio::test]
async fn a_mistake_is_told_with_its_place_and_the_nearest_key() {
    let toml = "[queues.emails]\natempts = 5\n\n[server]\nlisten = \"nowhere\"\n";
    let bench = Bench::default().file("mine.toml", toml);
    for command in [&["config", "check", "mine.toml"][..], &["serve", "--config", "mine.toml"]] {
        let ran = bench.run(command).await;
        assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{ran:?}");
        for told in
            ["mine.toml:2:1: unknown key `atempts`", "atempts = 5", "did you mean `attempts`?"]
        {
            assert!(ran.err.contains(told), "{told}: {}", ran.err);
        }
    }
}

#[tokio::test]
async fn what_is_in_force_is_told_with_where_it_comes_from() {
    let toml = "[queues.reports]\nattempts = 5\n[auth]\ntokens = [\"s3cret\"]\n";
    let bench = Bench::default()
        .file("eventyard.toml", toml)
        .variable("EVENTYARD_QUEUES__REPORTS__CONCURRENCY", "2");
    let text = bench.run(&["config", "check"]).await.ok();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    assert!(line("queues.reports.attempts = 5 ").ends_with("# eventyard.toml:2:1"), "{text}");
    assert!(
        line("queues.reports.concurrency = 2 ")
            .ends_with("# EVENTYARD_QUEUES__REPORTS__CONCURRENCY")
    );
    assert!(line("queues.reports.lease = \"30s\" ").ends_with("# default"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    // It can be read back.
    let again = bench.file("again.toml", &text.replace("********", "s3cret"));
    again.run(&["config", "check", "again.toml"]).await.ok();

    let json = again.run(&["config", "check", "--json"]).await.json();
    assert_eq!(json["config"]["queues"]["reports"]["concurrency"], 2);
    assert_eq!(json["origins"]["queues.reports.attempts"], "eventyard.toml:2:1");
    assert!(!json.to_string().contains("s3cret"));
}

#[tokio::test]
async fn the_schema_is_a_json_schema_that_takes_and_refuses() {
    let schema = Bench::default().run(&["config", "schema"]).await.json();
    let validator = jsonschema::options().build(&schema).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let check = |toml: &str, valid: bool| {
        let config: Value = toml::from_str(toml).unwrap();
        assert_eq!(validator.is_valid(&config), valid, "{toml}");
    };
    check("", true);
    check(
        "[queues.q]\nattempts = 3\nlease = '1m 30s'\nbackoff = { type = 'fixed', delay = 500 }",
        true,
    );
    check("[queues.q]\natempts = 3", false);
    check("[queues.q]\nlease = 'soon'", false);
    check("[[routes.rules]]\ntype = 'a.*'\nqueue = 'q'", true);
    check("[[routes.rules]]\ntype = 'a.*'", false);
    check("auth.tokens = ['t', { token = 'u', role = 'viewer' }]", true);
}
