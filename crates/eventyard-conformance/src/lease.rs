//! Leases: who may write in a job's name.

use eventyard_core::{
    Commit, CommitError, Effect, JobState, Keep, Lease, LeaseToken, Renewal, Settlement, Write,
};

use crate::{
    Fixture,
    fixture::{LEASE, UPKEEP},
    given::{event, failure, job, jobs, key, ms, publish, put, secs},
};

fn stale(lease: &Lease) -> CommitError {
    CommitError::StaleLease { job: lease.job.clone(), attempt: lease.attempt }
}

fn done() -> Settlement {
    Settlement::Complete { result: None, keep: Keep::FOREVER }
}

/// A worker that was given up for dead finishes nothing, whether its job waits or runs elsewhere.
pub async fn a_late_acknowledgement_is_refused(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let first = f.claim_one("q").await.lease;
    f.pass(LEASE).await;
    assert_eq!(f.try_settle(&first, done()).await, Err(stale(&first)), "it waits");
    let second = f.claim_one("q").await.lease;
    assert_eq!((second.attempt, &second.job), (2, &first.job));
    assert_ne!(second.token, first.token);
    let every = [
        done(),
        Settlement::Retry { at: f.now(), failure: failure("late") },
        Settlement::Snooze { at: f.now() },
        Settlement::Release,
        Settlement::Fail { failure: failure("late"), keep: Keep::FOREVER },
    ];
    for settlement in every {
        assert_eq!(f.try_settle(&first, settlement).await, Err(stale(&first)), "it runs elsewhere");
    }
    assert_eq!(f.try_settle(&second, done()).await, Ok(vec![Effect::Done]));
    assert_eq!(f.status("q", "a").await.job.attempts_made, 2);
}

/// An attempt is settled once.
pub async fn a_second_settlement_is_refused(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    f.settle(&lease, done()).await;
    let before = f.status("q", "a").await;
    let late = Settlement::Fail { failure: failure("late"), keep: Keep::NOTHING };
    assert_eq!(f.try_settle(&lease, late).await, Err(stale(&lease)));
    assert_eq!(f.status("q", "a").await, before);
}

/// Of attempts that are settled in one batch, each is judged by its own lease.
pub async fn of_a_batch_each_lease_is_judged_by_itself(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b", "c", "d"])).await;
    let leases: Vec<_> = f.claim("q", 4).await.into_iter().map(|leased| leased.lease).collect();
    f.settle(&leases[1], Settlement::Release).await;
    let batch = [0, 1, 2, 2, 3, 0].map(|at| {
        let lease: &Lease = &leases[at];
        Commit::under(lease.clone(), [Write::Settle(done())])
    });
    let answers = f.store.commit(batch.into()).await.unwrap();
    let expected = [(0, true), (1, false), (2, true), (2, false), (3, true), (0, false)];
    for (answer, (at, holds)) in answers.into_iter().zip(expected) {
        let expected = if holds { Ok(vec![Effect::Done]) } else { Err(stale(&leases[at])) };
        assert_eq!(answer, expected, "{}", leases[at].job);
    }
    assert_eq!(f.listed("q", JobState::Completed).await, ["d", "c", "a"]);
    assert_eq!(f.claim_ids("q", 9).await, ["b"]);
    assert_eq!(f.status("q", "a").await.job.attempts_made, 1);
}

/// Nothing of a commit under a lease that does not hold takes effect.
pub async fn a_stale_commit_writes_nothing(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    f.settle(&lease, Settlement::Release).await;
    let writes = [
        publish(&event("e", "late"), &["r"]),
        Write::Enqueue(job("r", "b")),
        Write::Log("late".to_owned()),
        Write::Progress("1".into()),
        put("d", "late", None),
    ];
    for write in writes {
        let answer = f.try_commit(Commit::under(lease.clone(), [write])).await;
        assert_eq!(answer, Err(stale(&lease)));
    }
    assert_eq!(f.try_commit(Commit::under(lease.clone(), [])).await, Err(stale(&lease)));
    assert_eq!(f.paused("r").await, None);
    assert_eq!(f.inspect.event(&event("e", "late").id).await.unwrap(), None);
    assert_eq!(f.inspect.document("things", "d").await.unwrap(), None);
    assert_eq!(f.inspect.logs(&key("q", "a")).await.unwrap(), []);
    assert_eq!(f.status("q", "a").await.progress, None);
}

/// A token holds for its own job alone, and an invented one holds for none.
pub async fn tokens_cannot_be_borrowed(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b"])).await;
    let [a, b]: [_; 2] = f.claim("q", 2).await.try_into().unwrap();
    let mut borrowed = a.lease.clone();
    borrowed.token = b.lease.token;
    let mut elsewhere = a.lease.clone();
    elsewhere.job = key("other", "a");
    for number in [0, 1, u128::MAX, a.lease.token.as_u128() ^ 1 << 100] {
        let mut invented = a.lease.clone();
        invented.token = LeaseToken::from_u128(number);
        assert_eq!(f.try_settle(&invented, done()).await, Err(stale(&invented)));
        assert_eq!(f.inspect.leased(invented.token).await.unwrap(), None);
    }
    assert_eq!(f.try_settle(&borrowed, done()).await, Err(stale(&borrowed)));
    assert_eq!(f.try_settle(&elsewhere, done()).await, Err(stale(&elsewhere)));
    let renewals = f.store.renew(vec![borrowed, elsewhere], LEASE).await.unwrap();
    assert_eq!(renewals, [Renewal::Lost, Renewal::Lost]);
    f.settle(&a.lease, done()).await;
    f.settle(&b.lease, done()).await;
}

/// A lease whose time is over holds as long as nobody took the job over.
pub async fn a_lease_holds_until_somebody_takes_over(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    f.advance(LEASE * 10);
    assert_eq!(f.claim_ids("q", 1).await, [""; 0], "a claim takes nothing over");
    f.settle(&lease, done()).await;
    assert_eq!(f.maintain(UPKEEP).await.taken_over, 0);
}

/// A renewal makes a lease hold for as long as it asks, from now on; also for less than before.
pub async fn a_renewal_counts_from_now(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    f.advance(LEASE - ms(1));
    let until = f.now() + LEASE;
    assert_eq!(f.store.renew(vec![lease.clone()], LEASE).await.unwrap(), [Renewal::Until(until)]);
    assert_eq!(f.status("q", "a").await.leased_until, Some(until));
    assert_eq!(f.inspect.leased(lease.token).await.unwrap().unwrap().until, until);
    f.pass(LEASE - ms(1)).await;
    f.write_under(&lease, [Write::Log("still here".to_owned())]).await;

    let until = f.now() + secs(1);
    assert_eq!(f.store.renew(vec![lease.clone()], secs(1)).await.unwrap(), [Renewal::Until(until)]);
    f.advance(secs(1));
    assert_eq!(f.maintain(UPKEEP).await.taken_over, 1);
    assert_eq!(f.store.renew(vec![lease], secs(1)).await.unwrap(), [Renewal::Lost]);
}

/// Renewals are answered in order; those of ended attempts are lost, one that is late but not taken over is not.
pub async fn renewals_are_answered_one_by_one(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b", "c"])).await;
    let [a, b, c] = <[_; 3]>::try_from(f.claim("q", 3).await).unwrap().map(|l| l.lease);
    f.settle(&a, done()).await;
    f.settle(&c, Settlement::Release).await;
    f.advance(LEASE * 2);
    let again = f.claim_one("q").await.lease;
    let asked = vec![c.clone(), b.clone(), a, again.clone(), b];
    let until = Renewal::Until(f.now() + secs(7));
    let answers = f.store.renew(asked, secs(7)).await.unwrap();
    assert_eq!(answers, [Renewal::Lost, until, Renewal::Lost, until, until]);
    assert_eq!(again.job, c.job);
    assert_eq!(f.store.renew(vec![], secs(7)).await.unwrap(), []);
}

/// A token leads to its job as long as the lease holds.
pub async fn a_token_leads_to_its_job(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b"])).await;
    let leased = f.claim("q", 2).await;
    for l in &leased {
        assert_eq!(f.inspect.leased(l.lease.token).await.unwrap().as_ref(), Some(l));
    }
    f.settle(&leased[0].lease, done()).await;
    assert_eq!(f.inspect.leased(leased[0].lease.token).await.unwrap(), None);
    f.pass(LEASE).await;
    assert_eq!(f.inspect.leased(leased[1].lease.token).await.unwrap(), None);
}

/// A claim after a release hands out the same attempt under a new token.
pub async fn a_release_ends_the_lease(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let first = f.claim_one("q").await.lease;
    f.settle(&first, Settlement::Release).await;
    let second = f.claim_one("q").await.lease;
    assert_eq!((first.attempt, second.attempt), (1, 1));
    assert_ne!(first.token, second.token);
    assert_eq!(f.try_settle(&first, done()).await, Err(stale(&first)));
    f.settle(&second, done()).await;
}
