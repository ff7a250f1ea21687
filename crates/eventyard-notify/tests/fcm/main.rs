//! Push through FCM, against a service of the test's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod service;

use std::{sync::Arc, time::Duration};

use aws_lc_rs::signature::KeyPair;
use eventyard::{
    Backoff, Eventyard, Queue, Yard,
    event::WithAttributes,
    model::{
        EventId, JobId, JobKey, JobState, ManualClock, QueueName, SystemClock, Timestamp,
        inspect::JobStatus,
    },
    secs,
};
use eventyard_notify::{
    Deps, NOTIFICATIONS, default_queues, default_routes,
    event::{BookingEvent, BookingReminder},
    handlers,
    push::{
        Push, PushError, Pusher,
        device::{self, DeviceInfo, Registration},
    },
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use service::{KEY, SEND, TOKEN, answer, error, fcm, fcm_at, requests, sent, service};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, method, path},
};

fn push() -> Push {
    Push {
        title: "t".to_owned(),
        body: "b".to_owned(),
        data: [("eventId".to_owned(), "e-1".to_owned())].into(),
        collapse: "c".to_owned(),
    }
}

/// The application with the waits between attempts cut short, and devices of user u-1.
async fn start(server: &MockServer, tokens: &[&str]) -> (Yard, Vec<DeviceInfo>) {
    let deps = Deps {
        pusher: Some(Arc::new(fcm(server, Arc::new(SystemClock::default())))),
        ..Deps::mailbox("no-reply@example.com".parse().unwrap()).unwrap()
    };
    let wait = Backoff::fixed(Duration::from_millis(20));
    let queue = Queue::new(NOTIFICATIONS).attempts(3).backoff(wait).timeout(secs(30));
    let [emails, _, tickets] = default_queues().try_into().unwrap();
    let app = [emails, queue, tickets].into_iter().fold(Eventyard::in_memory(), Eventyard::queue);
    let app = default_routes().into_iter().fold(app, |app, (kind, queue)| app.route(kind, queue));
    let yard = handlers(app, deps).start().await.unwrap();
    let mut devices = Vec::new();
    for token in tokens {
        let device = Registration { token: (*token).to_owned(), platform: None };
        devices.push(device::register(&yard, "u-1", &device).await.unwrap());
    }
    (yard, devices)
}

async fn publish(yard: &Yard) {
    let event = BookingReminder::sample(Timestamp::default());
    yard.publish(WithAttributes::new(event).id(EventId::new("e-1").unwrap())).await.unwrap();
}

/// The job that pushes to a device, once it is completed or failed.
async fn finished(yard: &Yard, device: &DeviceInfo) -> JobStatus {
    let id = JobId::new(format!("e-1.push.{}", device.id)).unwrap();
    let key = JobKey { queue: QueueName::new(NOTIFICATIONS).unwrap(), id };
    let wait = async {
        loop {
            match yard.inspect().job(&key).await.unwrap() {
                Some(status) if matches!(status.state, JobState::Completed | JobState::Failed) => {
                    return status;
                }
                _ => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(secs(20), wait).await.unwrap_or_else(|_| panic!("{key} did not finish"))
}

fn result(status: &JobStatus) -> Value {
    serde_json::from_slice(status.result.as_deref().unwrap_or(b"null")).unwrap()
}

#[tokio::test]
async fn a_push_carries_what_was_said() {
    let server = service().await;
    answer(&server, sent(), u64::MAX).await;
    let (yard, devices) = start(&server, &["device-token-1"]).await;
    publish(&yard).await;
    let status = finished(&yard, &devices[0]).await;
    assert_eq!(result(&status), json!({"sent": "projects/parking-1/messages/1"}));
    let payload = String::from_utf8(status.job.payload.data().to_vec()).unwrap();
    assert!(!payload.contains("device-token-1"), "{payload}");

    let sends = requests(&server, SEND).await;
    assert_eq!(sends.len(), 1);
    assert_eq!(sends[0].headers["authorization"], "Bearer access-1");
    let message = &sends[0].body_json::<Value>().unwrap()["message"];
    assert_eq!(message["token"], "device-token-1");
    assert_eq!(message["notification"]["title"], "Your booking begins soon");
    assert_eq!(message["data"]["eventId"], "e-1");
    assert_eq!(message["data"]["bookingId"], "b-1");
    yard.shutdown().await;
}

#[tokio::test]
async fn the_assertion_is_the_accounts() {
    let server = service().await;
    answer(&server, sent(), 1).await;
    let now = Timestamp::from_millis(1_767_225_600_000);
    fcm(&server, Arc::new(ManualClock::new(now))).push("d", &push()).await.unwrap();

    let body = String::from_utf8(requests(&server, TOKEN).await[0].body.clone()).unwrap();
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    let assertion = body.strip_prefix(grant).unwrap();
    let header = decode_header(assertion).unwrap();
    assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::RS256, Some("key-1")));
    let key = DecodingKey::from_rsa_der(KEY.public_key().as_ref());
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.set_audience(&[format!("{}{TOKEN}", server.uri())]);
    let claims = decode::<Value>(assertion, &key, &validation).unwrap().claims;
    assert_eq!(claims["iss"], "push@parking-1.iam.gserviceaccount.com");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/firebase.messaging");
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_767_225_600), &json!(1_767_229_200)));
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_replaced_before_it_ends() {
    let server = service().await;
    answer(&server, sent(), u64::MAX).await;
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_767_225_600_000)));
    let fcm = fcm(&server, Arc::clone(&clock) as _);
    let message = push();
    let pushes = (0..8).map(|_| fcm.push("d", &message));
    for result in futures_util::future::join_all(pushes).await {
        result.unwrap();
    }
    assert_eq!(requests(&server, TOKEN).await.len(), 1);
    clock.advance(secs(3539));
    fcm.push("d", &message).await.unwrap();
    assert_eq!(requests(&server, TOKEN).await.len(), 1);
    clock.advance(secs(1));
    fcm.push("d", &message).await.unwrap();
    assert_eq!(requests(&server, TOKEN).await.len(), 2);
}

#[tokio::test]
async fn a_device_that_is_gone_is_removed_and_touches_no_other() {
    let server = service().await;
    let gone = |request: &Request| {
        let message: Value = request.body_json().unwrap();
        match message["message"]["token"].as_str() {
            Some("gone") => error(404, "UNREGISTERED"),
            Some("broken") => error(400, "INVALID_ARGUMENT").set_body_json(json!({"error": {
                "status": "INVALID_ARGUMENT",
                "message": "The registration token is not a valid FCM registration token",
            }})),
            _ => sent(),
        }
    };
    Mock::given(method("POST")).and(path(SEND)).respond_with(gone).mount(&server).await;
    let (yard, devices) = start(&server, &["gone", "good", "broken"]).await;
    publish(&yard).await;
    for device in [&devices[0], &devices[2]] {
        let status = finished(&yard, device).await;
        assert_eq!(status.state, JobState::Completed);
        let skipped = result(&status)["skipped"].as_str().unwrap().to_owned();
        assert!(skipped.contains("was removed"), "{skipped}");
    }
    assert_eq!(
        result(&finished(&yard, &devices[1]).await)["sent"],
        "projects/parking-1/messages/1"
    );
    let left = device::list(&**yard.inspect(), "u-1").await.unwrap();
    assert_eq!(left, [devices[1].clone()]);
    yard.shutdown().await;
}

#[tokio::test]
async fn one_devices_failure_repeats_no_other_push() {
    let server = service().await;
    let flaky = |request: &Request| {
        let message: Value = request.body_json().unwrap();
        match message["message"]["token"].as_str() {
            Some("bad") => error(500, "INTERNAL"),
            _ => sent(),
        }
    };
    Mock::given(method("POST")).and(path(SEND)).respond_with(flaky).mount(&server).await;
    let (yard, devices) = start(&server, &["good", "bad"]).await;
    publish(&yard).await;
    assert_eq!(finished(&yard, &devices[0]).await.state, JobState::Completed);
    let failed = finished(&yard, &devices[1]).await;
    assert_eq!(failed.state, JobState::Failed);
    let message = failed.failure.unwrap().message;
    assert!(message.contains("fcm answered 500 INTERNAL"), "{message}");
    let sends = requests(&server, SEND).await;
    let good =
        sends.iter().filter(|r| String::from_utf8_lossy(&r.body).contains("\"good\"")).count();
    assert_eq!((good, sends.len() - good), (1, 3));
    yard.shutdown().await;
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let server = service().await;
    let pause = |value: &str| error(429, "QUOTA_EXCEEDED").insert_header("retry-after", value);
    let now = Timestamp::from_millis(784_111_777_000);
    let fcm = fcm(&server, Arc::new(ManualClock::new(now)));
    for (value, expected) in [("7", 7), ("Sun, 06 Nov 1994 08:50:37 GMT", 60)] {
        answer(&server, pause(value), 1).await;
        match fcm.push("d", &push()).await {
            Err(PushError::Wait { wait, problem }) => {
                assert_eq!(wait, secs(expected));
                assert!(problem.contains("429 QUOTA_EXCEEDED"), "{problem}");
            }
            other => panic!("{other:?}"),
        }
    }

    let (yard, devices) = start(&server, &["d"]).await;
    answer(&server, pause("0"), 1).await;
    answer(&server, sent(), 1).await;
    publish(&yard).await;
    let status = finished(&yard, &devices[0]).await;
    assert_eq!((status.state, status.job.attempts_made), (JobState::Completed, 2));
    yard.shutdown().await;
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_replaced_once() {
    let server = service().await;
    let new =
        Mock::given(method("POST")).and(path(SEND)).and(header("authorization", "Bearer access-2"));
    new.respond_with(sent()).with_priority(1).mount(&server).await;
    answer(&server, error(401, "UNAUTHENTICATED"), u64::MAX).await;
    let clock = Arc::new(SystemClock::default());
    let fcm = fcm(&server, clock);
    fcm.push("d", &push()).await.unwrap();
    assert_eq!(requests(&server, TOKEN).await.len(), 2);

    server.reset().await;
    answer(&server, error(401, "UNAUTHENTICATED"), u64::MAX).await;
    let refused = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
    let grant = ResponseTemplate::new(400).set_body_json(refused);
    Mock::given(method("POST")).and(path(TOKEN)).respond_with(grant).mount(&server).await;
    let error = fcm.push("d", &push()).await.unwrap_err().to_string();
    assert!(error.contains("400 invalid_grant: Invalid JWT Signature."), "{error}");
    assert_eq!(requests(&server, SEND).await.len(), 1);
}

#[tokio::test]
async fn a_service_that_is_away_is_told_without_secrets() {
    // Nobody listens on the port of the discard service.
    let fcm = fcm_at("http://127.0.0.1:9", Arc::new(SystemClock::default()));
    let error = fcm.push("device-token-1", &push()).await.unwrap_err().to_string();
    assert!(error.contains("fcm: no access token"), "{error}");
    assert!(!error.contains("device-token-1") && !error.contains("assertion"), "{error}");
    assert!(!format!("{fcm:?}").contains("PRIVATE"));
}
