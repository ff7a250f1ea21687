//! A mail server that is down: the retries, to the millisecond.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use eventyard::{Context, Eventyard, model::JobState, secs, testing::TestYard};
use eventyard_notify::{
    Deps, booking,
    event::BookingCreated,
    mail::{Mail, MailError, Mailbox, Mailer},
};

use super::{mails, sample};

/// A mail server that is down for the first attempts.
struct Down {
    attempts: u32,
    seen: AtomicU32,
}

#[async_trait]
impl Mailer for Down {
    async fn send(&self, mail: &Mail, cx: &Context) -> Result<String, MailError> {
        if self.seen.fetch_add(1, Ordering::Relaxed) >= self.attempts {
            return Mailbox.send(mail, cx).await;
        }
        let (server, problem) = ("smtp mail:25".to_owned(), "connection refused".to_owned());
        Err(MailError::Server { server, step: "connect", problem })
    }
}

fn app_with_server_down_for(attempts: u32) -> TestYard {
    let mailer = Arc::new(Down { attempts, seen: AtomicU32::new(0) });
    let deps = Deps::mailbox("Parking <no-reply@example.com>".parse().unwrap()).unwrap();
    booking(Eventyard::in_memory(), Deps { mailer, ..deps }).test()
}

#[tokio::test]
async fn with_the_server_down_the_mail_comes_after_retries() {
    let t = app_with_server_down_for(4);
    t.publish(sample::<BookingCreated>(&t)).await;
    t.advance(Duration::from_millis(29_999)).await;
    assert!(mails(&t).await.is_empty());
    t.advance(Duration::from_millis(1)).await;
    assert_eq!(mails(&t).await.len(), 1, "2 s, 4 s, 8 s and 16 s after the first attempt");
}

#[tokio::test]
async fn a_mail_is_tried_five_times_with_an_error_each() {
    let t = app_with_server_down_for(100);
    t.publish(sample::<BookingCreated>(&t)).await;
    t.advance(secs(62)).await;
    let failed = t.jobs::<BookingCreated>(JobState::Failed);
    let attempts = t.inspect().attempts(&failed[0].job.key()).await.unwrap();
    let starts: Vec<_> =
        attempts.iter().map(|a| a.started_at.since(attempts[0].started_at).as_millis()).collect();
    assert_eq!(starts, [0, 2000, 6000, 14_000, 30_000]);
    let expected = "smtp mail:25 did not take the mail at connect: connection refused";
    assert!(attempts.iter().all(|a| a.failure.message == expected), "{attempts:?}");
}
