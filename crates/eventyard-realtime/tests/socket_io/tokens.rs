//! Who may connect, and for how long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, routing::get};
use eventyard::model::{Clock, ManualClock, MemoryStore, SystemClock};
use eventyard_realtime::{Keys, Policy};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    client::Client,
    server::{Ground, SECRET, Server, in_secs, options, token},
};

/// A token that nobody signed: `alg` is `none`.
const UNSIGNED: &str =
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJ1c2VySWQiOiJhZGEiLCJleHAiOjQxMDI0NDQ4MDB9.";

#[tokio::test]
async fn a_client_is_let_in_by_its_token_alone() {
    let mut options = options();
    options.policy.issuer = Some("https://id.example.com".to_owned());
    options.policy.audience = vec!["eventyard".to_owned()];
    let server = Server::with(options).await;
    let good = json!({
        "userId": "ada", "exp": in_secs(60), "iss": "https://id.example.com", "aud": ["x", "eventyard"],
    });
    let but = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        if claims[claim].is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        }
        json!({"token": token(&claims)})
    };
    let other_secret = EncodingKey::from_secret(b"another secret");
    let other_algorithm = EncodingKey::from_secret(SECRET.as_bytes());
    for (auth, expected) in [
        (json!({"token": token(&good)}), ""),
        (but("sub", json!("bob")), ""),
        (json!({}), "unauthenticated: there is no token; send a JWT as `auth.token`"),
        (json!({"token": 7}), "unauthenticated: there is no token"),
        (json!({"token": "a.b.c"}), "unauthenticated: the token is no signed JWT"),
        (json!({"token": UNSIGNED}), "unauthenticated: the token is no signed JWT"),
        (
            json!({"token": encode(&Header::default(), &good, &other_secret).unwrap()}),
            "unauthenticated: the token's signature is wrong",
        ),
        (
            json!({"token": encode(&Header::new(Algorithm::HS512), &good, &other_algorithm).unwrap()}),
            "unauthenticated: the token is signed by HS512, which is not accepted here",
        ),
        (but("exp", json!(in_secs(-1))), "unauthenticated: the token ended at "),
        (but("exp", Value::Null), "unauthenticated: the token has no `exp`; it must end"),
        (but("nbf", json!(in_secs(60))), "unauthenticated: the token holds from "),
        (
            but("iss", json!("https://evil.example")),
            "unauthenticated: the token is of another issuer",
        ),
        (but("iss", Value::Null), "unauthenticated: the token is of another issuer"),
        (but("aud", json!("others")), "unauthenticated: the token is for another audience"),
        (but("aud", Value::Null), "unauthenticated: the token is for another audience"),
        (but("userId", Value::Null), "unauthenticated: the token names nobody"),
    ] {
        let mut client = Client::start(&server, &auth);
        let heard = client.next().await;
        if expected.is_empty() {
            assert_eq!(heard["heard"], "connect", "{heard}");
        } else {
            assert_eq!(heard["heard"], "connect_error", "{auth}");
            let message = heard["data"].as_str().unwrap();
            assert!(message.starts_with(expected), "{message} / {expected}");
        }
    }
}

#[tokio::test]
async fn a_client_is_let_in_by_polling_as_well() {
    let server = Server::start().await;
    let auth = json!({"token": server.token("ada")});
    for transports in [json!(["polling"]), json!(["polling", "websocket"])] {
        let mut client =
            Client::with(&server.url(), &json!({"auth": auth, "transports": transports}));
        client.is_connected().await;
        server.to_user("ada", "hello", &json!({"by": transports})).await;
        assert_eq!(client.hears("hello").await["by"], transports);
        client.tell(json!({"do": "close"})).await;
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let clock = Arc::new(ManualClock::new(SystemClock::default().now()));
    let time: Arc<dyn Clock> = Arc::clone(&clock) as _;
    let store = Arc::new(MemoryStore::new(Arc::clone(&time)));
    let ground = Ground { store, clock: time, ..Ground::default() };
    let server = Server::on(&ground, options(), |app| app).await;
    let until = |user: &str, secs: i64| token(&json!({"sub": user, "exp": in_secs(secs)}));
    let brief = until("ada", 600);
    let mut ends = Client::start(&server, &json!({"token": brief}));
    let mut goes_on = Client::start(&server, &json!({"token": brief}));
    ends.is_connected().await;
    goes_on.is_connected().await;
    let refused = goes_on.ask("auth:refresh", json!({"token": until("bob", 7200)})).await;
    assert_eq!(refused["error"]["type"], "urn:eventyard:error:forbidden");
    let answer = goes_on.ask("auth:refresh", json!({"token": until("ada", 7200)})).await;
    assert_eq!(answer, json!({"ok": true}));
    clock.advance(Duration::from_secs(601));
    let why = ends.hears("session:ended").await;
    assert_eq!(why["type"], "urn:eventyard:error:unauthenticated");
    assert!(why["detail"].as_str().unwrap().starts_with("the token ended at "), "{why}");
    clock.advance(Duration::from_secs(1));
    assert_eq!(ends.hears("disconnect").await, "io server disconnect");
    server.to_user("ada", "still", &json!("here")).await;
    assert_eq!(goes_on.hears("still").await, "here");
}

/// An issuer of tokens by keys of its own, the second of which it shows from its second answer on.
struct Issuer {
    keys: [EncodingKey; 2],
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    async fn start() -> Self {
        let make = || {
            let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
            EncodingKey::from_ec_der(key.serialized_der())
        };
        let keys = [make(), make()];
        let shown: Vec<Value> = keys
            .iter()
            .enumerate()
            .map(|(n, key)| {
                let mut jwk = Jwk::from_encoding_key(key, Algorithm::ES256).unwrap();
                jwk.common.key_id = Some(format!("k{n}"));
                serde_json::to_value(jwk).unwrap()
            })
            .collect();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let answer = move || {
            let times = count.fetch_add(1, Ordering::SeqCst) + 1;
            let keys = &shown[..times.min(shown.len())];
            std::future::ready(Json(json!({"keys": keys})))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let router = Router::new().route("/keys", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { keys, url, asked }
    }

    fn token(&self, key: usize, kid: &str) -> Value {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        let claims = json!({"sub": "ada", "exp": in_secs(60)});
        json!({"token": encode(&header, &claims, &self.keys[key]).unwrap()})
    }
}

#[tokio::test]
async fn keys_are_fetched_again_for_a_new_one_but_not_for_each() {
    let issuer = Issuer::start().await;
    let mut options = options();
    options.policy = Policy {
        keys: Keys::Jwks { url: issuer.url.clone(), refresh: Duration::from_millis(1) },
        algorithms: vec!["ES256".parse().unwrap()],
        ..Policy::jwks(&issuer.url)
    };
    let server = Server::with(options.clone()).await;
    for (key, kid, fetches) in [(0, "k0", 1), (0, "k0", 1), (1, "k1", 2), (0, "k0", 2)] {
        let mut client = Client::start(&server, &issuer.token(key, kid));
        client.hears("connect").await;
        assert_eq!(issuer.asked.load(Ordering::SeqCst), fetches, "{kid}");
    }
    let mut forged = Client::start(&server, &issuer.token(1, "k0"));
    let message = forged.hears("connect_error").await;
    assert_eq!(message, "unauthenticated: the token's signature is wrong");

    // The secret of a deployment is no key of the issuer's.
    let confused = json!({"token": token(&json!({"sub": "ada", "exp": in_secs(60)}))});
    let mut confused = Client::start(&server, &confused);
    let message = confused.hears("connect_error").await;
    assert!(message.as_str().unwrap().contains("signed by HS256"), "{message}");

    if let Keys::Jwks { refresh, .. } = &mut options.policy.keys {
        *refresh = Duration::from_secs(3600);
    }
    let patient = Server::with(options).await;
    let before = issuer.asked.load(Ordering::SeqCst);
    for _ in 0..3 {
        let mut unknown = Client::start(&patient, &issuer.token(0, "k9"));
        let message = unknown.hears("connect_error").await;
        assert_eq!(message, "unauthenticated: the token is signed with an unknown key");
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), before + 1);
}
