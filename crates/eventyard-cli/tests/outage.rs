//! Mails while the mail server is down, and while it refuses them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
};

use serde_json::{Value, json};
use support::{Bench, PATIENCE, Server, eventually};

/// A mail server: a process that tells on standard output what happens, a JSON object a line.
struct MailServer {
    process: Child,
    port: u16,
    told: Receiver<Value>,
}

impl MailServer {
    fn start(arguments: &[&str]) -> Self {
        let script = workspace().join("crates/eventyard-notify/tests/smtp/server.py");
        let mut command = Command::new(python());
        command.arg(script).args(arguments).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (tell, told) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // A test that has ended listens no more.
                let _ = tell.send(serde_json::from_str(&line).unwrap());
            }
        });
        let mut server = Self { process, port: 0, told };
        server.port = server.hears("port")["port"].as_u64().unwrap().try_into().unwrap();
        server
    }

    /// The next thing told that has `field`.
    fn hears(&self, field: &str) -> Value {
        loop {
            let told = self.told.recv_timeout(PATIENCE).unwrap_or_else(|error| {
                panic!("the mail server tells no {field}: {error}; install it: cargo xtask test")
            });
            if told.get(field).is_some() {
                return told;
            }
        }
    }

    /// Ends it; returns all mails that it took and nobody asked for.
    fn stop(mut self) -> Vec<Value> {
        self.process.kill().unwrap();
        self.told.iter().filter(|told| told.get("mail").is_some()).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Python that has the mail server's packages.
fn python() -> PathBuf {
    let python = env::var_os("EVENTYARD_PYTHON")
        .map_or_else(|| workspace().join("target/tools/venv/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "the mail server needs {}; install it with: cargo xtask test",
        python.display()
    );
    python
}

/// A server that sends mails to `port`, and tries again soon.
async fn sends_to(port: u16, settings: &str) -> (Bench, Server) {
    let config = format!(
        "[channels]\nfrom = \"Parking <no-reply@example.com>\"\n\
         smtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\n\
         [queues.emails]\nbackoff = {{ type = \"fixed\", delay = \"100ms\" }}\n{settings}\n"
    );
    let bench = Bench::default().file("mail.toml", &config);
    let server = bench.serve(&["dev", "--config", "mail.toml"]).await;
    (bench, server)
}

/// Books something for Grace; returns the id of the mail's job.
async fn book(server: &Server) -> String {
    let queued = server
        .post("/mock-events/booking-created", json!({"userEmail": "grace@example.com"}))
        .await;
    queued["eventId"].as_str().unwrap().to_owned()
}

/// The messages of a job's failed attempts.
fn errors(job: &Value) -> Vec<&str> {
    let attempts = job["attempts"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["error"]["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_mail_arrives_by_itself_when_the_mail_server_is_back() {
    let port = MailServer::start(&[]).port;
    // It is away for longer than five attempts take.
    let (_bench, server) = sends_to(port, "attempts = 1000").await;
    let id = book(&server).await;
    let path = format!("/api/v1/queues/emails/jobs/{id}");
    eventually("the mail is tried in vain", async || {
        (errors(&server.get(&path).await).len() >= 2).then_some(())
    })
    .await;

    let mails = MailServer::start(&["--port", &port.to_string()]);
    assert_eq!(mails.hears("mail")["to"], json!(["grace@example.com"]));
    let job = server.job_is("emails", &id, "completed").await;
    assert!(errors(&job).len() >= 2, "{job}");
    assert!(errors(&job).iter().all(|error| error.contains("at connect")), "{job}");
    server.stop().await;
    assert_eq!(mails.stop(), [] as [Value; 0], "it is sent once");
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_waits_for_one_retry() {
    // As often as there are attempts: what is fixed then is the address.
    let mails = MailServer::start(&["--refuse", "rcpt:550:5"]);
    let (_bench, server) = sends_to(mails.port, "").await;
    let id = book(&server).await;
    server.job_is("emails", &id, "failed").await;

    let failed = server.get("/api/v1/queues/failed").await;
    let [dead] = failed["items"].as_array().unwrap().as_slice() else { panic!("{failed}") };
    assert_eq!((&dead["id"], &dead["queue"]), (&json!(id), &json!("emails")), "{dead}");
    assert_eq!(errors(dead).len(), 5, "{dead}");
    assert!(errors(dead).iter().all(|error| error.contains("550 not now: rcpt")), "{dead}");

    server.post(&format!("/api/v1/queues/failed/{id}/retry"), json!(null)).await;
    let job = server.job_is("emails", &id, "completed").await;
    assert_eq!(errors(&job).len(), 5, "its history stays: {job}");
    assert_eq!(server.get("/api/v1/queues/failed").await["items"], json!([]));
    server.stop().await;
    let mails = mails.stop();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(mail["to"], json!(["grace@example.com"]));
}
