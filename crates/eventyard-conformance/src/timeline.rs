//! The retries of the booking queues, to the millisecond.

use eventyard_core::{Backoff, JobState, Keep, Settlement};

use crate::{
    Fixture,
    given::{failure, job_with, ms, secs},
};

/// Runs a job that always fails, and checks when its attempts begin and that nothing runs sooner or later.
async fn check(f: &Fixture, queue: &str, attempts: u32, backoff: Backoff, waits_ms: &[u64]) {
    let job = job_with(queue, "booking-7", |options| {
        options.attempts = Some(attempts);
        options.backoff = Some(backoff);
    });
    f.enqueue([job]).await;
    for attempt in 1..=attempts {
        let leased = f.claim_one(queue).await;
        assert_eq!(leased.lease.attempt, attempt);
        let failure = failure("the mail server is away");
        if attempt == leased.job.options.max_attempts() {
            f.settle(&leased.lease, Settlement::Fail { failure, keep: Keep::FOREVER }).await;
            break;
        }
        let wait = leased.job.options.backoff.unwrap().wait(&leased.job.id, attempt);
        let expected = ms(waits_ms[attempt as usize - 1]);
        assert_eq!(wait, expected, "the wait after attempt {attempt}");
        f.settle(&leased.lease, Settlement::Retry { at: f.now() + wait, failure }).await;
        assert_eq!(f.status(queue, "booking-7").await.due_at, Some(f.now() + expected));
        f.advance(expected - ms(1));
        assert_eq!(f.claim(queue, 1).await, [], "a millisecond early");
        f.advance(ms(1));
    }
    assert_eq!(f.state(queue, "booking-7").await, Some(JobState::Failed));
    let records = f.inspect.attempts(&crate::given::key(queue, "booking-7")).await.unwrap();
    let begins: Vec<_> = records.iter().map(|record| record.started_at).collect();
    let waits: Vec<_> = begins.windows(2).map(|w| w[1].since(w[0]).as_millis() as u64).collect();
    assert_eq!(waits, waits_ms);
    f.advance(secs(3600));
    assert_eq!(f.claim(queue, 1).await, [], "nothing runs after the last attempt");
}

/// E-mails: five attempts, waits of 2, 4, 8 and 16 seconds.
pub async fn of_emails(f: &Fixture) {
    check(f, "emails", 5, Backoff::exponential(secs(2)), &[2000, 4000, 8000, 16_000]).await;
}

/// Notifications: three attempts, waits of 1 and 2 seconds.
pub async fn of_notifications(f: &Fixture) {
    check(f, "notifications", 3, Backoff::exponential(secs(1)), &[1000, 2000]).await;
}

/// Tickets: three attempts, 5 seconds apart.
pub async fn of_tickets(f: &Fixture) {
    check(f, "tickets", 3, Backoff::fixed(secs(5)), &[5000, 5000]).await;
}

/// A claim that waits all the time sees the same timeline, without any other call.
pub async fn of_a_waiting_worker(f: &Fixture) {
    let backoff = Backoff::exponential(secs(2));
    f.enqueue([job_with("emails", "a", |options| options.backoff = Some(backoff))]).await;
    let mut lease = f.claim_one("emails").await.lease;
    for wait in [2, 4, 8, 16] {
        let at = f.now() + secs(wait);
        let failure = failure("no");
        f.settle(&lease, Settlement::Retry { at, failure }).await;
        let waiting = f.wait("emails", crate::given::HOUR);
        f.advance(secs(wait));
        lease = waiting.await.unwrap().remove(0).lease;
    }
    assert_eq!(lease.attempt, 5);
}
