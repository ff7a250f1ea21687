//! Processes that are joined by a broker: two by pub/sub, three that share a stream, one of them killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![allow(dead_code, reason = "what is shared with other tests is used in part")]

#[path = "../../eventyard-redis/tests/server/mod.rs"]
mod redis;
mod support;

use std::collections::BTreeSet;

use redis::RedisServer;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Bench, Server, eventually};

fn bench(config: &str) -> Bench {
    Bench::default().file("e.toml", config)
}

async fn serve(bench: &Bench) -> Server {
    bench.serve(&["serve", "--config", "e.toml"]).await
}

async fn publish(to: &Server, order: u32) -> String {
    let event = json!({"name": "order.paid", "data": {"order": order}});
    let answer = to.post("/api/v1/events", event).await;
    answer["eventId"].as_str().unwrap().to_owned()
}

/// Waits until a server has an event; returns it.
async fn has(server: &Server, event: &str) -> Value {
    let path = format!("/api/v1/events/{event}");
    eventually(&format!("{event} arrives"), async || {
        let (status, event) = server.call(Method::GET, &path, None).await;
        (status == StatusCode::OK).then_some(event)
    })
    .await
}

/// The ids of all events that a server has.
async fn events(server: &Server) -> BTreeSet<String> {
    let page = server.get("/api/v1/events?limit=1000").await;
    let items = page["items"].as_array().unwrap();
    let ids: Vec<_> = items.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    let distinct: BTreeSet<_> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len(), "no event is there twice");
    distinct
}

#[tokio::test]
async fn two_processes_hear_each_other_over_pub_sub() {
    let mut redis = RedisServer::start();
    let benches = [Bench::default(), Bench::default()];
    let url = redis.url();
    let args = ["serve", "--pubsub", &url];
    let (a, b) = (benches[0].serve(&args).await, benches[1].serve(&args).await);
    // Both listen once one has heard what the other said.
    eventually("they hear each other", async || {
        publish(&a, 0).await;
        publish(&b, 0).await;
        let (at_a, at_b) = (events(&a).await.len(), events(&b).await.len());
        (at_a == at_b && at_a > 1).then_some(())
    })
    .await;
    let from_a = publish(&a, 1).await;
    let from_b = publish(&b, 2).await;
    assert_eq!(has(&b, &from_a).await["data"]["order"], 1);
    assert_eq!(has(&a, &from_b).await["data"]["order"], 2);

    let foreign = r#"{"id":"evt-1","name":"user.registered","data":{"userId":"u1"},"timestamp":"2026-01-01T00:00:00Z","source":"users"}"#;
    redis.command(&format!("PUBLISH events '{foreign}'"));
    for server in [&a, &b] {
        assert_eq!(has(server, "evt-1").await["source"], "users");
    }

    redis.restart();
    eventually("the gap is told", async || {
        b.said().contains("messages may have been missed").then_some(())
    })
    .await;
    eventually("they hear each other again", async || {
        let event = publish(&a, 3).await;
        let path = format!("/api/v1/events/{event}");
        let heard = eventually_soon(async || b.call(Method::GET, &path, None).await.0 == 200).await;
        heard.then_some(())
    })
    .await;
    a.stop().await;
    b.stop().await;
}

/// Looks a few times.
async fn eventually_soon(mut done: impl AsyncFnMut() -> bool) -> bool {
    for _ in 0..50 {
        if done().await {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn three_processes_share_a_stream_and_one_is_killed() {
    let redis = RedisServer::start();
    let url = redis.url();
    let place = format!("[transports.shop]\nkind = \"streams\"\nurl = \"{url}\"\n");
    let sender = bench(&format!("{place}send = [\"order.*\"]\n"));
    let receives = format!(
        "events.source = \"workers\"\n{place}receive = [\"order.*\"]\nclaim-after = \"1s\"\n"
    );
    let sender = serve(&sender).await;
    let benches = [bench(&receives), bench(&receives), bench(&receives)];
    let [a, b, mut c] =
        [serve(&benches[0]).await, serve(&benches[1]).await, serve(&benches[2]).await];
    let mut sent = BTreeSet::new();
    for order in 0..200 {
        sent.insert(publish(&sender, order).await);
        if order == 100 {
            c.signal("KILL");
            c.ended().await;
        }
    }
    // What the killed one had stored is still there when it comes back; what it only held, others have.
    let c = serve(&benches[2]).await;
    eventually("all are handled", async || {
        let mut handled = events(&a).await;
        handled.extend(events(&b).await);
        handled.extend(events(&c).await);
        handled.is_superset(&sent).then_some(())
    })
    .await;
    eventually("none is pending", async || {
        let report = benches[0].run(&["doctor", "--config", "e.toml"]).await.out;
        report.contains("group workers has 0 events to read and 0 in hand").then_some(())
    })
    .await;
    for server in [sender, a, b, c] {
        server.stop().await;
    }
}

#[tokio::test]
async fn doctor_tells_how_transports_do() {
    let redis = RedisServer::start();
    let bench = bench(&format!(
        "[transports.shop]\nkind = \"streams\"\nurl = \"{}\"\nreceive = [\"#\"]\n\
         [transports.gone]\nkind = \"pubsub\"\nurl = \"redis://127.0.0.1:{}\"\nreceive = [\"#\"]\n",
        redis.url(),
        redis::free_port(),
    ));
    for command in ["XGROUP CREATE events workers 0 MKSTREAM", "XADD events * name n data 1"] {
        redis.command(command);
    }
    redis.command("XADD events.dlq * colour red");
    let ran = bench.run(&["doctor", "--config", "e.toml"]).await;
    assert_eq!(ran.code, Some(1), "one broker is away: {ran:?}");
    for line in [
        "FAIL  transport      gone (redis-pubsub): ",
        "OK    transport      shop (redis-streams): redis answers",
        "OK    transport      shop: group workers has 1 events to read and 0 in hand of 0 consumers",
        "WARN  transport      shop: 1 entries are in the stream of dead letters",
    ] {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
}

#[tokio::test]
async fn a_transport_that_makes_no_sense_is_refused_with_the_place() {
    let check = async |transport: &str, problem: &str| {
        let bench = bench(&format!("[transports.shop]\n{transport}\n"));
        let ran = bench.run(&["config", "check", "e.toml"]).await;
        assert_ne!(ran.code, Some(0), "{transport}");
        // The text is broken into lines.
        let told =
            ran.err.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(told.contains(problem), "{transport}: {}", ran.err);
    };
    let redis = "url = \"redis://localhost\"\nsend = [\"#\"]";
    check("kind = \"carrier-pigeon\"", "pubsub").await;
    check("kind = \"pubsub\"\nsend = [\"#\"]", "transports.shop has no url").await;
    check(
        "kind = \"pubsub\"\nurl = \"redis://:6379\"\nsend = [\"#\"]",
        "transports.shop.url is not understood",
    )
    .await;
    check("kind = \"pubsub\"\nurl = \"redis://h\"", "neither sends nor receives").await;
    check(
        "kind = \"pubsub\"\nurl = \"redis://h\"\nsend = [\"a*\"]",
        "transports.shop.send[0] is no pattern",
    )
    .await;
    check(
        &format!("kind = \"pubsub\"\n{redis}\ngroup = \"g\""),
        "transports.shop.group does not belong",
    )
    .await;
    check(
        &format!("kind = \"streams\"\n{redis}\nchannel = \"c\""),
        "transports.shop.channel does not belong",
    )
    .await;
    check(&format!("kind = \"streams\"\n{redis}\nclaim-after = \"5ms\""), "less than a second")
        .await;
    check(
        &format!("kind = \"pubsub\"\n{redis}\n[transports.other]\nkind = \"pubsub\"\n{redis}"),
        "leads to the same place as another",
    )
    .await;
}
