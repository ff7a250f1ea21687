//! What clients say.

use eventyard::model::{PageAsk, inspect::EventFilter};
use serde_json::{Value, json};

use crate::{client::Client, server::Server};

#[tokio::test]
async fn what_a_client_says_becomes_an_event_under_its_user() {
    let server = Server::start().await;
    let mut ada = Client::of(&server, "ada").await;
    let mut ids = Vec::new();
    for (name, said) in [
        ("project:update", json!({"projectId": "p-1", "title": "Bridge"})),
        (
            "simulation:start",
            json!({"projectId": "p-1", "simulationType": "load", "userId": "ada"}),
        ),
    ] {
        let answer = ada.ask(name, said).await;
        assert_eq!(answer["ok"], true, "{answer}");
        ids.push(answer["eventId"].as_str().unwrap().to_owned());
    }
    for (id, kind) in ids.iter().zip(["project.updated", "simulation.started"]) {
        let event = server.yard.inspect().event(&id.parse().unwrap()).await.unwrap().unwrap();
        let data: Value = serde_json::from_slice(&event.data).unwrap();
        assert_eq!((event.kind.as_str(), &data["userId"]), (kind, &json!("ada")));
        assert_eq!(
            (&data["projectId"], &event.extensions["userid"]),
            (&json!("p-1"), &json!("ada"))
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_and_goes_nowhere() {
    let server = Server::start().await;
    let mut ada = Client::of(&server, "ada").await;
    for (name, said, code, field) in [
        ("project:update", json!({"title": "x"}), "invalid-event", "data.projectId"),
        ("project:update", json!({"projectId": 7}), "invalid-event", "data.projectId"),
        ("simulation:start", json!({"projectId": ""}), "invalid-event", "data.projectId"),
        ("project:update", json!("text"), "invalid-body", "data"),
        ("project:update", json!({"projectId": "p", "userId": "bob"}), "forbidden", "data.userId"),
        ("project:delete", json!({"projectId": "p"}), "unknown-message", ""),
    ] {
        let answer = ada.ask(name, said.clone()).await;
        assert_eq!(answer["ok"], false);
        assert_eq!(answer["error"]["type"], format!("urn:eventyard:error:{code}"), "{said}");
        assert_eq!(answer["error"]["errors"][0]["field"].as_str().unwrap_or_default(), field);
        // The same without an acknowledgement.
        ada.tell(json!({"do": "emit", "event": name, "args": [said]})).await;
        assert_eq!(ada.hears("error").await, answer["error"]);
    }
    let events = server.yard.inspect().events(EventFilter::default(), PageAsk::first(1)).await;
    assert_eq!(events.unwrap().items, []);
}

#[tokio::test]
async fn rooms_are_entered_if_they_are_open() {
    let mut options = crate::server::options();
    options.open_rooms = vec!["project:*".parse().unwrap()];
    let server = Server::with(options).await;
    let mut ada = Client::of(&server, "ada").await;
    for room in ["secret", "user:bob", "user:ada"] {
        let answer = ada.ask("room:join", json!({"room": room})).await;
        assert_eq!(answer["error"]["type"], "urn:eventyard:error:forbidden", "{room}");
    }
    assert_eq!(ada.ask("room:join", json!("project:1")).await, json!({"ok": true}));
    server.send(eventyard_realtime::Message::to_room("project:2", "change", &2)).await;
    server.send(eventyard_realtime::Message::to_room("project:1", "change", &1)).await;
    assert_eq!(ada.hears("change").await, 1);
    assert_eq!(ada.ask("room:leave", json!({"room": "project:1"})).await, json!({"ok": true}));
    server.send(eventyard_realtime::Message::to_room("project:1", "change", &1)).await;
    server.to_user("ada", "fence", &json!(null)).await;
    ada.hears("fence").await;

    let asks = json!({"token": server.token("bob"), "rooms": ["secret"]});
    let message = Client::start(&server, &asks).hears("connect_error").await;
    assert_eq!(message, "forbidden: the room `secret` is not open to this user");
}
