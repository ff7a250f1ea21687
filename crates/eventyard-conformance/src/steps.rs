//! What a job has done already: its steps.

use eventyard_core::{
    Commit, CommitError, JobKey, JobState, Keep, Lease, Settlement, StepName, Timestamp, Upkeep,
    Write,
    commit::{MAX_STEP_RESULT_BYTES, MAX_STEPS},
    id::MAX_STEP_NAME_BYTES,
    inspect::SavedStep,
};

use crate::{
    Fixture,
    fixture::{LEASE, UPKEEP},
    given::{failure, impossible, job, jobs, key, ms, numbered, queue_name, secs, step},
};

async fn steps(f: &Fixture, job: &JobKey) -> Vec<SavedStep> {
    f.inspect.steps(job).await.unwrap()
}

/// The names and the results of a job's steps.
async fn saved(f: &Fixture, job: &JobKey) -> Vec<(String, String)> {
    let steps = steps(f, job).await.into_iter();
    steps
        .map(|step| (step.name.to_string(), String::from_utf8(step.result.to_vec()).unwrap()))
        .collect()
}

fn pairs<const N: usize>(all: [(&str, &str); N]) -> Vec<(String, String)> {
    all.map(|(name, result)| (name.to_owned(), result.to_owned())).into()
}

/// A job that is active and has saved a step.
async fn begun(f: &Fixture, id: &str) -> Lease {
    f.enqueue([job("q", id)]).await;
    let lease = f.claim_one("q").await.lease;
    f.write_under(&lease, [step("one", "1")]).await;
    lease
}

/// Steps are there at once, in the order in which they were saved, each with its time.
pub async fn listed_in_the_order_of_saving(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    assert_eq!(steps(f, &lease.job).await, []);
    let first = f.now();
    f.write_under(&lease, [step("reserve", "{\"seat\":7}"), step("charge", "null")]).await;
    f.advance(ms(5));
    f.write_under(&lease, [step("book", "[1, 2]")]).await;
    let expected = |name: &str, saved_at: Timestamp, result: &'static str| SavedStep {
        name: StepName::new(name).unwrap(),
        saved_at,
        result: result.into(),
    };
    let all = [
        expected("reserve", first, "{\"seat\":7}"),
        expected("charge", first, "null"),
        expected("book", f.now(), "[1, 2]"),
    ];
    assert_eq!(steps(f, &lease.job).await, all);
    f.complete(&lease, Keep::FOREVER).await;
    assert_eq!(steps(f, &lease.job).await, all);
    assert_eq!(f.inspect.steps(&key("q", "none")).await.unwrap(), []);
    assert_eq!(f.inspect.steps(&key("none", "a")).await.unwrap(), []);
}

/// A step that is saved again has another result and another time, and the same place.
pub async fn replaced_at_its_place(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    f.write_under(&lease, [step("one", "1"), step("two", "2"), step("one", "3")]).await;
    f.advance(ms(5));
    f.write_under(&lease, [step("three", "4"), step("two", "5")]).await;
    let expected = pairs([("one", "3"), ("two", "5"), ("three", "4")]);
    assert_eq!(saved(f, &lease.job).await, expected);
    let times: Vec<_> = steps(f, &lease.job).await.iter().map(|step| step.saved_at).collect();
    assert_eq!(times, [f.now() - ms(5), f.now(), f.now()]);
}

/// A step needs a lease, and comes before the settlement.
pub async fn saved_in_the_jobs_name_alone(f: &Fixture) {
    let lease = begun(f, "a").await;
    let done = || Write::Settle(Settlement::Complete { result: None, keep: Keep::FOREVER });
    for (lease, writes) in
        [(None, vec![step("two", "2")]), (Some(&lease), vec![done(), step("two", "2")])]
    {
        let answer = f.try_commit(Commit { lease: lease.cloned(), writes }).await;
        assert!(matches!(answer, Err(CommitError::Malformed(_))), "{answer:?}");
    }
    assert_eq!(saved(f, &lease.job).await, pairs([("one", "1")]));
    f.write_under(&lease, [step("two", "2"), done()]).await;
    assert_eq!(saved(f, &lease.job).await, pairs([("one", "1"), ("two", "2")]));
}

/// Who has lost the job can save nothing more.
pub async fn saved_under_a_lease_that_holds(f: &Fixture) {
    let stale = begun(f, "a").await;
    f.pass(LEASE).await;
    let check = async |lease: &Lease| {
        for name in ["one", "two"] {
            let answer = f.try_commit(Commit::under(lease.clone(), [step(name, "0")])).await;
            assert!(matches!(answer, Err(CommitError::StaleLease { .. })), "{answer:?}");
        }
    };
    check(&stale).await;
    let lease = f.claim_one("q").await.lease;
    check(&stale).await;
    f.write_under(&lease, [step("two", "2")]).await;
    f.complete(&lease, Keep::FOREVER).await;
    check(&lease).await;
    assert_eq!(saved(f, &lease.job).await, pairs([("one", "1"), ("two", "2")]));
}

/// A step stays when its attempt fails, snoozes, waits for children, or ends the job.
pub async fn whatever_becomes_of_the_attempt(f: &Fixture) {
    let mut lease = begun(f, "a").await;
    let mut expected = pairs([("one", "1")]);
    for (n, settlement) in [
        Settlement::Retry { at: f.now(), failure: failure("no") },
        Settlement::Retry { at: f.now() + secs(5), failure: failure("no") },
        Settlement::Snooze { at: f.now() },
        Settlement::Snooze { at: f.now() + secs(9) },
        Settlement::AwaitChildren,
        Settlement::Fail { failure: failure("no"), keep: Keep::FOREVER },
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("step {n}");
        f.write_under(&lease, [step(&name, "true"), Write::Settle(settlement.clone())]).await;
        expected.push((name, "true".to_owned()));
        assert_eq!(saved(f, &lease.job).await, expected, "{settlement:?}");
        if !matches!(settlement, Settlement::Fail { .. }) {
            f.advance(secs(9));
            lease = f.claim_one("q").await.lease;
            assert_eq!(saved(f, &lease.job).await, expected, "{settlement:?}");
        }
    }
}

/// Who takes a job over finds what was done.
pub async fn a_takeover_keeps_them(f: &Fixture) {
    let lost = begun(f, "a").await;
    f.pass(LEASE).await;
    assert_eq!(saved(f, &lost.job).await, pairs([("one", "1")]));
    let lease = f.claim_one("q").await.lease;
    f.write_under(&lease, [step("two", "2")]).await;
    f.advance(LEASE);
    assert_eq!(f.maintain(Upkeep { max_crashes: 1, ..UPKEEP }).await.buried, 1);
    assert_eq!(f.state("q", "a").await, Some(JobState::Failed));
    assert_eq!(saved(f, &lease.job).await, pairs([("one", "1"), ("two", "2")]));
}

/// A dead letter that is retried, and a completed job that runs once more, go on where they were.
pub async fn a_retry_keeps_them(f: &Fixture) {
    let lease = begun(f, "a").await;
    f.fail(&lease).await;
    f.write(Write::Retry(lease.job.clone())).await;
    assert_eq!(saved(f, &lease.job).await, pairs([("one", "1")]));
    let lease = f.claim_one("q").await.lease;
    f.write_under(&lease, [step("two", "2")]).await;
    f.complete(&lease, Keep::FOREVER).await;
    f.write(Write::Retry(lease.job.clone())).await;
    let lease = f.claim_one("q").await.lease;
    f.write_under(&lease, [step("one", "3"), step("three", "4")]).await;
    let expected = pairs([("one", "3"), ("two", "2"), ("three", "4")]);
    assert_eq!(saved(f, &lease.job).await, expected);
}

/// A job that is given back keeps what it has done, also when an operator changes it meanwhile.
pub async fn a_release_keeps_them(f: &Fixture) {
    let lease = begun(f, "a").await;
    f.settle(&lease, Settlement::Release).await;
    f.commit([
        Write::Update { job: key("q", "a"), data: "2".into() },
        Write::Reprioritize { job: key("q", "a"), priority: 3 },
        Write::Reschedule { job: key("q", "a"), at: f.now() + secs(5) },
        Write::Promote(key("q", "a")),
    ])
    .await;
    assert_eq!(saved(f, &lease.job).await, pairs([("one", "1")]));
    let claimed = f.claim_one("q").await;
    assert_eq!(claimed.job.payload.data(), "2");
    assert_eq!(saved(f, &claimed.lease.job).await, pairs([("one", "1")]));
}

/// Steps go with their job: by a removal, by what its settlement says, by its age, by a cleaning.
pub async fn gone_with_the_job(f: &Fixture) {
    let complete = |keep| Settlement::Complete { result: None, keep };
    for settlement in
        [complete(Keep::NOTHING), Settlement::Fail { failure: failure("no"), keep: Keep::NOTHING }]
    {
        let lease = begun(f, "a").await;
        f.write_under(&lease, [step("two", "2"), Write::Settle(settlement)]).await;
        f.assert_gone(&lease.job).await;
    }

    let lease = begun(f, "a").await;
    f.settle(&lease, complete(Keep::age(secs(10)))).await;
    f.pass(secs(9)).await;
    assert_eq!(steps(f, &lease.job).await.len(), 1);
    f.pass(secs(1)).await;
    f.assert_gone(&lease.job).await;

    let lease = begun(f, "a").await;
    f.settle(&lease, Settlement::Snooze { at: f.now() + secs(9) }).await;
    f.write(Write::Remove(lease.job.clone())).await;
    f.assert_gone(&lease.job).await;

    let lease = begun(f, "a").await;
    f.complete(&lease, Keep::FOREVER).await;
    let state = JobState::Completed;
    f.write(Write::Clean { queue: queue_name("q"), state, older_than: ms(0), limit: 9 }).await;
    f.assert_gone(&lease.job).await;
}

/// Of many jobs that are removed together, those with steps leave none behind.
pub async fn gone_with_what_is_removed_together(f: &Fixture) {
    f.enqueue(numbered("q", 6)).await;
    let leased = f.claim("q", 6).await;
    for leased in leased.iter().step_by(2) {
        f.write_under(&leased.lease, [step("one", "1")]).await;
    }
    for leased in &leased {
        let keep = Keep::count(2);
        f.settle(&leased.lease, Settlement::Complete { result: None, keep }).await;
    }
    for gone in ["j0000", "j0001", "j0002", "j0003"] {
        f.assert_gone(&key("q", gone)).await;
    }
    assert_eq!(steps(f, &key("q", "j0004")).await.len(), 1);
    assert_eq!(steps(f, &key("q", "j0005")).await, []);
    f.commit([
        Write::Remove(key("q", "j0004")),
        Write::Remove(key("q", "j0005")),
        Write::Forget(queue_name("q")),
    ])
    .await;
    f.assert_gone(&key("q", "j0004")).await;
}

/// A job with the id of one that was removed has done nothing yet.
pub async fn an_id_that_comes_back_begins_anew(f: &Fixture) {
    let lease = begun(f, "a").await;
    f.complete(&lease, Keep::FOREVER).await;
    f.commit([Write::Remove(lease.job.clone()), Write::Enqueue(job("q", "a"))]).await;
    let lease = f.claim_one("q").await.lease;
    assert_eq!(steps(f, &lease.job).await, []);
    f.write_under(&lease, [step("two", "2"), step("one", "3")]).await;
    assert_eq!(saved(f, &lease.job).await, pairs([("two", "2"), ("one", "3")]));
}

/// Steps are their job's own: others of the queue, and those of the same id elsewhere, have theirs.
pub async fn apart_from_those_of_other_jobs(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b"]).into_iter().chain([job("r", "a")])).await;
    let mut leased = f.claim("q", 2).await;
    leased.extend(f.claim("r", 1).await);
    for (n, leased) in leased.iter().enumerate() {
        f.write_under(&leased.lease, [step("one", &n.to_string())]).await;
    }
    f.settle(&leased[0].lease, Settlement::Complete { result: None, keep: Keep::NOTHING }).await;
    f.assert_gone(&key("q", "a")).await;
    assert_eq!(saved(f, &key("q", "b")).await, pairs([("one", "1")]));
    assert_eq!(saved(f, &key("r", "a")).await, pairs([("one", "2")]));
}

/// A step in a commit that is refused is not saved, and does not replace one.
pub async fn undone_with_their_commit(f: &Fixture) {
    let lease = begun(f, "a").await;
    let commit = Commit::under(lease.clone(), [step("one", "9"), step("two", "2"), impossible()]);
    assert!(matches!(f.try_commit(commit).await, Err(CommitError::NoSuchJob(_))));
    assert_eq!(saved(f, &lease.job).await, pairs([("one", "1")]));
    f.write_under(&lease, [step("three", "3")]).await;
    assert_eq!(saved(f, &lease.job).await, pairs([("one", "1"), ("three", "3")]));
}

/// A name is just a name, and a result just bytes.
pub async fn odd_names_and_any_bytes(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    let long = "x".repeat(MAX_STEP_NAME_BYTES);
    let names = ["a", "A", "a ", "é", "e\u{301}", "a:b/c", "'\"%_*?[", "name", "eyn", "7", &long];
    let results: [&'static [u8]; 5] = [b"", b" 1 ", b"\x00\xff", b"{ \"a\": 1.50 }", b"no json"];
    let result = |n: usize| results[n % results.len()];
    for (n, name) in names.iter().enumerate() {
        let name = StepName::new(name).unwrap();
        f.write_under(&lease, [Write::Step { name, result: result(n).into() }]).await;
    }
    let steps = steps(f, &lease.job).await;
    let found: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(found, names);
    for (n, step) in steps.iter().enumerate() {
        assert_eq!(step.result, result(n), "{}", step.name);
    }
    f.settle(&lease, Settlement::Release).await;
    let leased = f.claim_one("q").await;
    assert_eq!((leased.job.name, leased.job.payload), (job("q", "a").name, job("q", "a").payload));
}

/// A result may be as large as a document, and not a byte larger.
pub async fn results_have_a_bound(f: &Fixture) {
    let lease = begun(f, "a").await;
    let large = |bytes| step("large", &"1".repeat(bytes));
    f.write_under(&lease, [large(MAX_STEP_RESULT_BYTES)]).await;
    let answer = f.try_commit(Commit::under(lease.clone(), [large(MAX_STEP_RESULT_BYTES + 1)]));
    assert!(matches!(answer.await, Err(CommitError::Malformed(_))));
    let saved = steps(f, &lease.job).await;
    assert_eq!((saved.len(), saved[1].result.len()), (2, MAX_STEP_RESULT_BYTES));
}

/// A job has no more steps than the bound; those that it has can be saved again.
pub async fn the_most_of_one_job(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    f.write_under(&lease, (1..MAX_STEPS).map(|n| step(&n.to_string(), "0"))).await;
    let too_many = CommitError::TooManySteps { job: lease.job.clone(), limit: MAX_STEPS };
    let two = Commit::under(lease.clone(), [step("last", "1"), step("beyond", "1")]);
    assert_eq!(f.try_commit(two).await, Err(too_many.clone()));
    assert_eq!(steps(f, &lease.job).await.len(), MAX_STEPS as usize - 1);
    f.write_under(&lease, [step("last", "2")]).await;
    let beyond = Commit::under(lease.clone(), [step("beyond", "1")]);
    assert_eq!(f.try_commit(beyond).await, Err(too_many));
    f.write_under(&lease, [step("1", "again")]).await;
    let all = saved(f, &lease.job).await;
    assert_eq!(all.len(), MAX_STEPS as usize);
    assert_eq!(all[0], ("1".to_owned(), "again".to_owned()));
    assert_eq!(all.last().unwrap().1, "2");
    f.complete(&lease, Keep::NOTHING).await;
    f.assert_gone(&lease.job).await;
}
