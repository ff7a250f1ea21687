//! What clients may do at most.

use serde_json::{Value, json};

use crate::{
    client::Client,
    server::{Server, options},
};

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let mut options = options();
    options.limits.payload_bytes = 10_000;
    let server = Server::with(options).await;
    let mut ada = Client::of(&server, "ada").await;
    let mut bob = Client::of(&server, "bob").await;
    let project = |bytes: usize| json!({"projectId": "p", "text": "x".repeat(bytes)});
    assert_eq!(ada.ask("project:update", project(9_000)).await["ok"], true);
    let answer = ada.ask("project:update", project(11_000)).await;
    assert_eq!(answer["error"]["type"], "urn:eventyard:error:body-too-large", "{answer}");
    // What is much too large is not read at all.
    ada.tell(json!({"do": "emit", "event": "project:update", "args": [project(1_000_000)]})).await;
    ada.hears("disconnect").await;
    ada.hears("connect").await;
    server.to_everyone("all", &json!(1)).await;
    assert_eq!(bob.hears("all").await, 1);
}

#[tokio::test]
async fn a_flood_is_refused_and_then_cut_off() {
    let mut options = options();
    options.limits.messages_per_second = 5;
    options.limits.burst = 10;
    let server = Server::with(options).await;
    let mut ada = Client::of(&server, "ada").await;
    let mut bob = Client::of(&server, "bob").await;
    let said = json!({"projectId": "p"});
    ada.tell(json!({"do": "ask", "event": "project:update", "args": [said], "times": 20})).await;
    let mut refused = 0;
    for _ in 0..20 {
        let answer = ada.hears("answer").await;
        refused += usize::from(answer["ok"] == false);
        if answer["ok"] == false {
            assert_eq!(answer["error"]["type"], "urn:eventyard:error:too-many-requests");
        }
    }
    assert!((5..=10).contains(&refused), "{refused}");
    ada.tell(json!({"do": "emit", "event": "project:update", "args": [said], "times": 500})).await;
    let mut heard: Vec<Value> = Vec::new();
    while heard.last().is_none_or(|last| last["heard"] != "disconnect") {
        heard.push(ada.next().await);
    }
    assert!(heard.iter().any(|heard| heard["heard"] == "session:ended"), "{heard:?}");
    assert!(heard.len() < 150, "it is not answered for ever");
    assert_eq!(bob.ask("project:update", said).await["ok"], true);
}

#[tokio::test]
async fn a_user_has_so_many_connections() {
    let mut options = options();
    options.limits.connections_per_user = 2;
    let server = Server::with(options).await;
    let mut first = Client::of(&server, "ada").await;
    let _second = Client::of(&server, "ada").await;
    let auth = json!({"token": server.token("ada")});
    let mut third = Client::start(&server, &auth);
    let message = third.hears("connect_error").await;
    assert!(
        message.as_str().unwrap().starts_with("too-many-connections: the user has 2 connections"),
        "{message}"
    );
    let _other = Client::of(&server, "bob").await;
    first.drop_connection().await;
    let mut third = Client::start(&server, &auth);
    third.is_connected().await;
}

#[tokio::test]
async fn a_user_is_in_so_many_rooms() {
    let mut options = options();
    options.limits.rooms_per_user = 2;
    options.open_rooms = vec!["*".parse().unwrap()];
    let server = Server::with(options).await;
    let mut one = Client::of(&server, "ada").await;
    let mut two = Client::of(&server, "ada").await;
    assert_eq!(one.ask("room:join", json!("a")).await["ok"], true);
    assert_eq!(two.ask("room:join", json!("a")).await["ok"], true);
    assert_eq!(two.ask("room:join", json!("b")).await["ok"], true);
    let answer = one.ask("room:join", json!("c")).await;
    assert_eq!(answer["error"]["type"], "urn:eventyard:error:too-many-rooms", "{answer}");
    two.ask("room:leave", json!("b")).await;
    assert_eq!(one.ask("room:join", json!("c")).await["ok"], true);
}
