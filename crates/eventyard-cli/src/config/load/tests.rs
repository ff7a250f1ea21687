//! The loader, from the outside: what is given, and what is in force or told.

use std::time::Duration;

use miette::Diagnostic;

use super::*;
use crate::config::{Bus, LogFormat, StoreUrl, TimeSpan};

/// A folder with a configuration file.
fn layers(toml: &str, variables: &[(&str, &str)]) -> (tempfile::TempDir, Layers) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("eventyard.toml");
    fs::write(&file, toml).unwrap();
    let environment = Environment::of(variables);
    (folder, Layers { file: Some(file), environment, ..Layers::default() })
}

fn load(toml: &str, variables: &[(&str, &str)]) -> Loaded {
    layers(toml, variables).1.load().unwrap_or_else(|error| panic!("{error:?}"))
}

/// The only problem of a configuration: its message after the file's name, and its help.
fn problem(toml: &str, variables: &[(&str, &str)]) -> (String, String) {
    let (folder, layers) = layers(toml, variables);
    let mut problems = layers.load().unwrap_err().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    let problem = problems.remove(0);
    let help = problem.help().map(|help| help.to_string()).unwrap_or_default();
    let folder = format!("{}/", folder.path().display());
    (problem.to_string().replace(&folder, ""), help)
}

#[test]
fn nothing_given_is_the_defaults() {
    let loaded = load("", &[]);
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.notes.is_empty());
}

#[test]
fn flags_win_over_variables_over_the_file() {
    let toml =
        "[server]\nlisten = '127.0.0.1:1'\nshutdown-grace = 250\n[store]\nurl = 'memory://'\n";
    let variables = [("EVENTYARD_SERVER__LISTEN", "127.0.0.1:2"), ("SERVICE_NAME", "booking")];
    let flag = |name, key, value: Option<&str>| Flag { name, key, value: value.map(Value::from) };

    let (_folder, mut layers) = layers(toml, &variables);
    layers.flags = vec![
        flag("--listen", ["server", "listen"], Some("127.0.0.1:3")),
        flag("--data-dir", ["store", "data-dir"], Some("d")),
        flag("--data-dir", ["store", "url"], None),
    ];
    let config = layers.load().unwrap().config;
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.server.shutdown_grace, TimeSpan::millis(250));
    assert_eq!(config.events.source, "booking");
    assert_eq!(config.store_url().unwrap(), StoreUrl::Sqlite("d/eventyard.db".into()));

    let config = load(toml, &variables).config;
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.store_url().unwrap(), StoreUrl::Memory);
}

#[test]
fn queues_and_routes_are_read() {
    let config = load(
        r#"
        [queues.reports]
        attempts = 7
        backoff = { type = "fixed", delay = "500ms", jitter = 0.5, max = "1m" }
        keep-failed = { age = "1d" }
        [routes]
        strict = true
        [[routes.rules]]
        type = "report.*"
        queue = "reports"
        [[routes.rules]]
        headers = { vip = true, level = 3, region = "eu" }
        match = "any"
        queue = "reports"
        [log]
        format = "json"
        "#,
        &[("EVENTYARD_QUEUES__REPORTS__CONCURRENCY", "2")],
    )
    .config;
    let reports = &config.queues["reports"];
    assert_eq!((reports.attempts, reports.concurrency), (7, 2));
    assert_eq!(reports.backoff.max.map(TimeSpan::get), Some(Duration::from_secs(60)));
    assert_eq!(reports.keep_failed.count, None);
    assert_eq!(reports.keep_completed.count, Some(1000));
    assert!(config.routes.strict && config.routes.rules.len() == 2);
    assert_eq!(config.log.format, LogFormat::Json);
    assert!(!config.notifies());
}

#[test]
fn the_limits_of_a_queue_are_read() {
    let toml = r#"
        [queues.mails.limits]
        concurrency = 50
        rate = { max = 100, per = "1s" }
        max-length = 100000
        [queues.mails.limits.keys]
        rate = { max = 1, per = 500 }
        ordered = true
        weights = { gold = 3 }
        [queues.free]
        "#;
    let loaded = load(toml, &[("EVENTYARD_QUEUES__MAILS__LIMITS__KEYS__CONCURRENCY", "5")]);
    let expected = serde_json::json!({
        "concurrency": 50, "rate": {"max": 100, "per": 1000}, "maxLength": 100_000,
        "keys": {
            "concurrency": 5, "rate": {"max": 1, "per": 500}, "ordered": true, "weights": {"gold": 3},
        },
    });
    let mails = loaded.config.queues["mails"].declare("mails");
    assert_eq!(serde_json::to_value(mails.settings().limits).unwrap(), expected);
    let free = loaded.config.queues["free"].declare("free");
    assert!(free.settings().limits.is_none(), "an operator's limits stay");
    let shown = loaded.show().unwrap().to_string();
    assert!(shown.contains("queues.mails.limits.rate.per = \"1s\""), "{shown}");
    assert_eq!(toml::from_str::<Config>(&shown).unwrap(), loaded.config);
}

#[test]
fn a_mail_channel_brings_the_booking_queues() {
    let mailbox = "channels.mailbox.enabled = true\n";
    let mine = "queues.emails.attempts = 9\nroutes.rules = [{ type = '#', queue = 'audit' }]\nqueues.audit = {}\n";

    let config = load(&format!("{mailbox}{mine}"), &[]).config;
    assert_eq!(config.queues.len(), 4);
    assert_eq!(config.queues["emails"].attempts, 9);
    assert_eq!(config.queues["emails"].backoff.delay, TimeSpan::secs(2));
    assert_eq!(config.routes.rules.len(), 7);

    let config = load(&format!("{mailbox}{mine}notifications.routes = false"), &[]).config;
    assert_eq!(config.routes.rules.len(), 1);
    let config = load(&format!("{mailbox}{mine}notifications.enabled = false"), &[]).config;
    assert_eq!((config.queues.len(), config.routes.rules.len()), (2, 1));
    let config = load("", &[("EVENTYARD_CHANNELS__MAILBOX__ENABLED", "true")]).config;
    assert_eq!((config.queues.len(), config.routes.rules.len()), (3, 6));
}

#[test]
fn dev_keeps_mails_unless_there_is_a_server_for_them() {
    let dev = |toml: &str| {
        let (_folder, mut layers) = layers(toml, &[]);
        layers.dev = true;
        layers.load().unwrap().config
    };
    let config = dev("");
    assert!(config.channels.mailbox.enabled && config.notifies());
    assert_eq!(config.log.filter, "warn,eventyard=debug,eventyard_admin=info");
    assert_eq!(dev("log.filter = 'trace'").log.filter, "trace");
    let config = dev("channels = { from = 'a@example.com', smtp = { host = 'localhost' } }");
    assert!(!config.channels.mailbox.enabled && config.notifies());
}

#[test]
fn the_legacy_switch_chooses_the_bus() {
    let check = |variables: &[(&str, &str)], bus, url: StoreUrl| {
        let config = load("", variables).config;
        assert_eq!((config.events.bus, config.store_url().unwrap()), (bus, url), "{variables:?}");
    };
    let file = || StoreUrl::Sqlite("eventyard-data/eventyard.db".into());
    check(&[], Bus::Queue, file());
    check(&[("USE_QUEUE_EVENT_BUS", "true")], Bus::Queue, file());
    let off = ("USE_QUEUE_EVENT_BUS", "false");
    check(&[off], Bus::Synchronous, StoreUrl::Memory);
    check(&[off, ("EVENTYARD_EVENTS__BUS", "queue")], Bus::Queue, file());
    let url = ("EVENTYARD_STORE__URL", "sqlite://x.db");
    check(&[off, url], Bus::Synchronous, StoreUrl::Sqlite("x.db".into()));
}

#[test]
fn mistakes_are_told_with_their_place() {
    let check = |toml: &str, message: &str, help: &str| {
        let (told, helped) = problem(toml, &[]);
        assert!(told.starts_with("eventyard.toml:"), "{told}");
        assert!(told["eventyard.toml:".len()..].starts_with(message), "{toml}: {told}");
        assert!(helped.contains(help), "{toml}: {helped}");
    };
    check(
        "[queues.emails]\natempts = 5",
        "2:1: unknown key `atempts` in queues.emails",
        "`attempts`",
    );
    check("[sever]\n", "1:2: unknown key `sever`", "did you mean `server`?");
    check("[server]\nzzz = 1", "2:1: unknown key `zzz` in server", "listen");
    check(
        "[[routes.rules]]\ntyp = 'a'\nqueue = 'q'",
        "2:1: unknown key `typ` in routes.rules[0]",
        "`type`",
    );
    check("a = ", "1:5: this is not TOML", "");
    check(
        "[queues.q]\nattempts = 'five'",
        "2:12: queues.q.attempts: invalid type: string \"five\"",
        "",
    );
    check("[queues.q]\nlease = '2 weeks'", "2:9: queues.q.lease: `2 weeks` is not a length", "");
    check("[queues.q]\nattempts = 0", "2:12: queues.q.attempts is 0", "use 1 to 10000");
    check("[queues.q]\nbackoff = { jitter = 2 }", "2:22: queues.q.backoff.jitter is 2", "use 0");
    let limit = |rest: &str| format!("[queues.q.limits]\n{rest}");
    check(
        &limit("maxlength = 1"),
        "2:1: unknown key `maxlength` in queues.q.limits",
        "`max-length`",
    );
    check(&limit("rate = { max = 1 }"), "2:1: queues.q.limits.rate: missing field `per`", "");
    check(
        &limit("rate = { max = 0, per = '1s' }"),
        "2:16: queues.q.limits.rate.max is 0; use 1 to 1000000",
        "",
    );
    check(&limit("rate = { max = 1, per = '32d' }"), "2:25: queues.q.limits.rate.per is", "");
    check(&limit("max-length = 0"), "2:14: queues.q.limits.max-length is 0; use 1", "");
    check(
        &limit("keys = { weights = { 'a.b' = 1001 } }"),
        "2:30: queues.q.limits.keys.weights.\"a.b\" is 1001; use 1 to 1000",
        "",
    );
    check("[queues.'a b']", "1:9: queues.\"a b\" is no name", "holds ' '");
    check("[channels.smtp]\nport = 25", "1:11: channels.smtp: missing field `host`", "");
    check("channels.smtp.host = 'h'", "1:10: channels.smtp has no sender", "channels.from");
    check("channels.from = 'Parking'", "1:17: channels.from is no sender", "");
    check("[auth]\ntokens = [{ token = 't', role = 'root' }]", "2:11: auth.tokens[0]", "");
    check(
        "[store]\nurl = 'postgres://h'",
        "2:7: store.url is not understood: `postgres://…` names no store of this build; use sqlite://PATH",
        "",
    );
    check("[store]\nsynchronous = 'off'", "2:15: store.synchronous: unknown variant `off`", "");
    check(
        "[server]\nlisten = 'here'",
        "2:10: server.listen: `here` is no address with a port; use one such as 127.0.0.1:3000",
        "",
    );
    check(
        "[server]\nlisten = '0.0.0.0:80'",
        "2:10: server.listen is 0.0.0.0:80, which others can reach, but auth.tokens is empty",
        "EVENTYARD_AUTH__TOKENS",
    );
    check("[auth]\ntokens = ['ok', '']", "2:17: auth.tokens[1] is empty", "openssl");
    check("[limits]\nbatch = 0", "2:9: limits.batch is 0", "use 1 or more");
    check("[log]\nfilter = 'a=b=c'", "2:10: log.filter is not understood", "");
    check(
        "[notifications]\nenabled = true",
        "2:11: notifications.enabled is true, but",
        "channels.smtp",
    );
    let rule = |rest: &str| format!("[queues.emails]\n[[routes.rules]]\n{rest}");
    check(
        &rule("type = 'a'\nqueue = 'email'"),
        "4:9: routes.rules[0].queue is `email`, which is not",
        "`emails`",
    );
    check(&rule("queue = 'emails'"), "2:1: routes.rules[0] must have either", "");
    check(
        &rule("type = 'a*'\nqueue = 'emails'"),
        "3:8: routes.rules[0].type is no pattern",
        "whole words",
    );
    check(&rule("headers = { a = 1.5 }\nqueue = 'emails'"), "3:17: routes.rules[0].headers.a", "");
    check(
        &rule("type = 'a'\nmatch = 'any'\nqueue = 'emails'"),
        "4:9: routes.rules[0].match belongs",
        "",
    );
}

#[test]
fn a_mistake_in_a_variable_names_it() {
    let check = |variable: (&str, &str), message: &str, help: &str| {
        let (told, helped) = problem("", &[variable]);
        assert!(told.starts_with(&format!("{}: ", variable.0)) && told.contains(message), "{told}");
        assert!(helped.contains(help), "{helped}");
    };
    check(("EVENTYARD_QUEUES__Q__ATTEMPTS", "five"), "queues.q.attempts: invalid type", "");
    check(
        ("EVENTYARD_QUEUES__Q__ATEMPTS", "5"),
        "names no key",
        "EVENTYARD_QUEUES__<NAME>__ATTEMPTS",
    );
    check(("EVENTYARD_SERVER__LISTEN", "0.0.0.0:80"), "auth.tokens is empty", "127.0.0.1");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let (_folder, layers) = layers(
        "[queues.q]\nattempts = 'x'\nlease = []\nconcurrency = -1\n",
        &[("EVENTYARD_LIMITS__BATCH", "many")],
    );
    let problems = layers.load().unwrap_err().problems;
    assert_eq!(problems.len(), 4, "{problems:?}");
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let layers = Layers { file: Some("absent.toml".into()), ..Layers::default() };
    assert!(layers.load().unwrap_err().problems[0].to_string().contains("cannot read absent.toml"));
}

#[test]
fn what_is_in_force_is_shown_without_secrets() {
    let toml = r#"
        auth.tokens = ["s3cret-token"]
        channels.from = "Ada <ada@example.com>"
        channels.smtp = { host = "h", username = "u", password = "s3cret-word" }
        "#;
    let loaded =
        load(toml, &[("EVENTYARD_LIMITS__BATCH", "7"), ("REDIS_URL", "redis://:s3cret@h")]);
    let shown = loaded.show().unwrap();
    let text = shown.to_string();
    for secret in [&text, &shown.to_json().to_string(), &format!("{loaded:?}")] {
        assert!(!secret.contains("s3cret"), "{secret}");
    }
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    assert!(line("limits.batch").ends_with("# EVENTYARD_LIMITS__BATCH"), "{text}");
    assert!(line("server.listen").ends_with("# default"), "{text}");
    assert!(line("queues.emails.attempts = 5").ends_with("# booking notifications"), "{text}");
    assert!(line("channels.smtp.host").contains("eventyard.toml:4:"), "{text}");
    toml::from_str::<Config>(&text).unwrap();
}

#[test]
fn schedules_are_read() {
    let config = load(
        r#"
        [queues.chores]
        [schedules.nightly]
        cron = "0 3 * * *"
        time-zone = "Europe/Berlin"
        queue = "chores"
        job = "tidy"
        data = { room = 7, tags = ["a"] }
        start = 2026-01-01T00:00:00Z
        limit = 5
        catch-up = "all"
        attempts = 4
        backoff = { delay = "5s" }
        [schedules.pulse]
        every = "10s"
        queue = "chores"
        job = "pulse"
        "#,
        &[("EVENTYARD_SCHEDULES__PULSE__EVERY", "5s")],
    )
    .config;
    let declare = |name: &str| config.schedules[name].declare(name).unwrap();
    let job = eventyard::JobRequest::new("chores", "tidy")
        .data(&serde_json::json!({"room": 7, "tags": ["a"]}))
        .unwrap()
        .attempts(4)
        .backoff(eventyard::Backoff::exponential(Duration::from_secs(5)));
    let nightly = eventyard::Schedule::cron("nightly", "0 3 * * *")
        .time_zone("Europe/Berlin")
        .start("2026-01-01T00:00:00Z".parse().unwrap())
        .limit(5)
        .catch_up(eventyard::schedule::CatchUp::All)
        .job(job);
    assert_eq!(declare("nightly"), nightly);
    let pulse = eventyard::Schedule::every("pulse", Duration::from_secs(5));
    assert_eq!(declare("pulse"), pulse.job(eventyard::JobRequest::new("chores", "pulse")));
}

#[test]
fn schedules_that_cannot_be_are_told_with_their_place() {
    let check = |rest: &str, message: &str, advice: &str| {
        let toml =
            format!("[queues.chores]\n[schedules.s]\njob = 'tidy'\nqueue = 'chores'\n{rest}");
        let (told, help) = problem(&toml, &[]);
        assert!(told.contains(message), "{rest}: {told}");
        assert!(help.contains(advice), "{rest}: {help}");
    };
    check("cron = '0 25 * * *'", "5:8: schedules.s.cron is `0 25 * * *`, which is no cron", "");
    check(
        "cron = '@daily'\ntime-zone = 'Europe/Berln'",
        "6:13: schedules.s.time-zone is",
        "`Europe/Berlin`",
    );
    check("every = '1m'\ntime-zone = 'UTC'", "6:13: schedules.s.time-zone belongs to `cron`", "");
    check("every = 0", "5:9: schedules.s.every is 0 ms; use 1 to", "");
    check("", "2:12: schedules.s must have either `cron` or `every`", "every = ");
    check("every = 5\ncron = '@daily'", "2:12: schedules.s must have either `cron` or `every`", "");
    check("every = 5\nlimit = 0", "6:9: schedules.s.limit is 0; use 1 or more", "");
    check("every = 5\nattempts = 0", "6:12: schedules.s.attempts is 0; use 1 to", "");
    check("every = 5\nstart = 2026-01-02", "schedules.s.start", "");
    let ends = "every = 5\nstart = 2026-01-02T00:00:00Z\nend = 2026-01-01T00:00:00Z";
    check(ends, "7:7: schedules.s.end is 2026-01-01T00:00:00.000Z, before start", "");
    check("evry = 5", "5:1: unknown key `evry` in schedules.s", "`every`");

    let lost = "[queues.chores]\n[schedules.s]\nevery = 5\njob = 'tidy'\nqueue = 'chroes'";
    let (told, help) = problem(lost, &[]);
    assert!(told.contains("5:9: schedules.s.queue is `chroes`, which is not declared"), "{told}");
    assert!(help.contains("`chores`"), "{help}");
    let (told, _) =
        problem("[queues.c]\n[schedules.'a b']\nevery = 5\njob = 'j'\nqueue = 'c'", &[]);
    assert!(told.contains("2:12: schedules.\"a b\" `a b` holds ' '"), "{told}");
}
