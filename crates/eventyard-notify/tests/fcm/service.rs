//! The push service, as far as the tests need it, and a client for it.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU32, Ordering},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use eventyard::model::Clock;
use eventyard_notify::push::Fcm;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

pub(crate) const TOKEN: &str = "/token";
pub(crate) const SEND: &str = "/v1/projects/parking-1/messages:send";

/// One key for all tests: making one takes a while.
pub(crate) static KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

fn account(uri: &str) -> Value {
    let der: Pkcs8V1Der<'_> = KEY.as_der().unwrap();
    let base64 = BASE64_STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    json!({
        "type": "service_account",
        "project_id": "parking-1",
        "private_key_id": "key-1",
        "private_key": pem,
        "client_email": "push@parking-1.iam.gserviceaccount.com",
        "token_uri": format!("{uri}{TOKEN}"),
    })
}

pub(crate) fn fcm(server: &MockServer, clock: Arc<dyn Clock>) -> Fcm {
    fcm_at(&server.uri(), clock)
}

pub(crate) fn fcm_at(uri: &str, clock: Arc<dyn Clock>) -> Fcm {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("account.json");
    std::fs::write(&file, account(uri).to_string()).unwrap();
    Fcm::from_file(&file, clock).unwrap().base_url(uri).unwrap()
}

/// A service that grants `access-1`, `access-2` and so on.
pub(crate) async fn service() -> MockServer {
    let server = MockServer::start().await;
    let count = AtomicU32::new(1);
    let grant = move |_: &Request| {
        let n = count.fetch_add(1, Ordering::Relaxed);
        ResponseTemplate::new(200).set_body_json(
            json!({"access_token": format!("access-{n}"), "expires_in": 3600, "token_type": "Bearer"}),
        )
    };
    Mock::given(method("POST")).and(path(TOKEN)).respond_with(grant).mount(&server).await;
    server
}

pub(crate) async fn answer(server: &MockServer, template: ResponseTemplate, times: u64) {
    let mock = Mock::given(method("POST")).and(path(SEND)).respond_with(template);
    mock.up_to_n_times(times).mount(server).await;
}

pub(crate) fn sent() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"name": "projects/parking-1/messages/1"}))
}

pub(crate) fn error(status: u16, code: &str) -> ResponseTemplate {
    let details = json!([{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]);
    ResponseTemplate::new(status).set_body_json(
        json!({"error": {"code": status, "status": code, "message": "no", "details": details}}),
    )
}

pub(crate) async fn requests(server: &MockServer, at: &str) -> Vec<Request> {
    let all = server.received_requests().await.unwrap();
    all.into_iter().filter(|request| request.url.path() == at).collect()
}
