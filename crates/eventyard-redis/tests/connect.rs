//! Connections to a real server: made again after a restart, a crash and a failover; over TLS; refused.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod server;

use std::time::Duration;

use eventyard_core::StoreErrorKind;
use eventyard_redis::connect::{Address, Connections, Options, Shared};
use redis::Cmd;
use server::RedisServer;

const SOON: Duration = Duration::from_secs(20);

fn connections(url: &str) -> Connections {
    Connections::new(url.parse().unwrap(), Options { patience: SOON, ..Options::default() })
}

/// Asks until the answer comes: a command that was under way when the connection was lost fails once.
async fn persist(to: &mut Shared, command: &Cmd) -> String {
    let asked = async {
        loop {
            if let Ok(answer) = command.query_async(to).await {
                return answer;
            }
        }
    };
    tokio::time::timeout(SOON, asked).await.expect("redis answers in time")
}

#[tokio::test]
async fn the_shared_connection_outlives_restarts_and_crashes() {
    let mut server = RedisServer::start();
    let mut shared = connections(&server.url()).shared();
    let set = |value: &str| Cmd::set("k", value);
    persist(&mut shared, &set("1")).await;
    assert_eq!(shared.generation(), 1);
    server.restart();
    assert_eq!(persist(&mut shared, &Cmd::get("k")).await, "1");
    server.kill();
    let waiting = tokio::spawn({
        let mut shared = shared.clone();
        async move { persist(&mut shared, &Cmd::get("k")).await }
    });
    server.restart();
    assert_eq!(waiting.await.unwrap(), "1");
    assert!(shared.generation() >= 3, "each connection has a number of its own");
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_once_patience_ends() {
    let address: Address = format!("redis://127.0.0.1:{}", server::free_port()).parse().unwrap();
    let patience = Duration::from_millis(200);
    let connections = Connections::new(address, Options { patience, ..Options::default() });
    let error = connections.shared().connect().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.is_retryable(), "{error}");
    assert!(error.to_string().contains("redis://127.0.0.1:"), "it says where: {error}");
}

#[tokio::test]
async fn a_wrong_password_is_told_at_once_and_not_shown() {
    let server = RedisServer::start_with(&["requirepass right"]);
    let check = async |url: String, part: &str| {
        let error = connections(&url).shared().connect().await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert!(!error.contains("guess"), "{error}");
    };
    let port = server.port();
    check(format!("redis://:guess@127.0.0.1:{port}"), "refuses the user or the password").await;
    check(format!("redis://127.0.0.1:{port}"), "asks for a password").await;
    let right = connections(&format!("redis://:right@127.0.0.1:{port}"));
    right.shared().connect().await.unwrap();
    right.dedicated(None).await.unwrap();
    right.pubsub().await.unwrap();
}

#[tokio::test]
async fn a_dedicated_connection_waits_as_long_as_it_takes_and_has_a_name() {
    let server = RedisServer::start();
    let options = Options { response_timeout: Duration::from_millis(100), ..Options::default() };
    let connections = Connections::new(server.url().parse().unwrap(), options);
    let mut blocking = connections.dedicated(Some("worker:emails")).await.unwrap();
    assert!(server.command("CLIENT LIST").contains("name=worker:emails"));
    // Longer than the limit on the shared connection.
    let mut pop = redis::cmd("BLPOP");
    let waited = pop.arg("list").arg(0.3).query_async::<Option<Vec<String>>>(&mut blocking).await;
    assert_eq!(waited.unwrap(), None);
}

#[tokio::test]
async fn a_failover_by_sentinel_is_followed() {
    let mut master = RedisServer::start();
    let follows = format!("replicaof 127.0.0.1 {}", master.port());
    let replica = RedisServer::start_with(&[&follows, "repl-diskless-sync-delay 0"]);
    let sentinel = RedisServer::start_sentinel("main", &master);
    let url = format!("redis+sentinel://127.0.0.1:{}/main/0", sentinel.port());
    let mut shared = connections(&url).shared();
    persist(&mut shared, &Cmd::set("k", "1")).await;
    // The replica must have it, and Sentinel must know the replica, before the master may go.
    let until = async |done: &dyn Fn() -> bool| {
        let asked = async {
            while !done() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, asked).await.expect("it happens in time");
    };
    until(&|| replica.command("GET k").contains('1')).await;
    let known = || sentinel.command("SENTINEL MASTER main").contains("num-slaves\r\n$1\r\n1");
    until(&known).await;
    master.kill();
    assert_eq!(persist(&mut shared, &Cmd::set("k", "2")).await, "OK");
    assert!(replica.command("GET k").contains('2'), "the new master has it");
}

#[tokio::test]
async fn an_unknown_master_is_named() {
    let master = RedisServer::start();
    let sentinel = RedisServer::start_sentinel("main", &master);
    let url = format!("redis+sentinel://127.0.0.1:{}/other", sentinel.port());
    let options = Options { patience: Duration::from_millis(200), ..Options::default() };
    let connections = Connections::new(url.parse().unwrap(), options);
    let error = connections.shared().connect().await.unwrap_err().to_string();
    assert!(error.contains("knows no master `other`"), "{error}");
}

#[tokio::test]
async fn over_tls_with_the_certificate_that_is_trusted() {
    let issued = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let certificate = file("cert.pem", issued.cert.pem());
    let key = file("key.pem", issued.signing_key.serialize_pem());
    let port = server::free_port();
    let lines = [
        format!("tls-port {port}"),
        format!("tls-cert-file {certificate}"),
        format!("tls-key-file {key}"),
        format!("tls-ca-cert-file {certificate}"),
        "tls-auth-clients no".to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let _server = RedisServer::start_with(&lines);
    let trusting = connections(&format!("rediss://127.0.0.1:{port}/0?tls-ca={certificate}"));
    let mut shared = trusting.shared();
    assert_eq!(persist(&mut shared, &Cmd::set("k", "1")).await, "OK");
    trusting.dedicated(None).await.unwrap();
    trusting.pubsub().await.unwrap();
    let address = format!("rediss://127.0.0.1:{port}").parse().unwrap();
    let patience = Duration::from_millis(500);
    let careful = Connections::new(address, Options { patience, ..Options::default() });
    careful.shared().connect().await.expect_err("nobody vouches for the certificate");
}

#[tokio::test]
async fn a_cluster_is_reached_and_a_key_leads_to_its_node() {
    let server = RedisServer::start_with(&["cluster-enabled yes"]);
    server.command("CLUSTER ADDSLOTSRANGE 0 16383");
    let connections = connections(&format!("redis+cluster://127.0.0.1:{}", server.port()));
    let mut shared = connections.shared();
    assert_eq!(persist(&mut shared, &Cmd::set("k", "1")).await, "OK");
    let mut home = connections.dedicated_to("k", None).await.unwrap();
    assert_eq!(Cmd::get("k").query_async::<String>(&mut home).await.unwrap(), "1");
}
