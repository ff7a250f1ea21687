//! A client of an API on an application in memory, whose clock moves only when it is told to.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use eventyard::{
    Backoff, Event, Eventyard, Queue, Yard,
    model::{ManualClock, MemoryStore, Timestamp},
};
use eventyard_admin::{ApiOptions, OpenApiRouter, api};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const JSON: &str = "application/json";

/// An event type with a schema.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BookingCreated {
    booking_id: String,
}

impl Event for BookingCreated {
    const TYPE: &'static str = "booking.created";

    fn schema() -> Option<Value> {
        let id = json!({"type": "string"});
        Some(json!({"type": "object", "required": ["bookingId"], "properties": {"bookingId": id}}))
    }
}

/// The API and what is behind it.
pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) yard: Yard,
    pub(crate) clock: Arc<ManualClock>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

/// An application without workers: `booking.*` goes to `emails`, cancellations also to `tickets`.
pub(crate) fn application(clock: &Arc<ManualClock>) -> Eventyard {
    let store = Arc::new(MemoryStore::new(Arc::clone(clock) as _));
    Eventyard::on(store, Arc::clone(clock) as _)
        .source("shop")
        .queue(Queue::new("emails").attempts(2).backoff(Backoff::fixed(Duration::ZERO)))
        .queue(Queue::new("tickets").attempts(1).lease(Duration::from_secs(60)))
        .route("booking.*", "emails")
        .route("booking.cancelled", "tickets")
        .event::<BookingCreated>()
}

impl Api {
    pub(crate) async fn new() -> Self {
        Self::with(ApiOptions::default()).await
    }

    pub(crate) async fn with(options: ApiOptions) -> Self {
        Self::of(|app| app, OpenApiRouter::new(), options).await
    }

    pub(crate) async fn of(
        change: impl FnOnce(Eventyard) -> Eventyard,
        extra: OpenApiRouter,
        options: ApiOptions,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_767_225_600_000)));
        let yard = change(application(&clock)).start().await.unwrap();
        Self { router: api(yard.clone(), extra, options), yard, clock }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let json = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body).into_owned()));
        Answer { status: parts.status, headers: parts.headers, json }
    }

    /// A request without a body.
    pub(crate) async fn call(&self, method: &str, path: &str) -> Answer {
        self.send(request(method, path, &[], Body::empty())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path).await
    }

    /// A request with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_bytes(path, &[(header::CONTENT_TYPE.as_str(), JSON)], body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        let headers = [(header::CONTENT_TYPE.as_str(), JSON)];
        self.send(request("PUT", path, &headers, body.to_string().into())).await
    }

    pub(crate) async fn post_bytes(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        self.send(request("POST", path, headers, body.into())).await
    }

    /// A request of any method with a JSON body.
    pub(crate) async fn call_with(&self, method: &str, path: &str, body: &Value) -> Answer {
        let json = [(header::CONTENT_TYPE.as_str(), JSON)];
        self.send(request(method, path, &json, body.to_string().into())).await
    }

    /// Adds a job and says its id.
    pub(crate) async fn add(&self, queue: &str, job: &Value) -> String {
        let added = self.post(&format!("/api/v1/queues/{queue}/jobs"), job).await;
        added.expect(StatusCode::CREATED);
        added.json["jobId"].as_str().unwrap().to_owned()
    }

    /// Claims one job and says the token of its lease.
    pub(crate) async fn claim(&self, queue: &str) -> String {
        let ask = json!({"worker": "w-1", "max": 1});
        let claimed = self.post(&format!("/api/v1/queues/{queue}/claim"), &ask).await;
        claimed.expect(StatusCode::OK);
        claimed.json["jobs"][0]["lease"]["token"].as_str().expect("a job").to_owned()
    }

    /// Adds a job and makes a dead letter of it.
    pub(crate) async fn bury(&self, queue: &str, id: &str) {
        self.add(queue, &json!({"name": "n", "opts": {"jobId": id}})).await;
        let token = self.claim(queue).await;
        let failed = json!({"error": "no carrier", "deadLetter": true});
        self.post(&format!("/api/v1/leases/{token}/fail"), &failed).await.expect(StatusCode::OK);
    }

    pub(crate) async fn count(&self, queue: &str, state: &str) -> u64 {
        let stats = self.get(&format!("/api/v1/queues/stats?queue={queue}")).await;
        stats.json["stats"][state].as_u64().unwrap()
    }
}

pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(&self, status: StatusCode) {
        assert_eq!(self.status, status, "{:#}", self.json);
    }

    /// Asserts that this tells of a problem with this code at this field, and says so in form.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, code: &str, field: Option<&str>) {
        let actual = (
            self.status.as_u16(),
            self.json["type"].as_str().unwrap_or_default(),
            self.json["field"].as_str(),
        );
        let kind = format!("urn:eventyard:error:{code}");
        assert_eq!(actual, (status, kind.as_str(), field), "{:#}", self.json);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.json["status"], status);
        let id = self.headers["x-request-id"].to_str().unwrap();
        assert_eq!(self.json["instance"], format!("urn:eventyard:request:{id}"));
    }
}
