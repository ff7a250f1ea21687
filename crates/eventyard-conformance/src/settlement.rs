//! How an attempt ends, and what is remembered of it.

use eventyard_core::{
    Commit, CommitError, Effect, FailureKind, JobState, Keep, Lease, Settlement, Write,
    commit::{MAX_ATTEMPT_RECORDS, MAX_LOG_LINE_BYTES, MAX_LOG_LINES},
    inspect::AttemptRecord,
};

use crate::{
    Fixture,
    given::{failure, job, key, ms, secs},
};

fn complete(result: Option<&'static str>) -> Settlement {
    Settlement::Complete { result: result.map(Into::into), keep: Keep::FOREVER }
}

/// A completed job has its result, its end and its attempt counted, and no record of a failure.
pub async fn complete_keeps_the_result(f: &Fixture) {
    f.enqueue([job("q", "a"), job("q", "b")]).await;
    let began = f.now();
    let leased = f.claim("q", 2).await;
    f.advance(ms(250));
    f.settle(&leased[0].lease, complete(Some("{\"sent\":true}"))).await;
    f.settle(&leased[1].lease, complete(None)).await;
    let status = f.status("q", "a").await;
    assert_eq!(status.state, JobState::Completed);
    assert_eq!(status.result.as_deref(), Some(&b"{\"sent\":true}"[..]));
    assert_eq!((status.started_at, status.finished_at), (Some(began), Some(f.now())));
    assert_eq!((status.leased_until, status.due_at, status.failure), (None, None, None));
    assert_eq!(status.worker.unwrap().as_str(), "w");
    assert_eq!((status.job.attempts_made, status.job.crashes), (1, 0));
    assert_eq!(f.inspect.attempts(&key("q", "a")).await.unwrap(), []);
    assert_eq!(f.status("q", "b").await.result, None);
    assert_eq!(f.claim("q", 9).await, []);
}

/// A failed job is a dead letter with its reason; its last attempt is on record.
pub async fn fail_makes_a_dead_letter(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let began = f.now();
    let lease = f.claim_one("q").await.lease;
    f.advance(secs(3));
    let mut why = failure("mailbox is full");
    why.kind = FailureKind::Rejected;
    f.settle(&lease, Settlement::Fail { failure: why.clone(), keep: Keep::FOREVER }).await;
    let status = f.status("q", "a").await;
    assert_eq!(status.state, JobState::Failed);
    assert_eq!(status.failure, Some(why.clone()));
    assert_eq!((status.finished_at, status.result), (Some(f.now()), None));
    assert_eq!(status.job.attempts_made, 1);
    let record = AttemptRecord {
        attempt: 1,
        worker: "w".try_into().unwrap(),
        started_at: began,
        ended_at: f.now(),
        failure: why,
    };
    assert_eq!(f.inspect.attempts(&lease.job).await.unwrap(), [record]);
    assert_eq!(f.claim("q", 9).await, []);
}

/// A retry counts the attempt and records it; every kind of failure comes back as it was.
pub async fn a_retry_is_on_record(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    for (n, kind) in (1..).zip(FailureKind::ALL) {
        let leased = f.claim_one("q").await;
        assert_eq!((leased.lease.attempt, leased.job.attempts_made), (n, n - 1));
        let mut failure = failure("ä\0\u{1f980}");
        failure.kind = kind;
        failure.stack = failure.stack.filter(|_| n % 2 == 0);
        f.settle(&leased.lease, Settlement::Retry { at: f.now(), failure: failure.clone() }).await;
        let records = f.inspect.attempts(&key("q", "a")).await.unwrap();
        assert_eq!(records.len(), n as usize);
        assert_eq!(records.last().unwrap().attempt, n);
        assert_eq!(records.last().unwrap().failure, failure);
    }
    let status = f.status("q", "a").await;
    let kinds = FailureKind::ALL.len();
    assert_eq!((status.job.attempts_made as usize, status.job.crashes), (kinds, 0));
    assert_eq!((status.state, status.failure), (JobState::Waiting, None));
}

/// A snooze and a release count no attempt and record none.
pub async fn a_snooze_and_a_release_do_not_count(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    for settlement in [Settlement::Snooze { at: f.now() }, Settlement::Release] {
        let lease = f.claim_one("q").await.lease;
        assert_eq!(lease.attempt, 1);
        f.settle(&lease, settlement).await;
        assert_eq!(f.status("q", "a").await.job.attempts_made, 0);
        assert_eq!(f.inspect.attempts(&lease.job).await.unwrap(), []);
    }
}

/// The newest records are kept, up to their bound.
pub async fn records_are_bounded(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    for _ in 0..MAX_ATTEMPT_RECORDS + 5 {
        let lease = f.claim_one("q").await.lease;
        let failure = failure("again");
        f.settle(&lease, Settlement::Retry { at: f.now(), failure }).await;
    }
    let records = f.inspect.attempts(&key("q", "a")).await.unwrap();
    let attempts: Vec<_> = records.iter().map(|record| record.attempt).collect();
    assert_eq!(attempts, (6..=MAX_ATTEMPT_RECORDS + 5).collect::<Vec<_>>());
}

/// Progress is what was said last, and stays when the attempt ends.
pub async fn progress_is_shown(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    for progress in ["10", "{\"percent\":20}"] {
        f.write_under(&lease, [Write::Progress(progress.into())]).await;
        assert_eq!(f.status("q", "a").await.progress.as_deref(), Some(progress.as_bytes()));
    }
    f.write_under(&lease, [Write::Progress("99".into()), Write::Settle(Settlement::Release)]).await;
    assert_eq!(f.status("q", "a").await.progress.as_deref(), Some(&b"99"[..]));
    let retry = Settlement::Retry { at: f.now(), failure: failure("no") };
    for settlement in [Settlement::Snooze { at: f.now() }, retry, complete(None)] {
        let lease = f.claim_one("q").await.lease;
        f.settle(&lease, settlement).await;
        assert_eq!(f.status("q", "a").await.progress.as_deref(), Some(&b"99"[..]));
    }
}

/// Log lines come back in order with their times, over all attempts.
pub async fn a_log_is_kept(f: &Fixture) {
    f.enqueue([job("q", "a"), job("q", "b")]).await;
    let lease = f.claim_one("q").await.lease;
    let first = f.now();
    f.write_under(&lease, ["one", "", "zwei\nü"].map(|line| Write::Log(line.to_owned()))).await;
    f.advance(ms(5));
    f.write_under(
        &lease,
        [Write::Log("four".to_owned()), Write::Settle(Settlement::Snooze { at: f.now() })],
    )
    .await;
    let lines = f.inspect.logs(&key("q", "a")).await.unwrap();
    let lines: Vec<_> = lines.iter().map(|line| (line.at, line.line.as_str())).collect();
    assert_eq!(lines, [(first, "one"), (first, ""), (first, "zwei\nü"), (f.now(), "four")]);
    assert_eq!(f.inspect.logs(&key("q", "b")).await.unwrap(), []);
}

/// A log keeps its newest lines, and cuts long ones between two characters.
pub async fn a_log_is_bounded(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    for range in [0..700, 700..MAX_LOG_LINES + 7] {
        f.write_under(&lease, range.map(|n| Write::Log(n.to_string()))).await;
    }
    let lines = f.inspect.logs(&lease.job).await.unwrap();
    assert_eq!(lines.len(), MAX_LOG_LINES as usize);
    assert_eq!((lines[0].line.as_str(), lines.last().unwrap().line.as_str()), ("7", "1006"));

    let fits = "x".repeat(MAX_LOG_LINE_BYTES);
    let long = format!("{}é and more", &fits[1..]);
    f.write_under(&lease, [Write::Log(fits.clone()), Write::Log(long)]).await;
    let lines = f.inspect.logs(&lease.job).await.unwrap();
    let [.., before, last] = &lines[..] else { panic!("two lines") };
    assert_eq!(before.line, fits);
    assert_eq!(last.line, fits[1..], "the character that does not fit is left out");
}

/// Writes after the settlement are fine unless they are in the job's name.
pub async fn other_writes_may_follow_the_settlement(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    let receipt = f
        .write_under(
            &lease,
            [
                Write::Settle(complete(None)),
                Write::Enqueue(job("q", "b")),
                Write::Retry(key("q", "a")),
            ],
        )
        .await;
    assert_eq!(receipt.len(), 3);
    assert_eq!(receipt[0], Effect::Done);
    assert_eq!(f.claim_ids("q", 9).await, ["b", "a"]);
}

/// Writes in a job's name need a lease, and end with the one settlement.
pub async fn contradictions_are_refused(f: &Fixture) {
    f.enqueue([job("q", "a"), job("q", "b")]).await;
    let lease = f.claim_one("q").await.lease;
    let settle = || Write::Settle(complete(None));
    let (log, progress) = (Write::Log("l".to_owned()), Write::Progress("1".into()));
    let check = async |lease: Option<&Lease>, writes: Vec<Write>| {
        let commit = Commit { lease: lease.cloned(), writes };
        let answer = f.try_commit(commit).await;
        assert!(matches!(answer, Err(CommitError::Malformed(_))), "{answer:?}");
    };
    for write in [settle(), log.clone(), progress.clone()] {
        check(None, vec![Write::Enqueue(job("q", "c")), write]).await;
    }
    check(Some(&lease), vec![settle(), settle()]).await;
    check(Some(&lease), vec![settle(), log]).await;
    check(Some(&lease), vec![progress.clone(), settle(), progress]).await;
    assert_eq!(f.state("q", "c").await, None);
    assert_eq!(f.status("q", "a").await.progress, None);
    f.settle(&lease, complete(None)).await;
}
