//! Mail over SMTP to a real server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod server;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use eventyard::{
    Backoff, Context, Eventyard, Queue, Yard,
    event::WithAttributes,
    model::{
        EventId, JobKey, JobState, QueueName, Timestamp,
        inspect::{AttemptRecord, JobStatus},
    },
    secs,
};
use eventyard_notify::{
    Deps, EMAILS, default_queues, default_routes,
    event::{BookingCreated, BookingEvent},
    handlers,
    mail::{Mail, MailError, Mailer, Smtp, SmtpOptions, Tls},
};
use server::{Certificates, Server};

/// How long a job may take to reach a state.
const PATIENCE: std::time::Duration = secs(20);

fn options(port: u16) -> SmtpOptions {
    let mut options = SmtpOptions::new("127.0.0.1").tls(Tls::None).port(port);
    options.hello_name = Some("client.test".to_owned());
    options
}

/// The application with the waits between attempts cut short.
async fn start(mailer: impl Mailer) -> Yard {
    let deps = Deps {
        mailer: Arc::new(mailer),
        ..Deps::mailbox("Parking <no-reply@example.com>".parse().unwrap()).unwrap()
    };
    let wait = std::time::Duration::from_millis(20);
    let emails = Queue::new(EMAILS).attempts(5).backoff(Backoff::fixed(wait)).timeout(secs(30));
    let queues = default_queues().into_iter().skip(1).chain([emails]);
    let app = queues.fold(Eventyard::in_memory(), Eventyard::queue);
    let app = default_routes().into_iter().fold(app, |app, (kind, queue)| app.route(kind, queue));
    handlers(app, deps).start().await.unwrap()
}

async fn start_smtp(options: SmtpOptions) -> Yard {
    start(Smtp::new(options).unwrap()).await
}

async fn publish(yard: &Yard, id: &str) -> JobKey {
    let event = BookingCreated::sample(Timestamp::default());
    let event = WithAttributes::new(event).id(EventId::new(id).unwrap());
    let published = yard.publish(event).await.unwrap();
    JobKey { queue: QueueName::new(EMAILS).unwrap(), id: published.jobs[0].id.clone() }
}

/// The job, once it is completed or failed.
async fn finished(yard: &Yard, key: &JobKey) -> (JobStatus, Vec<AttemptRecord>) {
    let wait = async {
        loop {
            let status = yard.inspect().job(key).await.unwrap().unwrap();
            if matches!(status.state, JobState::Completed | JobState::Failed) {
                return (status, yard.inspect().attempts(key).await.unwrap());
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{key} did not finish"))
}

fn header<'a>(mail: &'a serde_json::Value, name: &str) -> &'a str {
    let text = mail["mail"].as_str().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[tokio::test]
async fn a_mail_arrives_whole() {
    let mut server = Server::start(&[]).await;
    let yard = start_smtp(options(server.port)).await;
    let key = publish(&yard, "e-1").await;
    let mail = server.wait_for("mail").await;
    assert_eq!(mail["sender"], "no-reply@example.com");
    assert_eq!(mail["to"], serde_json::json!(["ada@example.com"]));
    assert_eq!(mail["hello"], "client.test");
    assert_eq!(header(&mail, "Message-ID"), "<e-1.emails@example.com>");
    assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&mail, "To"), "Ada <ada@example.com>");
    assert_eq!(header(&mail, "Subject"), "We have your booking b-1");
    let text = mail["mail"].as_str().unwrap();
    assert!(text.contains("text/plain") && text.contains("text/html"), "{text}");
    let (status, _) = finished(&yard, &key).await;
    let result = String::from_utf8(status.result.unwrap().to_vec()).unwrap();
    assert!(result.contains("250 taken"), "{result}");
    yard.shutdown().await;
}

#[tokio::test]
async fn refusals_are_retried_until_the_server_takes_it() {
    for (refuse, expected) in [
        ("rcpt:451:2", "at RCPT TO: 451 not now: rcpt"),
        ("mail:550:2", "at MAIL FROM: 550 not now: mail"),
        ("data:554:2", "at message: 554 not now: data"),
        ("connect:554:2", "at connect: 554 not now: connect"),
    ] {
        let mut server = Server::start(&["--refuse", refuse]).await;
        let yard = start_smtp(options(server.port)).await;
        let key = publish(&yard, "e-1").await;
        server.wait_for("mail").await;
        let (status, attempts) = finished(&yard, &key).await;
        assert_eq!(status.state, JobState::Completed, "{refuse}");
        assert_eq!(attempts.len(), 2, "{refuse}: {attempts:?}");
        let message = &attempts[0].failure.message;
        assert!(message.contains(expected), "{refuse}: {message}");
        assert!(message.contains(&format!("smtp 127.0.0.1:{}", server.port)), "{message}");
        yard.shutdown().await;
    }
}

#[tokio::test]
async fn a_server_that_refuses_for_good_makes_a_dead_letter_with_five_errors() {
    let mut server = Server::start(&["--refuse", "rcpt:550:100"]).await;
    let yard = start_smtp(options(server.port)).await;
    let key = publish(&yard, "e-1").await;
    let (status, attempts) = finished(&yard, &key).await;
    assert_eq!(status.state, JobState::Failed);
    assert_eq!(attempts.len(), 5);
    assert!(
        attempts.iter().all(|a| a.failure.message.contains("550 not now: rcpt")),
        "{attempts:?}"
    );
    assert_eq!(server.count("mail"), 0);
    yard.shutdown().await;
}

#[tokio::test]
async fn a_server_that_comes_back_gets_the_mail() {
    let port = Server::start(&[]).await.port;
    let yard = start_smtp(options(port)).await;
    let emails = QueueName::new(EMAILS).unwrap();
    let key = publish(&yard, "e-1").await;
    let (status, attempts) = finished(&yard, &key).await;
    assert_eq!((status.state, attempts.len()), (JobState::Failed, 5), "nobody listens");
    assert!(attempts[0].failure.message.contains("at connect"), "{attempts:?}");

    let mut server = Server::start(&["--port", &port.to_string()]).await;
    yard.retry(JobKey { queue: emails, id: key.id.clone() }).await.unwrap();
    assert_eq!(header(&server.wait_for("mail").await, "Message-ID"), "<e-1.emails@example.com>");
    yard.shutdown().await;
}

#[tokio::test]
async fn connections_are_kept_for_the_next_mail() {
    let mut server = Server::start(&[]).await;
    let yard = start_smtp(SmtpOptions { connections: 1, ..options(server.port) }).await;
    for n in 0..10 {
        publish(&yard, &format!("e-{n}")).await;
    }
    server.wait_for("connected").await;
    for _ in 0..9 {
        server.wait_for("mail").await;
    }
    let (status, _) = finished(&yard, &publish(&yard, "e-9").await).await;
    assert_eq!(status.state, JobState::Completed);
    assert_eq!(server.count("connected"), 0, "one connection carried all");
    yard.shutdown().await;
}

/// Loses its answer once, after the server took the mail: as a worker does that dies before its commit.
struct Forgetful(Smtp, AtomicU32);

#[async_trait]
impl Mailer for Forgetful {
    async fn send(&self, mail: &Mail, cx: &Context) -> Result<String, MailError> {
        let sent = self.0.send(mail, cx).await?;
        match self.1.fetch_add(1, Ordering::Relaxed) {
            0 => Err(MailError::Compose("lost".to_owned())),
            _ => Ok(sent),
        }
    }
}

#[tokio::test]
async fn a_redelivery_can_be_recognised() {
    let mut server = Server::start(&[]).await;
    let smtp = Smtp::new(options(server.port)).unwrap();
    let yard = start(Forgetful(smtp, AtomicU32::new(0))).await;
    publish(&yard, "e-1").await;
    let (first, second) = (server.wait_for("mail").await, server.wait_for("mail").await);
    assert_eq!(header(&first, "Message-ID"), header(&second, "Message-ID"));
    yard.shutdown().await;
}

#[tokio::test]
async fn tls_and_login_are_as_configured() {
    let certificates = Certificates::make();
    for (tls, name) in [(Tls::StartTls, "starttls"), (Tls::Required, "required")] {
        let [a, b, c, d] = certificates.arguments();
        let mut server =
            Server::start(&["--tls", name, "--login", "parking:hunter2", a, b, c, d]).await;
        let port = server.port;
        let trusting = || {
            let options = options(0).tls(tls).port(port);
            SmtpOptions { ca_file: Some(certificates.authority.clone()), ..options }
        };
        let yard = start_smtp(trusting().credentials("parking", "hunter2")).await;
        publish(&yard, "e-1").await;
        let mail = server.wait_for("mail").await;
        assert_eq!(
            (&mail["encrypted"], &mail["login"]),
            (&true.into(), &"parking".into()),
            "{name}"
        );
        yard.shutdown().await;

        let check = async |options: SmtpOptions, expected: &str| {
            let yard = start_smtp(options).await;
            let (status, attempts) = finished(&yard, &publish(&yard, "e-2").await).await;
            assert_eq!(status.state, JobState::Failed, "{name}");
            let message = &attempts[0].failure.message;
            assert!(message.contains(expected), "{name}: {expected} in {message}");
            assert!(!message.contains("wrong-password"), "{message}");
            yard.shutdown().await;
        };
        check(trusting().credentials("parking", "wrong-password"), "at AUTH: 535").await;
        let distrusting = options(0).tls(tls).port(port).credentials("parking", "hunter2");
        check(distrusting, "certificate").await;
        assert_eq!(server.count("mail"), 0);
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_does_not_offer_tls() {
    let mut server = Server::start(&[]).await;
    let options = options(0).tls(Tls::StartTls).port(server.port);
    let yard = start_smtp(options.credentials("parking", "hunter2")).await;
    let (status, attempts) = finished(&yard, &publish(&yard, "e-1").await).await;
    assert_eq!(status.state, JobState::Failed);
    assert!(attempts[0].failure.message.contains("at STARTTLS"), "{attempts:?}");
    assert_eq!(server.count("mail"), 0);
    yard.shutdown().await;
}

#[test]
fn a_file_of_authorities_must_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    let check = |expected: &str| {
        let options = SmtpOptions { ca_file: Some(file.clone()), ..SmtpOptions::new("localhost") };
        let error = Smtp::new(options).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected} in {error}");
    };
    check("cannot be read");
    std::fs::write(&file, "nothing").unwrap();
    check("holds no certificate");
}
