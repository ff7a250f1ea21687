//! Changing jobs that are not finished: their data, priority and time.

use eventyard_core::{
    CommitError, JobKey, JobState, Keep, Settlement, Write, options::MAX_PRIORITY,
};

use crate::{
    Fixture,
    given::{
        HOUR, delayed, event, failure, job, jobs, key, keyed, lifo, ms, prioritized, publish, secs,
    },
    waking::{still_waits, woken_with},
};

fn update(queue: &str, id: &str, data: &str) -> Write {
    Write::Update { job: key(queue, id), data: data.to_owned().into() }
}

fn reprioritize(id: &str, priority: u32) -> Write {
    Write::Reprioritize { job: key("q", id), priority }
}

/// Tries a write on a job in each state; the states in which it is refused.
async fn refusals(f: &Fixture, write: impl Fn(JobKey) -> Write) -> Vec<JobState> {
    f.enqueue(jobs("q", ["active-one", "completed-one", "failed-one"])).await;
    let leased = f.claim("q", 3).await;
    f.complete(&leased[1].lease, Keep::FOREVER).await;
    f.fail(&leased[2].lease).await;
    let child = job("parts", "child");
    let child = crate::given::child_of(&key("q", "parent"), Default::default(), child);
    f.enqueue([crate::given::parent("q", "parent"), child]).await;
    f.enqueue([job("q", "waiting"), prioritized("q", "prioritized-one", 1)]).await;
    f.enqueue([delayed("q", "delayed-one", HOUR)]).await;
    let mut refused = Vec::new();
    for id in [
        "waiting",
        "prioritized-one",
        "delayed-one",
        "active-one",
        "parent",
        "completed-one",
        "failed-one",
    ] {
        match f.try_commit(eventyard_core::Commit::of([write(key("q", id))])).await {
            Ok(_) => {}
            Err(CommitError::WrongState { state, .. }) => refused.push(state),
            Err(other) => panic!("{id}: {other:?}"),
        }
    }
    let absent = key("q", "absent");
    assert_eq!(f.refused([write(absent.clone())]).await, CommitError::NoSuchJob(absent));
    refused
}

/// The data of every job that is not finished can be changed.
pub async fn data_of_unfinished_jobs(f: &Fixture) {
    let refused = refusals(f, |job| Write::Update { job, data: "new".into() }).await;
    assert_eq!(refused, [JobState::Completed, JobState::Failed]);
    for id in ["waiting", "delayed-one", "active-one", "parent"] {
        assert_eq!(&f.status("q", id).await.job.payload.data()[..], b"new", "{id}");
    }
}

/// Priority and time are those of waiting and delayed jobs.
pub async fn priorities_of_waiting_jobs(f: &Fixture) {
    let refused = refusals(f, |job| Write::Reprioritize { job, priority: 7 }).await;
    let others = [JobState::Active, JobState::WaitingChildren];
    assert_eq!(refused, [&others[..], &[JobState::Completed, JobState::Failed]].concat());
}

/// Priority and time are those of waiting and delayed jobs.
pub async fn times_of_waiting_jobs(f: &Fixture) {
    let at = f.now() + secs(5);
    let refused = refusals(f, |job| Write::Reschedule { job, at }).await;
    let others = [JobState::Active, JobState::WaitingChildren];
    assert_eq!(refused, [&others[..], &[JobState::Completed, JobState::Failed]].concat());
}

/// The next attempt gets the new data; one that runs has what it began with.
pub async fn the_next_attempt_gets_the_data(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    f.write(update("q", "a", "1")).await;
    let leased = f.claim_one("q").await;
    assert_eq!(&leased.job.payload.data()[..], b"1");
    f.write(update("q", "a", "2")).await;
    let again = Settlement::Retry { at: f.now(), failure: failure("no") };
    f.settle(&leased.lease, again).await;
    let leased = f.claim_one("q").await;
    assert_eq!(&leased.job.payload.data()[..], b"2");
    assert_eq!((leased.job.name.as_ref(), leased.job.attempts_made), ("test.job", 1));
}

/// The data of a job that was made of an event is the job's own; the event stays as it was published.
pub async fn an_event_stays_as_it_was(f: &Fixture) {
    let published = event("e", "order.placed");
    f.write(publish(&published, &["one", "two"])).await;
    f.write(update("one", "e", "{\"changed\":1}")).await;
    let one = f.claim_one("one").await;
    let carried = one.job.payload.event().expect("it still carries its event");
    assert_eq!((&carried.id, &carried.kind), (&published.id, &published.kind));
    assert_eq!(&one.job.payload.data()[..], b"{\"changed\":1}");
    let two = f.claim_one("two").await;
    assert_eq!(two.job.payload.data(), &published.data);
    assert_eq!(f.inspect.event(&published.id).await.unwrap().unwrap(), published);
}

/// A job goes behind those that have its new priority already, or before them if it is LIFO.
pub async fn a_new_priority_is_a_new_place(f: &Fixture) {
    f.enqueue([job("q", "a"), job("q", "b"), prioritized("q", "c", 2), lifo("q", "l")]).await;
    f.commit([reprioritize("a", 2), reprioritize("l", 2)]).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Prioritized));
    assert_eq!(f.status("q", "a").await.job.options.priority, Some(2));
    assert_eq!(f.listed("q", JobState::Prioritized).await, ["l", "c", "a"]);
    assert_eq!(f.listed("q", JobState::Waiting).await, ["b"]);
    f.write(reprioritize("c", 0)).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b", "c", "l", "a"]);
}

/// A delayed job has its new priority when its time comes; the delay stays.
pub async fn a_priority_does_not_end_a_delay(f: &Fixture) {
    f.enqueue([delayed("q", "late", secs(5)), prioritized("q", "a", 3)]).await;
    f.write(reprioritize("late", 1)).await;
    assert_eq!(f.status("q", "late").await.due_at, Some(f.now() + secs(5)));
    assert_eq!(f.claim_ids("q", 1).await, ["a"]);
    f.enqueue([prioritized("q", "b", 2)]).await;
    f.pass(secs(5)).await;
    assert_eq!(f.claim_ids("q", 9).await, ["late", "b"]);
}

/// A priority out of range is refused.
pub async fn priorities_have_a_range(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    f.write(reprioritize("a", MAX_PRIORITY)).await;
    let refused = f.refused([reprioritize("a", MAX_PRIORITY + 1)]).await;
    assert!(matches!(refused, CommitError::Malformed(_)), "{refused:?}");
    assert_eq!(f.status("q", "a").await.job.options.priority, Some(MAX_PRIORITY));
}

/// A job runs at its new time and not at its old one: later, sooner or at once.
pub async fn a_new_time_replaces_the_old_one(f: &Fixture) {
    let start = f.now();
    let at = |id, after| Write::Reschedule { job: key("q", id), at: start + after };
    f.enqueue([job("q", "waiting"), delayed("q", "late", secs(5))]).await;
    f.enqueue([delayed("q", "soon", secs(60)), delayed("q", "past", secs(60))]).await;
    f.commit([at("waiting", secs(10)), at("late", secs(20)), at("soon", secs(2))]).await;
    f.commit([at("past", ms(0))]).await;
    assert_eq!(f.listed("q", JobState::Delayed).await, ["soon", "waiting", "late"]);
    assert_eq!(f.status("q", "waiting").await.due_at, Some(start + secs(10)));
    assert_eq!(f.claim_ids("q", 9).await, ["past"]);
    let mut seen = Vec::new();
    for second in 1..=60 {
        f.advance(secs(1));
        seen.extend(f.claim_ids("q", 9).await.into_iter().map(|id| (second, id)));
    }
    let expected = [(2, "soon"), (10, "waiting"), (20, "late")].map(|(s, id)| (s, id.to_owned()));
    assert_eq!(seen, expected);
}

/// A claim that waits is woken at the new time.
pub async fn a_new_time_wakes(f: &Fixture) {
    f.enqueue([delayed("q", "a", HOUR * 2), delayed("q", "b", secs(5))]).await;
    let mut waiting = f.wait("q", HOUR);
    f.write(Write::Reschedule { job: key("q", "b"), at: f.now() + HOUR * 2 }).await;
    f.advance(secs(5));
    still_waits(&mut waiting);
    f.write(Write::Reschedule { job: key("q", "a"), at: f.now() + secs(5) }).await;
    still_waits(&mut waiting);
    f.advance(secs(5));
    woken_with(waiting, "a").await;
}

/// What is changed about a job stays inside its key.
pub async fn changes_stay_inside_a_key(f: &Fixture) {
    f.enqueue([keyed("q", "a1", "a"), keyed("q", "a2", "a"), keyed("q", "b1", "b")]).await;
    f.write(reprioritize("a1", 9)).await;
    f.write(Write::Reschedule { job: key("q", "b1"), at: f.now() + secs(1) }).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a2", "a1"]);
    f.advance(secs(1));
    assert_eq!(f.claim_ids("q", 9).await, ["b1"]);
}
