//! Over real connections.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use eventyard_admin::serve;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

use crate::client::Api;

/// How long anything may take that is only a matter of scheduling.
const DEADLINE: Duration = Duration::from_secs(20);

/// A server that counts the requests that are under way.
struct Server {
    address: std::net::SocketAddr,
    under_way: watch::Receiver<usize>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

/// Counts down when a request ends, also when it is dropped.
struct UnderWay(Arc<watch::Sender<usize>>);

impl UnderWay {
    fn begin(count: Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

async fn count(
    State(count): State<Arc<watch::Sender<usize>>>,
    request: Request,
    next: Next,
) -> Response {
    let _under_way = UnderWay::begin(count);
    next.run(request).await
}

impl Server {
    async fn start(api: &Api) -> Self {
        let (counter, under_way) = watch::channel(0);
        let router = api.router.clone().layer(from_fn_with_state(Arc::new(counter), count));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(serve(listener, router, async {
            stopped.await.ok();
        }));
        Self { address, under_way, stop, ended }
    }

    async fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn until_under_way(&self, requests: usize) {
        let mut under_way = self.under_way.clone();
        let reached = under_way.wait_for(|count| *count == requests);
        timeout(DEADLINE, reached).await.expect("in time").unwrap();
    }
}

fn post(path: &str, body: &serde_json::Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

async fn read(mut stream: TcpStream) -> String {
    let mut text = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut text)).await.expect("in time").unwrap();
    text
}

const CLAIM: &str = "/api/v1/queues/emails/claim";

fn waiting_claim(worker: &str) -> String {
    post(CLAIM, &json!({"worker": worker, "waitMs": 60_000, "leaseMs": 3_600_000}))
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_takes_no_job_along() {
    let api = Api::new().await;
    let server = Server::start(&api).await;
    let mut leaving = Vec::new();
    for n in 0..20 {
        leaving.push(server.send(&waiting_claim(&format!("leaving-{n}"))).await);
    }
    server.until_under_way(20).await;
    drop(leaving);
    server.until_under_way(0).await;

    let id = api.add("emails", &json!({"name": "n"})).await;
    let claimed = api.post(CLAIM, &json!({"worker": "staying"})).await;
    let job = &claimed.json["jobs"][0];
    assert_eq!((&job["id"], &job["lease"]["attempt"]), (&json!(id), &json!(1)));
}

#[tokio::test]
async fn clients_that_leave_as_jobs_come_lose_none() {
    let api = Api::new().await;
    let server = Server::start(&api).await;
    for round in 0..20 {
        let leaving = server.send(&waiting_claim("leaving")).await;
        server.until_under_way(1).await;
        // Whether the server notices before it hands the job out is chance.
        drop(leaving);
        let job = json!({"name": "n", "opts": {"jobId": format!("j-{round}")}});
        api.add("emails", &job).await;
        server.until_under_way(0).await;
    }
    // A job that was handed out to a client that had just left comes back when its lease ends.
    api.clock.advance(Duration::from_secs(3601));
    let mut found = BTreeSet::new();
    let ask = json!({"worker": "staying", "max": 20, "waitMs": 60_000, "leaseMs": 3_600_000});
    while found.len() < 20 {
        let claimed = timeout(DEADLINE, api.post(CLAIM, &ask)).await.expect("in time");
        let jobs = claimed.json["jobs"].as_array().unwrap();
        found.extend(jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn a_waiting_claim_over_a_connection_gets_its_job() {
    let api = Api::new().await;
    let server = Server::start(&api).await;
    let waiting = server.send(&waiting_claim("w")).await;
    server.until_under_way(1).await;
    let id = api.add("emails", &json!({"name": "n"})).await;
    let answer = read(waiting).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains(&id), "{answer}");
}

#[tokio::test]
async fn a_server_that_stops_ends_waiting_claims_and_finishes_requests() {
    let api = Api::new().await;
    let server = Server::start(&api).await;
    let waiting = server.send(&waiting_claim("w")).await;
    server.until_under_way(1).await;
    server.stop.send(()).unwrap();
    let answer = read(waiting).await;
    assert!(answer.ends_with("{\"jobs\":[]}"), "{answer}");
    timeout(DEADLINE, server.ended).await.expect("in time").unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_server_that_stops_ends_streams() {
    let api = Api::new().await;
    let server = Server::start(&api).await;
    let get = "GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut stream = server.send(get).await;
    let mut first = [0; 64];
    timeout(DEADLINE, stream.read_exact(&mut first)).await.expect("in time").unwrap();
    server.stop.send(()).unwrap();
    let rest = read(stream).await;
    assert!(rest.ends_with("0\r\n\r\n"), "the last chunk: {rest}");
    timeout(DEADLINE, server.ended).await.expect("in time").unwrap().unwrap();
}

#[tokio::test]
async fn heads_without_end_are_refused() {
    let api = Api::new().await;
    let server = Server::start(&api).await;
    let check = async |head: String, status: &str| {
        let answer = read(server.send(&head).await).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    };
    let get = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    check(format!("{get}cookie: {}\r\n\r\n", "c".repeat(10_000)), "200").await;
    check(format!("{get}cookie: {}\r\n\r\n", "c".repeat(20_000)), "431").await;
    check(format!("{get}cookie: {}\r\n\r\n", "c".repeat(300_000)), "431").await;
    check(format!("{get}{}\r\n", "a: b\r\n".repeat(200)), "431").await;
    check("nonsense\r\n\r\n".to_owned(), "400").await;
}
