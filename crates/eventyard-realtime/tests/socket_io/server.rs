//! A server: an application with realtime, on a free port.

use std::sync::Arc;

use eventyard::{
    Eventyard, Queue, Yard,
    model::{Clock, MemoryStore, SystemClock, Timestamp},
};
use eventyard_realtime::{InProcess, Message, Options, Policy, Realtime, Relay, default_queue};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::Client;

pub(crate) const SECRET: &str = "the secret of these tests, long enough";

/// A server. It ends with the test.
pub(crate) struct Server {
    pub(crate) yard: Yard,
    pub(crate) realtime: Realtime,
    url: String,
}

/// What servers of one application share.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) relay: Arc<dyn Relay>,
}

impl Default for Ground {
    fn default() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
        Self { store, clock, relay: Arc::new(InProcess::default()) }
    }
}

/// Options that accept tokens with [`SECRET`].
pub(crate) fn options() -> Options {
    Options::new(Policy::secret(SECRET))
}

impl Server {
    /// A server with the usual options.
    pub(crate) async fn start() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::on(&Ground::default(), options, |app| app).await
    }

    /// A server on a ground, with an application made by `describe`.
    pub(crate) async fn on(
        ground: &Ground,
        options: Options,
        describe: impl FnOnce(Eventyard) -> Eventyard,
    ) -> Self {
        let (relay, clock) = (Arc::clone(&ground.relay), Arc::clone(&ground.clock));
        let realtime = Realtime::start(options, relay, clock).await.unwrap();
        let app = Eventyard::on(Arc::clone(&ground.store), Arc::clone(&ground.clock))
            .queue(default_queue())
            .queue(Queue::new("work").attempts(1));
        let yard = realtime.handlers(describe(app)).start().await.unwrap();
        let router = realtime.router(&yard);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { yard, realtime, url }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// A token of `user` that holds for an hour.
    pub(crate) fn token(&self, user: &str) -> String {
        token(&json!({"userId": user, "exp": in_secs(3600)}))
    }

    /// Sends a message with the guarantees of a job.
    pub(crate) async fn send(&self, message: Result<Message, eventyard::Error>) {
        self.yard.enqueue(message.unwrap().into_job().unwrap()).await.unwrap();
    }

    pub(crate) async fn to_user(&self, user: &str, event: &str, data: &Value) {
        self.send(Message::to_user(user, event, data)).await;
    }

    pub(crate) async fn to_everyone(&self, event: &str, data: &Value) {
        self.send(Message::to_everyone(event, data)).await;
    }
}

/// A token with these claims, signed as it should be.
pub(crate) fn token(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

/// The time in so many seconds, as tokens have it.
pub(crate) fn in_secs(secs: i64) -> i64 {
    let now: Timestamp = SystemClock::default().now();
    now.as_millis() / 1000 + secs
}

impl Client {
    /// A client that connects to a server with `auth`.
    pub(crate) fn start(server: &Server, auth: &Value) -> Self {
        let options = json!({"auth": auth, "transports": ["websocket"]});
        Self::with(&server.url, &options)
    }

    /// A client of `user` that is connected, and knows where it is.
    pub(crate) async fn of(server: &Server, user: &str) -> Self {
        let mut client = Self::following(&server.url, &json!({"token": server.token(user)}));
        client.is_connected().await;
        client
    }
}
