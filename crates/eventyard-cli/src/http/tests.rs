//! The endpoints as a client sees them.

use std::net::Ipv4Addr;

use eventyard::Eventyard;
use eventyard_admin::{ApiOptions, api, serve};
use eventyard_notify::{Deps, booking};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How long a test waits for a job.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// A running application, reached over HTTP.
struct Served {
    url: String,
}

impl Served {
    async fn start(mock_events: bool) -> Self {
        let deps = Deps::mailbox("Parking <no-reply@example.com>".parse().unwrap()).unwrap();
        let yard = booking(Eventyard::in_memory(), deps).start().await.unwrap();
        let extra = super::router(yard.clone(), mock_events);
        let router = api(yard, extra, ApiOptions::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // Ends with the test's runtime.
        tokio::spawn(serve(listener, router, std::future::pending()));
        Self { url }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.url));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status();
        (status, response.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// Publishes a mock event and waits until its job is done; returns the job.
    async fn mock(&self, event: &str, body: Value) -> Value {
        let (status, queued) =
            self.call(Method::POST, &format!("/mock-events/{event}"), Some(body)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{queued}");
        assert_eq!(queued["message"], "Event queued");
        let (queue, job) = (&queued["jobs"][0]["queue"], &queued["jobs"][0]["jobId"]);
        assert_eq!(job, &queued["eventId"]);
        let path =
            format!("/api/v1/queues/{}/jobs/{}", queue.as_str().unwrap(), job.as_str().unwrap());
        let wait = async {
            loop {
                let job = self.get(&path).await;
                if job["state"] == "completed" {
                    return job;
                }
                assert_ne!(job["state"], "failed", "{job}");
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{path} is not done"))
    }
}

#[tokio::test]
async fn a_mock_event_becomes_a_mail_in_the_mailbox() {
    let served = Served::start(true).await;
    let job = served.mock("booking-created", json!({"userName": "Grace"})).await;
    let mails = served.get("/api/v1/mailbox").await;
    let mail = &mails["items"][0];
    assert_eq!(mail["to"], "ada@example.com");
    assert_eq!(mail["subject"], "We have your booking b-1");
    assert!(mail["text"].as_str().unwrap().starts_with("Hello Grace,"), "{mail}");
    assert_eq!(&mail["jobId"], job.get("id").or(job.get("jobId")).unwrap());
    for field in ["from", "html", "messageId", "at"] {
        assert!(mail[field].is_string(), "{field} of {mail}");
    }
    assert_eq!(mails["next"], Value::Null);

    let (status, emptied) = served.call(Method::DELETE, "/api/v1/mailbox", None).await;
    assert_eq!((status, &emptied["removed"]), (StatusCode::OK, &json!(1)));
    assert_eq!(served.get("/api/v1/mailbox").await["items"], json!([]));
}

#[tokio::test]
async fn mock_events_say_what_is_wrong() {
    let served = Served::start(true).await;
    let post = async |event: &str, body: Option<Value>| {
        served.call(Method::POST, &format!("/mock-events/{event}"), body).await
    };
    assert_eq!(post("payment-received", None).await.0, StatusCode::ACCEPTED);
    let (status, problem) = post("booking-moved", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(problem["detail"].as_str().unwrap().contains("booking-created"), "{problem}");
    let (status, problem) = post("booking-created", Some(json!({"userEmail": "nobody"}))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["field"], "data.userEmail");
    assert_eq!(post("booking-created", Some(json!([]))).await.0, StatusCode::UNPROCESSABLE_ENTITY);

    let production = Served::start(false).await;
    let (status, _) = production.call(Method::POST, "/mock-events/booking-created", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_opted_out_gets_no_mail() {
    let served = Served::start(true).await;
    let path = "/api/v1/users/u%2F1/preferences";
    let defaults = json!({"email": true, "push": true, "inApp": true, "events": {}});
    assert_eq!(served.get(path).await, defaults);

    let wishes = json!({"events": {"booking.created": {"email": false}}});
    let (status, kept) = served.call(Method::PUT, path, Some(wishes)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(kept, served.get(path).await);

    let job = served.mock("booking-created", json!({"userId": "u/1"})).await;
    assert_eq!(job["result"], json!({"skipped": "user u/1 turned off email for booking.created"}));
    assert_eq!(served.get("/api/v1/mailbox").await["items"], json!([]));

    for (wishes, field) in [
        (json!({"emial": false}), "emial"),
        (json!({"email": "no"}), "email"),
        (json!({"events": {"booking.craeted": {}}}), "events.booking.craeted"),
    ] {
        let (status, problem) = served.call(Method::PUT, path, Some(wishes)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem["field"], field, "{problem}");
    }
    let long = format!("/api/v1/users/{}/preferences", "u".repeat(257));
    let (status, problem) = served.call(Method::GET, &long, None).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("userId")));
}

#[tokio::test]
async fn notifications_are_read() {
    let served = Served::start(true).await;
    for _ in 0..3 {
        served.mock("booking-reminder", json!({})).await;
    }
    let path = "/api/v1/users/u-1/notifications";
    let all = served.get(path).await["items"].clone();
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(all[0]["readAt"], Value::Null);
    let read = format!("{path}/{}/read", all[0]["id"].as_str().unwrap());
    let (status, marked) = served.call(Method::POST, &read, None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(marked["readAt"].is_string());
    for query in ["unread", "unread=true"] {
        let unread = served.get(&format!("{path}?{query}")).await;
        assert_eq!(unread["items"].as_array().unwrap().len(), 2, "{query}");
    }
    let (status, marked) = served.call(Method::POST, &format!("{path}/read-all"), None).await;
    assert_eq!((status, marked), (StatusCode::OK, json!({"marked": 2})));
    assert_eq!(served.get(&format!("{path}?unread=true")).await["items"], json!([]));

    let page = served.get(&format!("{path}?limit=2")).await;
    let rest =
        served.get(&format!("{path}?limit=2&cursor={}", page["next"].as_str().unwrap())).await;
    assert_eq!(rest["items"], json!([served.get(path).await["items"][2]]));
    for (bad, status) in [
        (format!("{path}?unread=maybe"), StatusCode::BAD_REQUEST),
        (format!("{path}?cursor=nonsense"), StatusCode::BAD_REQUEST),
        (format!("{path}?limit=0"), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(served.call(Method::GET, &bad, None).await.0, status, "{bad}");
    }
    let none = format!("{path}/none/read");
    assert_eq!(served.call(Method::POST, &none, None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn devices_come_and_go_without_their_tokens() {
    let served = Served::start(false).await;
    let path = "/api/v1/users/u-1/devices";
    let phone = json!({"token": "token-1", "platform": "android"});
    let (status, device) = served.call(Method::PUT, path, Some(phone)).await;
    assert_eq!(status, StatusCode::OK, "{device}");
    let listed = served.get(path).await;
    assert_eq!(listed["items"], json!([device]));
    assert!(!listed.to_string().contains("token-1"), "{listed}");

    let one = format!("{path}/{}", device["id"].as_str().unwrap());
    assert_eq!(served.get(&one).await, device);
    assert_eq!(served.call(Method::DELETE, &one, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(served.call(Method::DELETE, &one, None).await.0, StatusCode::NOT_FOUND);
    let (status, problem) = served.call(Method::PUT, path, Some(json!({"token": ""}))).await;
    assert_eq!((status, &problem["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("token")));
}

#[tokio::test]
async fn a_failed_payment_is_a_ticket_until_it_is_closed() {
    let served = Served::start(true).await;
    served.mock("payment-failed", json!({"reason": "no funds"})).await;
    let tickets = served.get("/api/v1/tickets").await["items"].clone();
    assert_eq!(tickets.as_array().unwrap().len(), 1);
    let ticket = &tickets[0];
    assert_eq!((&ticket["status"], &ticket["priority"]), (&json!("open"), &json!("high")));
    let path = format!("/api/v1/tickets/{}", ticket["eventId"].as_str().unwrap());
    assert_eq!(&served.get(&path).await, ticket);
    let (status, closed) = served.call(Method::POST, &format!("{path}/close"), None).await;
    assert_eq!((status, &closed["status"]), (StatusCode::OK, &json!("closed")));
    let (status, problem) = served.call(Method::GET, "/api/v1/tickets/none", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(problem["type"], "urn:eventyard:error:no-such-ticket");
}
