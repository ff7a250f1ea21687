//! The commands that speak to a running server, and those that need none.

mod support;

use serde_json::json;
use support::{Bench, Ran, Server};

/// A server, and the commands that call it.
struct Pair {
    bench: Bench,
    server: Server,
}

impl Pair {
    async fn start() -> Self {
        let bench = Bench::default();
        let server = bench.serve(&["dev", "--store", "memory://"]).await;
        let bench = bench.variable("EVENTYARD_SERVER", &server.url);
        Self { bench, server }
    }

    async fn run(&self, args: &[&str]) -> Ran {
        self.bench.run(args).await
    }
}

const BOOKING: &str = r#"{"bookingId": "b-1", "userId": "u-1", "userEmail": "ada@example.com"}"#;

#[tokio::test]
async fn an_event_is_published_once_under_its_id() {
    let pair = Pair::start().await;
    let args = ["publish", "booking.created", "--data", BOOKING, "--id", "e-1", "--json"];
    let first = pair.run(&args).await.json();
    assert_eq!(first["jobs"], json!([{"queue": "emails", "jobId": "e-1", "duplicate": false}]));
    pair.server.job_is("emails", "e-1", "completed").await;
    let again = pair.run(&args).await.json();
    assert_eq!(again["jobs"][0]["duplicate"], true, "{again}");

    let told = pair.run(&["publish", "other.thing"]).await;
    assert!(told.err.contains("no route takes this event"), "{told:?}");
    let id = told.ok();
    let event = pair.run(&["events", "show", id.trim(), "--json"]).await.json();
    assert_eq!(event["type"], "other.thing");
    let events = pair.run(&["events", "list", "--type", "booking.created", "--json"]).await.json();
    assert_eq!(events["items"][0]["id"], "e-1");
}

#[tokio::test]
async fn data_comes_from_files_too_and_must_be_json() {
    let pair = Pair::start().await;
    std::fs::write(pair.bench.path("data.json"), BOOKING).unwrap();
    pair.run(&["publish", "booking.created", "--data", "@data.json"]).await.ok();

    let ran = pair.run(&["publish", "booking.created", "--data", "{a}"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("--data is not JSON"), "{}", ran.err);
    let ran = pair.run(&["publish", "booking.created", "--data", "{}"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("data.userEmail"), "{}", ran.err);
}

#[tokio::test]
async fn queues_are_listed_and_steered() {
    let pair = Pair::start().await;
    let table = pair.run(&["queues"]).await.ok();
    assert!(table.lines().count() == 4 && table.contains("tickets"), "{table}");

    assert_eq!(pair.run(&["queues", "pause", "emails"]).await.ok(), "paused\n");
    pair.run(&["publish", "booking.created", "--data", BOOKING]).await.ok();
    let queues = pair.run(&["queues", "list", "--json"]).await.json();
    assert_eq!(queues["items"][0]["name"], "emails");
    assert_eq!(queues["items"][0]["counts"]["paused"], 1);
    assert_eq!(pair.run(&["queues", "drain", "emails"]).await.ok(), "1 removed\n");
    assert_eq!(pair.run(&["queues", "resume", "emails"]).await.ok(), "runs\n");

    let published = pair.run(&["publish", "booking.created", "--data", BOOKING]).await.ok();
    pair.server.job_is("emails", published.trim(), "completed").await;
    let clean = ["queues", "clean", "emails", "--state", "completed", "--older-than"];
    assert_eq!(pair.run(&[&clean[..], &["1h"]].concat()).await.ok(), "0 removed\n");
    assert_eq!(pair.run(&[&clean[..], &["0s"]].concat()).await.ok(), "1 removed\n");
    assert_eq!(pair.run(&["queues", "clean"]).await.code, Some(2), "not every queue by mistake");
    assert_eq!(pair.run(&["queues", "clean", "--all"]).await.ok(), "0 removed\n");
    assert_eq!(pair.run(&["queues", "obliterate", "emails"]).await.ok(), "0 removed\n");

    let ran = pair.run(&["queues", "pause", "absent"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("absent"), "{}", ran.err);
}

#[tokio::test]
async fn jobs_are_found_and_steered() {
    let pair = Pair::start().await;
    let delayed = json!({"name": "booking.created", "data": {}, "opts": {"jobId": "j-1", "delay": 3_600_000}});
    pair.server.post("/api/v1/queues/emails/jobs", delayed.clone()).await;
    pair.server.post("/api/v1/queues/tickets/jobs", delayed).await;

    let all = pair.run(&["jobs", "list", "--json"]).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");
    let table = pair.run(&["jobs", "list", "--queue", "emails", "--state", "delayed"]).await.ok();
    assert!(table.contains("j-1") && !table.contains("tickets"), "{table}");
    let unclear = pair.run(&["jobs", "show", "j-1"]).await;
    assert!(unclear.code == Some(1) && unclear.err.contains("emails, tickets"), "{unclear:?}");

    let cancelled = pair.run(&["jobs", "cancel", "tickets", "j-1", "--reason", "enough"]).await;
    assert_eq!(cancelled.ok(), "tickets/j-1 cancelled\n");
    let shown = pair.run(&["jobs", "show", "tickets/j-1", "--json"]).await.json();
    assert_eq!(shown["failedReason"]["kind"], "cancelled");
    pair.run(&["jobs", "promote", "emails/j-1"]).await.ok();
    // A mail without an address can never be sent.
    let job = pair.server.job_is("emails", "j-1", "failed").await;
    assert_eq!(job["opts"]["attempts"], 5);
    let shown = pair.run(&["jobs", "show", "emails", "j-1", "--json"]).await.json();
    assert_eq!(shown["state"], "failed");
    assert!(pair.run(&["jobs", "list", "--state", "failed"]).await.ok().contains("j-1"));
    pair.run(&["jobs", "retry", "--queue", "emails", "j-1"]).await.ok();
    pair.server.job_is("emails", "j-1", "failed").await;
    pair.run(&["jobs", "remove", "emails", "j-1"]).await.ok();
    let gone = pair.run(&["jobs", "show", "emails/j-1"]).await;
    assert_eq!(gone.code, Some(1), "{gone:?}");
}

#[tokio::test]
async fn jobs_are_changed() {
    let pair = Pair::start().await;
    let delayed = json!({"name": "n", "data": 1, "opts": {"jobId": "j", "delay": 3_600_000}});
    pair.server.post("/api/v1/queues/emails/jobs", delayed).await;
    let show = async || pair.run(&["jobs", "show", "emails/j", "--json"]).await.json();
    let changed = pair.run(&["jobs", "update", "emails", "j", "--data", "{\"n\":2}"]).await.ok();
    assert_eq!(changed, "emails/j changed\n");
    assert_eq!(show().await["data"], json!({"n": 2}));
    let until = ["jobs", "delay", "emails/j", "--until", "2100-01-01T00:00:00Z", "--json"];
    assert_eq!(pair.run(&until).await.json(), json!({"queue": "emails", "jobId": "j"}));
    assert_eq!(show().await["dueAt"], "2100-01-01T00:00:00.000Z");
    pair.run(&["jobs", "priority", "emails/j", "--to", "7"]).await.ok();
    pair.run(&["queues", "pause", "emails"]).await.ok();
    pair.run(&["jobs", "delay", "emails/j", "--by", "0s"]).await.ok();
    let job = show().await;
    assert_eq!((&job["opts"]["priority"], &job["state"]), (&json!(7), &json!("prioritized")));
    for wrong in [&["jobs", "update", "emails/j"][..], &["jobs", "delay", "emails/j"]] {
        assert_eq!(pair.run(wrong).await.code, Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn flows_are_added_and_looked_at() {
    let pair = Pair::start().await;
    let flow = r#"{"queue": "emails", "name": "n", "opts": {"jobId": "p"},
        "children": [{"queue": "tickets", "name": "n", "opts": {"jobId": "c", "delay": 3600000}}]}"#;
    std::fs::write(pair.bench.path("flow.json"), flow).unwrap();
    assert_eq!(pair.run(&["flows", "add", "flow.json"]).await.ok(), "emails/p\n  tickets/c\n");
    let again = pair.run(&["flows", "add", "flow.json", "--json"]).await.json();
    assert_eq!(again["children"][0]["duplicate"], true);
    let table = pair.run(&["jobs", "children", "emails", "p"]).await.ok();
    assert!(table.contains("tickets") && table.contains("pending"), "{table}");
    let absent = pair.run(&["flows", "add", "absent.json"]).await;
    assert!(absent.code == Some(1) && absent.err.contains("absent.json"), "{absent:?}");
}

#[tokio::test]
async fn queues_are_limited_and_their_keys_paused() {
    let pair = Pair::start().await;
    let limits = ["queues", "limits", "emails"];
    assert_eq!(pair.run(&limits).await.ok(), "nothing is limited\n");
    let limit = ["queues", "limit", "emails", "--rate", "100/1s", "--key-concurrency", "5"];
    let set = pair.run(&[&limit[..], &["--weight", "gold=3", "--json"]].concat()).await.json();
    let keys = json!({"concurrency": 5, "weights": {"gold": 3}});
    assert_eq!(set, json!({"rate": {"max": 100, "per": 1000}, "keys": keys}));
    assert_eq!(pair.run(&[&limits[..], &["--json"]].concat()).await.json(), set);
    let none = pair.run(&["queues", "limit", "emails", "--none"]).await;
    assert_eq!(none.ok(), "nothing is limited\n");
    assert_eq!(pair.run(&["queues", "limit", "emails"]).await.code, Some(2));
    let odd = pair.run(&["queues", "limit", "emails", "--concurrency", "0"]).await;
    assert!(odd.code == Some(1) && odd.err.contains("invalid-limits"), "{odd:?}");

    assert_eq!(pair.run(&["queues", "pause-key", "emails", "a"]).await.ok(), "paused\n");
    let keyed = json!({"name": "n", "opts": {"key": "a"}});
    pair.server.post("/api/v1/queues/emails/jobs", keyed).await;
    let listed = pair.run(&["queues", "keys", "emails", "--json"]).await.json();
    assert_eq!(listed["items"][0], json!({"key": "a", "waiting": 1, "active": 0, "paused": true}));
    assert!(pair.run(&["queues", "keys", "emails"]).await.ok().contains("paused"));
    assert_eq!(pair.run(&["queues", "resume-key", "emails", "a"]).await.ok(), "runs\n");
}

#[tokio::test]
async fn queues_are_watched() {
    let pair = Pair::start().await;
    let args =
        ["queues", "watch", "emails", "--event", "paused", "--event", "resumed", "--limit", "2"];
    let json = [&args[..], &["--json"]].concat();
    let steer = async || {
        // Until the watch has begun, nobody hears it.
        loop {
            pair.run(&["queues", "pause", "emails"]).await.ok();
            pair.run(&["queues", "resume", "emails"]).await.ok();
        }
    };
    let watched = tokio::select! {
        watched = async { (pair.run(&args).await.ok(), pair.run(&json).await.ok()) } => watched,
        () = steer() => unreachable!(),
    };
    assert!(watched.0.lines().all(|line| line.contains(" emails ")), "{}", watched.0);
    let line: serde_json::Value = serde_json::from_str(watched.1.lines().next().unwrap()).unwrap();
    assert_eq!(line["queue"], "emails");
    let unknown = pair.run(&["queues", "watch", "--event", "done"]).await;
    assert!(unknown.code == Some(1) && unknown.err.contains("completed"), "{unknown:?}");
}

#[tokio::test]
async fn schedules_are_set_and_steered() {
    let pair = Pair::start().await;
    let set = ["schedules", "set", "nightly", "--queue", "tickets", "--job", "sweep"];
    let cron = ["--cron", "0 3 * * *", "--time-zone", "Europe/Berlin", "--data", "{\"n\":1}"];
    let rest =
        ["--opts", "{\"attempts\":2}", "--catch-up", "all", "--start", "2100-01-01T00:00:00Z"];
    let told = pair.run(&[&set[..], &cron, &rest].concat()).await.ok();
    assert_eq!(told, "next run at 2100-01-01T02:00:00.000Z\n");
    let shown = pair.run(&["schedules", "show", "nightly", "--json"]).await.json();
    assert_eq!(shown["job"]["data"], json!({"n": 1}));
    assert_eq!(shown["catchUp"], "all");
    let table = pair.run(&["schedules"]).await.ok();
    assert!(
        table.contains("0 3 * * * Europe/Berlin") && table.contains("tickets/sweep"),
        "{table}"
    );

    assert_eq!(pair.run(&["schedules", "pause", "nightly"]).await.ok(), "paused\n");
    let listed = pair.run(&["schedules", "list", "--json"]).await.json();
    assert_eq!(listed["items"][0]["paused"], true);
    let resumed = pair.run(&["schedules", "resume", "nightly"]).await.ok();
    assert!(resumed.starts_with("next run at 2100"), "{resumed}");
    let id = pair.run(&["schedules", "run", "nightly"]).await.ok();
    assert!(id.starts_with("schedule:nightly:run:"), "{id}");
    assert_eq!(pair.run(&["schedules", "remove", "nightly"]).await.ok(), "removed\n");
    let gone = pair.run(&["schedules", "show", "nightly"]).await;
    assert!(gone.code == Some(1) && gone.err.contains("no-such-schedule"), "{gone:?}");

    pair.run(&[&set[..], &["--every", "10ms", "--limit", "1"]].concat()).await.ok();
    let ran = support::eventually("a run", async || {
        let shown = pair.run(&["schedules", "show", "nightly", "--json"]).await.json();
        Some(shown).filter(|shown| shown["runs"] == 1)
    });
    assert_eq!(ran.await["nextRun"], serde_json::Value::Null);
    let wrong = pair.run(&[&set[..], &["--cron", "0 25 * * *"]].concat()).await;
    assert!(wrong.code == Some(1) && wrong.err.contains("0 3 * * *"), "{wrong:?}");
    let both = pair.run(&[&set[..], &["--cron", "@daily", "--every", "1s"]].concat()).await;
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[tokio::test]
async fn a_configured_schedule_runs() {
    let toml = "[queues.chores]\n[schedules.pulse]\nevery = '10ms'\nlimit = 2\nqueue = 'chores'\njob = 'n'\n";
    let bench = Bench::default().file("eventyard.toml", toml);
    let server = bench.serve(&["serve", "--store", "memory://"]).await;
    support::eventually("two jobs", async || {
        let queue = server.get("/api/v1/queues/chores").await;
        Some(()).filter(|()| queue["counts"]["waiting"] == 2)
    })
    .await;
    let pulse = server.get("/api/v1/schedules/pulse").await;
    assert_eq!((&pulse["runs"], &pulse["nextRun"]), (&json!(2), &json!(null)));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let ran = Bench::default().run(&["queues", "--server", "http://127.0.0.1:1"]).await;
    assert_eq!(ran.code, Some(1));
    for told in ["http://127.0.0.1:1", "cannot be reached", "eventyard dev", "--server"] {
        assert!(ran.err.contains(told), "{}", ran.err);
    }
}

#[tokio::test]
async fn wrong_usage_is_another_failure() {
    for args in [&["publsh"][..], &["jobs", "list", "--state", "asleep"], &["jobs", "show"], &[]] {
        let ran = Bench::default().run(args).await;
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
    }
}

#[tokio::test]
async fn completions_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Bench::default().run(&["completions", shell]).await.ok();
        assert!(script.contains("eventyard") && script.contains("obliterate"), "{shell}");
    }
}

#[tokio::test]
async fn the_doctor_finds_what_is_wrong() {
    let bench = Bench::default();
    let well = bench.run(&["doctor", "--listen", "127.0.0.1:0"]).await.ok();
    for check in ["configuration", "address", "store", "disk latency", "disk space"] {
        let line = well.lines().find(|line| line[6..].starts_with(check));
        assert!(
            line.is_some_and(|line| line.starts_with("OK") || line.starts_with("WARN")),
            "{well}"
        );
    }
    assert!(
        well.contains("survives a crash of the process, of the system, and a power cut"),
        "{well}"
    );

    let unreachable = "channels.from = 'a@example.com'\nchannels.smtp = { host = '127.0.0.1', port = 1, tls = 'none' }";
    let bench = bench.file("ill.toml", unreachable);
    let ill =
        bench.run(&["doctor", "--config", "ill.toml", "--listen", "127.0.0.1:0", "--json"]).await;
    assert_eq!(ill.code, Some(1));
    let findings: serde_json::Value = serde_json::from_str(&ill.out).unwrap();
    assert_eq!(findings["ok"], false);
    let mail =
        findings["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "mail");
    assert_eq!(mail.unwrap()["level"], "FAIL");

    let bench = bench.file("bad.toml", "server.listn = 1");
    let bad = bench.run(&["doctor", "--config", "bad.toml"]).await;
    assert_eq!(bad.code, Some(1));
    assert!(bad.out.starts_with("FAIL") && bad.out.contains("`listen`"), "{bad:?}");
}
