//! What handlers and routes send.

use eventyard::{Context, JobError, JobRequest, Json, route::Pattern};
use eventyard_realtime::{Message, Route, SendToClients};
use serde_json::{Value, json};

use crate::{
    client::Client,
    server::{Ground, Server, options, token},
};

/// Sends what it is told to, and fails if it is told to.
async fn work(told: Json<Value>, cx: Context) -> Result<(), JobError> {
    cx.send_to_user("ada", "to:user", &*told)?;
    cx.send_to_room("lobby", "to:room", &*told)?;
    cx.broadcast("to:all", &*told)?;
    if told["fail"] == true {
        return Err(JobError::dead_letter("as told"));
    }
    Ok(())
}

#[tokio::test]
async fn each_hears_what_is_for_it_and_only_if_the_job_succeeds() {
    let ground = Ground::default();
    let server = Server::on(&ground, options(), |app| app.handle("work", work)).await;
    let claims = |user: &str| json!({"userId": user, "exp": 4_102_444_800_i64, "rooms": ["lobby"]});
    let mut ada = Client::of(&server, "ada").await;
    let mut bob = Client::start(&server, &json!({"token": token(&claims("bob"))}));
    bob.is_connected().await;
    let mut eve = Client::of(&server, "eve").await;
    for (n, fail) in [(1, false), (2, true), (3, false)] {
        let job = JobRequest::new("work", "it").data(&json!({"n": n, "fail": fail})).unwrap();
        server.yard.enqueue(job).await.unwrap();
    }
    // The first job's messages leave together with its end, so they are one after the other; those of the second
    // never leave. Two jobs run side by side: which of them is heard first is open.
    for (client, own) in [(&mut ada, "to:user"), (&mut bob, "to:room"), (&mut eve, "")] {
        let mut heard: Vec<(i64, String)> = Vec::new();
        for _ in 0..if own.is_empty() { 2 } else { 4 } {
            let message = client.next().await;
            heard.push((message["data"]["n"].as_i64().unwrap(), message["heard"].to_string()));
        }
        heard.sort();
        let each = |n: i64| ["to:all", own].map(|name| (n, format!("\"{name}\"")));
        let expected: Vec<_> =
            [1, 3].into_iter().flat_map(each).filter(|(_, name)| name != "\"\"").collect();
        assert_eq!(heard, expected);
    }
}

#[tokio::test]
async fn messages_come_in_order_and_once() {
    let server = Server::start().await;
    let mut ada = Client::of(&server, "ada").await;
    let message = |n: u32| Message::to_user("ada", "n", &n).unwrap().into_job().unwrap();
    let id = |job: JobRequest, n: u32| job.id(format!("m-{n}").parse().unwrap());
    let jobs = (0..500).map(|n| id(message(n), n)).collect();
    server.yard.enqueue_all(jobs).await.unwrap();
    for n in 0..500 {
        let heard = ada.next().await;
        assert_eq!((&heard["data"], &heard["id"]), (&json!(n), &json!(format!("m-{n}"))));
    }
}

#[tokio::test]
async fn events_go_to_rooms() {
    let mut options = options();
    let route = |pattern: &str, room: &str, event: Option<&str>| Route {
        pattern: Pattern::new(pattern).unwrap(),
        room: (!room.is_empty()).then(|| room.parse().unwrap()),
        event: event.map(str::to_owned),
    };
    options.routes = vec![
        route("order.*", "user:{data.userId}", None),
        route("order.paid", "shop:{data.shop}", Some("sale")),
        route("news.#", "", Some("news")),
    ];
    options.open_rooms = vec!["shop:*".parse().unwrap()];
    let server = Server::with(options).await;
    let mut ada = Client::of(&server, "ada").await;
    let auth = json!({"token": server.token("bob"), "rooms": ["shop:7"]});
    let mut bob = Client::start(&server, &auth);
    bob.is_connected().await;
    let publish = async |kind: &str, data: Value| {
        let event =
            eventyard::Envelope::new(kind, "test", server.yard.clock().now(), data.to_string());
        server.yard.publish(event).await.unwrap();
    };
    publish("order.paid", json!({"userId": "ada", "shop": 7})).await;
    assert_eq!(ada.hears("order.paid").await, json!({"userId": "ada", "shop": 7}));
    assert_eq!(bob.hears("sale").await["userId"], "ada");
    // It lacks a shop, and goes to its user all the same.
    publish("order.paid", json!({"userId": "bob"})).await;
    assert_eq!(bob.hears("order.paid").await["userId"], "bob");
    publish("news.today", json!("hi")).await;
    assert_eq!(ada.hears("news").await, "hi");
    assert_eq!(bob.hears("news").await, "hi");
}
