//! Socket.IO of the real binary: alone, and as two nodes that a Redis joins.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![allow(dead_code, reason = "what is shared with other tests is used in part")]

#[path = "../../eventyard-realtime/tests/socket_io/client.rs"]
mod client;
#[path = "../../eventyard-redis/tests/server/mod.rs"]
mod redis;
mod support;

use client::Client;
use jsonwebtoken::{EncodingKey, Header, encode};
use redis::RedisServer;
use serde_json::{Value, json};
use support::{Bench, Server};

const SECRET: &str = "the secret of these tests, long enough";

/// Orders go to the room of their user.
const ROUTES: &str = r#"
[[realtime.routes]]
type = "order.*"
room = "user:{data.userId}"
"#;

fn token(user: &str) -> Value {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let claims = json!({"userId": user, "exp": 4_102_444_800_i64});
    json!({"token": encode(&Header::default(), &claims, &key).unwrap()})
}

async fn publish(server: &Server, user: &str, order: u32) {
    let event = json!({"name": "order.paid", "data": {"userId": user, "order": order}});
    server.post("/api/v1/events", event).await;
}

#[tokio::test]
async fn it_is_on_with_a_secret_and_off_without() {
    let without = Bench::default();
    let server = without.serve(&["serve"]).await;
    let (status, _) = server.call(reqwest::Method::GET, "/socket.io/?EIO=4", None).await;
    assert_eq!(status, 404);
    server.stop().await;

    let forced = Bench::default().file("e.toml", "realtime.enabled = true\n");
    let ran = forced.run(&["serve", "--config", "e.toml", "--listen", "127.0.0.1:0"]).await;
    assert_ne!(ran.code, Some(0));
    assert!(ran.err.contains("realtime.jwt.secret is missing; set JWT_SECRET"), "{}", ran.err);
}

#[tokio::test]
async fn a_user_hears_of_its_orders_until_the_server_stops() {
    let bench = Bench::default()
        .variable("JWT_SECRET", SECRET)
        .variable("FRONTEND_URL", "https://app.example.com/")
        .file("e.toml", ROUTES);
    let server = bench.serve(&["serve", "--config", "e.toml"]).await;
    let mut ada = Client::following(&server.url, &token("ada"));
    ada.is_connected().await;
    let mut bob = Client::following(&server.url, &token("bob"));
    bob.is_connected().await;
    let mut nobody = Client::following(&server.url, &json!({}));
    let why = nobody.hears("connect_error").await;
    assert!(why.as_str().unwrap().starts_with("unauthenticated: there is no token"), "{why}");
    publish(&server, "ada", 1).await;
    publish(&server, "bob", 2).await;
    assert_eq!(ada.hears("order.paid").await["order"], 1);
    assert_eq!(bob.hears("order.paid").await["order"], 2);
    let answer = ada.ask("project:update", json!({"projectId": "p-1"})).await;
    let event = answer["eventId"].as_str().unwrap();
    let event = server.get(&format!("/api/v1/events/{event}")).await;
    assert_eq!(
        (&event["type"], &event["data"]["userId"]),
        (&json!("project.updated"), &json!("ada"))
    );
    let page = reqwest::Client::new()
        .get(format!("{}/socket.io/?EIO=4&transport=polling", server.url))
        .header("origin", "https://app.example.com");
    let page = page.send().await.unwrap();
    assert_eq!(page.headers()["access-control-allow-origin"], "https://app.example.com");
    server.stop().await;
    ada.hears("disconnect").await;
}

#[tokio::test]
async fn redis_joins_nodes_and_is_found_again() {
    let mut redis = RedisServer::start();
    let relay = format!("realtime.relay.url = \"{}\"\n{ROUTES}", redis.url());
    let bench = || Bench::default().variable("JWT_SECRET", SECRET).file("e.toml", &relay);
    let (one, two) = (bench(), bench());
    let here = one.serve(&["serve", "--config", "e.toml"]).await;
    let there = two.serve(&["serve", "--config", "e.toml"]).await;
    let mut ada = Client::following(&here.url, &token("ada"));
    ada.is_connected().await;
    publish(&there, "ada", 1).await;
    assert_eq!(ada.hears("order.paid").await["order"], 1);
    redis.stop();
    // It is on the queue of the node until the others can be told.
    publish(&there, "ada", 2).await;
    redis.restart();
    // Whether the message comes before this node listens again is open; that one may be missing is told.
    let mut heard = ada.next().await;
    while heard["heard"] != "replay:incomplete" {
        heard = ada.next().await;
    }
    publish(&there, "ada", 3).await;
    while heard["data"]["order"] != 3 {
        heard = ada.next().await;
    }
    here.stop().await;
    there.stop().await;
}
