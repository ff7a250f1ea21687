//! What users hear of their own jobs.

use eventyard::{Context, JobError, JobRequest, Json};
use serde_json::{Value, json};

use crate::{
    client::Client,
    server::{Ground, Server, options},
};

async fn simulate(told: Json<Value>, cx: Context) -> Result<eventyard::Outcome, JobError> {
    cx.progress(&50).await?;
    if told["fail"] == true {
        return Err(JobError::dead_letter("it does not hold").stack("at secret.rs:7"));
    }
    eventyard::Outcome::done(&json!({"holds": true}))
}

#[tokio::test]
async fn users_hear_of_their_own_jobs() {
    let ground = Ground::default();
    let server = Server::on(&ground, options(), |app| app.handle("work", simulate)).await;
    let mut ada = Client::of(&server, "ada").await;
    let mut bob = Client::of(&server, "bob").await;
    let job = |id: &str, data: Value| {
        JobRequest::new("work", "simulate").data(&data).unwrap().id(id.parse().unwrap())
    };
    for job in [
        job("hers", json!({"userId": "ada"})),
        job("nobodys", json!({"user": "ada"})),
        job("his", json!({"userId": "bob", "fail": true})),
    ] {
        server.yard.enqueue(job).await.unwrap();
    }
    for (client, id, last) in [(&mut ada, "hers", "completed"), (&mut bob, "his", "failed")] {
        for event in ["added", "active", "progress", last] {
            let heard = client.hears(&format!("job:{event}")).await;
            assert_eq!((&heard["event"], &heard["jobId"]), (&json!(event), &json!(id)), "{heard}");
            match event {
                "progress" => assert_eq!(heard["progress"], 50),
                "completed" => assert_eq!(heard["result"], json!({"holds": true})),
                "failed" => assert_eq!(
                    heard["failedReason"],
                    json!({"kind": "rejected", "message": "it does not hold"})
                ),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn what_happened_in_between_is_heard_after_coming_back() {
    let ground = Ground::default();
    let server = Server::on(&ground, options(), |app| app.handle("work", simulate)).await;
    let mut ada = Client::of(&server, "ada").await;
    ada.drop_connection().await;
    let job = JobRequest::new("work", "simulate").data(&json!({"userId": "ada"})).unwrap();
    server.yard.enqueue(job).await.unwrap();
    let mut bob = Client::of(&server, "bob").await;
    let job = JobRequest::new("work", "simulate").data(&json!({"userId": "bob"})).unwrap();
    server.yard.enqueue(job).await.unwrap();
    while bob.next().await["heard"] != "job:completed" {}
    ada.come_back().await;
    for event in ["job:added", "job:active", "job:progress", "job:completed"] {
        ada.hears(event).await;
    }
}
