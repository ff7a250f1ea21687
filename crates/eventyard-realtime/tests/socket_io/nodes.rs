//! Several nodes.

use std::sync::Arc;

use eventyard::model::transport::{MemoryBroker, MemoryOptions};
use eventyard_realtime::OverTransport;
use serde_json::json;

use crate::{
    client::Client,
    server::{Ground, Server, options},
};

#[tokio::test]
async fn a_user_is_reached_wherever_it_is_connected() {
    let ground = Ground::default();
    let here = Server::on(&ground, options(), |app| app.workers(false)).await;
    let there = Server::on(&ground, options(), |app| app).await;
    let mut ada = Client::of(&here, "ada").await;
    let mut twin = Client::of(&there, "ada").await;
    let mut bob = Client::of(&here, "bob").await;
    // The node that works on messages is not the one that ada is connected to.
    there.to_user("ada", "hello", &json!("you")).await;
    here.to_user("bob", "hello", &json!("bob")).await;
    for (client, said) in [(&mut ada, "you"), (&mut twin, "you"), (&mut bob, "bob")] {
        assert_eq!(client.hears("hello").await, said);
    }
    there.to_everyone("all", &json!(1)).await;
    for client in [&mut ada, &mut twin, &mut bob] {
        assert_eq!(client.hears("all").await, 1);
    }
}

#[tokio::test]
async fn whoever_comes_back_to_another_node_hears_what_it_missed() {
    let ground = Ground::default();
    let here = Server::on(&ground, options(), |app| app).await;
    let there = Server::on(&ground, options(), |app| app).await;
    let mut ada = Client::of(&here, "ada").await;
    let mut bob = Client::of(&there, "bob").await;
    here.to_user("ada", "n", &json!(0)).await;
    let heard = ada.next().await;
    ada.drop_connection().await;
    for n in 1..=3 {
        here.to_user("ada", "n", &json!(n)).await;
    }
    here.to_everyone("fence", &json!(null)).await;
    bob.hears("fence").await;
    let auth = json!({"token": there.token("ada"), "lastId": heard["id"]});
    let mut back = Client::start(&there, &auth);
    back.hears("connect").await;
    for n in 1..=3 {
        assert_eq!(back.hears("n").await, n);
    }
    back.hears("fence").await;
}

#[tokio::test]
async fn a_server_that_stops_lets_its_clients_come_back() {
    let server = Server::start().await;
    let mut ada = Client::of(&server, "ada").await;
    server.realtime.close().await;
    let reason = ada.hears("disconnect").await;
    assert!(reason == "transport close" || reason == "transport error", "{reason}");
    assert_eq!(server.realtime.connections(), 0);
}

#[tokio::test]
async fn a_broker_joins_nodes_and_a_gap_is_told() {
    let ground = Ground::default();
    let broker = MemoryBroker::new(Arc::clone(&ground.clock), MemoryOptions::default());
    let node = async |name: &str| {
        let transport = Arc::new(broker.transport(name));
        let relay = OverTransport::new(transport, Arc::clone(&ground.clock)).unwrap();
        let ground = Ground { relay: Arc::new(relay), ..ground.clone() };
        Server::on(&ground, options(), |app| app).await
    };
    let (here, there) = (node("here").await, node("there").await);
    let mut ada = Client::of(&here, "ada").await;
    there.to_user("ada", "n", &json!(1)).await;
    assert_eq!(ada.hears("n").await, 1);
    broker.interrupt();
    assert_eq!(ada.hears("replay:incomplete").await, json!({"reason": "missed"}));
    there.to_user("ada", "n", &json!(2)).await;
    assert_eq!(ada.hears("n").await, 2);
}
