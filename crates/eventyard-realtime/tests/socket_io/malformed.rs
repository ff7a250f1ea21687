//! What no client sends: it ends its own connection and disturbs nobody.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::json;

use crate::{client::Client, server::Server};

/// A packet that is nearly one, or nothing of the kind.
fn packet() -> impl Strategy<Value = String> {
    let names =
        prop_oneof![Just("project:update"), Just("room:join"), Just("auth:refresh"), Just("")];
    let data = prop_oneof![
        Just("{}".to_owned()),
        Just("[".repeat(2000)),
        Just("[[[[[[]]]]]]".to_owned()),
        Just(r#"{"token":{"a":1}}"#.to_owned()),
        Just(r#"{"_placeholder":true,"num":99999999}"#.to_owned()),
        Just("1e999999".to_owned()),
        ".{0,40}",
    ];
    prop_oneof![
        ".{0,60}",
        (0..9_u8, "[0-9]{0,25}", names, data)
            .prop_map(|(kind, id, name, data)| format!("4{kind}{id}[\"{name}\",{data}]")),
        (0..60_000_u32, 0..3_u8).prop_map(|(n, ns)| format!("45{n}-/{ns},[\"x\"]")),
        Just("40{\"token\":\"a.b.c\"}".to_owned()),
        Just(format!("40{{\"token\":\"{}\"}}", "x".repeat(50_000))),
        Just("1\u{1e}2\u{1e}3\u{1e}".to_owned()),
        // Attachments: none that was announced, more than are let in, larger than is let in, no base64.
        Just("bAAAA".to_owned()),
        Just("49-[\"x\"]".to_owned()),
        Just(format!(
            "451-[\"x\",{{\"_placeholder\":true,\"num\":0}}]\u{1e}b{}",
            "A".repeat(150_000)
        )),
        Just("451-[\"x\",{\"_placeholder\":true,\"num\":0}]\u{1e}b!!".to_owned()),
    ]
}

#[tokio::test]
async fn malformed_packets_disturb_nobody() {
    let server = Server::start().await;
    let mut ada = Client::of(&server, "ada").await;
    let http = reqwest::Client::new();
    let base = format!("{}/socket.io/?EIO=4&transport=polling", server.url());
    let mut runner = TestRunner::deterministic();
    for round in 0..300 {
        let opened = http.get(&base).send().await.unwrap().text().await.unwrap();
        let opened: serde_json::Value = serde_json::from_str(&opened[1..]).unwrap();
        let url = format!("{base}&sid={}", opened["sid"].as_str().unwrap());
        if round % 2 == 0 {
            let connect = format!("40{}", json!({"token": server.token("eve")}));
            http.post(&url).body(connect).send().await.unwrap();
        }
        for _ in 0..3 {
            let packet = packet().new_tree(&mut runner).unwrap().current();
            let response = http.post(&url).body(packet.clone()).send().await.unwrap();
            assert!(response.status() != 500, "{packet:?}: {}", response.status());
        }
    }
    server.to_everyone("all", &json!("well")).await;
    assert_eq!(ada.hears("all").await, "well");
    assert_eq!(ada.ask("project:update", json!({"projectId": "p"})).await["ok"], true);
}
