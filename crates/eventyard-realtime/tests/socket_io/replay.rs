//! What those hear who come back.

use eventyard_realtime::Window;
use serde_json::{Value, json};

use crate::{
    client::Client,
    server::{Server, options},
};

#[tokio::test]
async fn whoever_comes_back_hears_what_it_missed() {
    let server = Server::start().await;
    let mut ada = Client::of(&server, "ada").await;
    let mut bob = Client::of(&server, "bob").await;
    server.to_user("ada", "n", &json!(0)).await;
    ada.hears("n").await;
    ada.drop_connection().await;
    for n in 1..=300 {
        server.to_user("ada", "n", &json!(n)).await;
        server.to_user("bob", "other", &json!(n)).await;
    }
    server.to_everyone("all", &json!("news")).await;
    for n in 1..=300 {
        assert_eq!(bob.hears("other").await, n);
    }
    bob.hears("all").await;
    ada.come_back().await;
    for n in 1..=300 {
        assert_eq!(ada.hears("n").await, n);
    }
    assert_eq!(ada.hears("all").await, "news");
    ada.is_told_where_it_is().await;
    // Nothing comes twice: the next thing is new.
    server.to_user("ada", "n", &json!("new")).await;
    assert_eq!(ada.hears("n").await, "new");
}

#[tokio::test]
async fn whoever_heard_nothing_is_told_where_it_is() {
    let server = Server::start().await;
    let mut ada = Client::of(&server, "ada").await;
    ada.drop_connection().await;
    server.to_user("ada", "n", &json!(1)).await;
    server.to_everyone("fence", &json!(null)).await;
    ada.come_back().await;
    assert_eq!(ada.hears("n").await, 1);
    ada.hears("fence").await;
}

#[tokio::test]
async fn what_is_no_longer_known_is_said_to_be() {
    let mut options = options();
    options.window = Window { messages: 10, ..Window::default() };
    let server = Server::with(options).await;
    let mut ada = Client::of(&server, "ada").await;
    let mut bob = Client::of(&server, "bob").await;
    ada.drop_connection().await;
    for n in 0..30 {
        server.to_everyone("n", &json!(n)).await;
    }
    for n in 0..30 {
        assert_eq!(bob.hears("n").await, n);
    }
    ada.come_back().await;
    assert_eq!(ada.hears("replay:incomplete").await, json!({"reason": "forgotten"}));
    // What is known follows.
    for n in 20..30 {
        assert_eq!(ada.hears("n").await, n);
    }
    let unknown = json!({"token": server.token("eve"), "lastId": "of another time"});
    let mut eve = Client::start(&server, &unknown);
    eve.hears("connect").await;
    assert_eq!(eve.hears("replay:incomplete").await, json!({"reason": "forgotten"}));
}

#[tokio::test]
async fn a_slow_client_misses_nothing_and_holds_up_nobody() {
    let mut options = options();
    options.limits.buffer = 16;
    let server = Server::with(options).await;
    // One that polls takes nothing between two requests, and is fed from what is remembered.
    let auth = json!({"token": server.token("ada")});
    let mut slow = Client::with(&server.url(), &json!({"auth": auth, "transports": ["polling"]}));
    slow.is_connected().await;
    let mut fast = Client::of(&server, "bob").await;
    let text: Value = "x".repeat(1000).into();
    for n in 0..2000 {
        let message = eventyard_realtime::Message::to_everyone("n", &json!([n, text])).unwrap();
        server.realtime.send([message]).await.unwrap();
    }
    for client in [&mut fast, &mut slow] {
        for n in 0..2000 {
            assert_eq!(client.hears("n").await[0], n);
        }
    }
}
