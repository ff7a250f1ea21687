//! temporary
use eventyard::{Eventyard, Queue};
use eventyard_admin::{ApiOptions, Auth, Credential, OpenApiRouter, Role, api, serve};
#[tokio::main]
async fn main() {
    let yard = Eventyard::in_memory()
        .queue(Queue::new("emails"))
        .queue(Queue::new("tickets"))
        .route("booking.*", "emails")
        .start()
        .await
        .unwrap();
    let auth = if std::env::var("TOKENS").is_ok() {
        Auth::new([Credential::new("rule", Role::Admin, "a")])
    } else {
        Auth::open()
    };
    let router = api(yard, OpenApiRouter::new(), ApiOptions { auth, ..Default::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3917").await.unwrap();
    serve(listener, router, std::future::pending()).await.unwrap();
}
