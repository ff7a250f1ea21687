//! A commit happens as a whole or not at all.

use eventyard_core::{
    Commit, CommitError, Event, JobState, Keep, NewJob, Payload, Settlement, Write,
};

use crate::{
    Fixture,
    given::{delayed, event, failure, impossible, job, jobs, key, publish, put, queue_name, secs},
    snapshot::Snapshot,
};

/// A store with something of everything, and the writes of every kind that change it.
async fn everything(f: &Fixture) -> Vec<Write> {
    f.enqueue(jobs("q", ["done", "failed-one", "waiting", "removed"])).await;
    let leased = f.claim("q", 2).await;
    f.complete(&leased[0].lease, Keep::FOREVER).await;
    let fail = Settlement::Fail { failure: failure("no"), keep: Keep::FOREVER };
    f.settle(&leased[1].lease, fail).await;
    f.enqueue([delayed("q", "delayed-one", secs(9)), delayed("q", "delayed2", secs(9))]).await;
    f.commit([put("old", "1", None), put("gone", "1", None)]).await;
    f.write(Write::Pause(queue_name("empty"), true)).await;
    vec![
        publish(&event("e", "order.placed"), &["q", "fresh"]),
        Write::Enqueue(job("q", "added")),
        Write::Enqueue(delayed("fresher", "added", secs(1))),
        put("old", "2", Some(1)),
        put("new", "1", Some(0)),
        Write::Delete { collection: "things".to_owned(), key: "gone".to_owned() },
        Write::Retry(key("q", "failed-one")),
        Write::Promote(key("q", "delayed-one")),
        Write::Remove(key("q", "removed")),
        Write::Pause(queue_name("q"), true),
        Write::Pause(queue_name("freshest"), false),
        Write::Clean {
            queue: queue_name("q"),
            state: JobState::Completed,
            older_than: secs(0),
            limit: 9,
        },
        Write::Forget(queue_name("empty")),
    ]
}

/// Each of the writes that can be refused, refused.
fn refusals() -> Vec<Write> {
    vec![
        impossible(),
        Write::Remove(key("q", "active-one")),
        Write::Retry(key("q", "waiting")),
        Write::Promote(key("q", "waiting")),
        Write::Forget(queue_name("q")),
        put("old", "3", Some(7)),
        put("absent", "1", Some(1)),
    ]
}

/// A refused write takes all writes before and after it with it, whatever they are.
pub async fn a_refused_write_leaves_nothing_of_its_commit(f: &Fixture) {
    let writes = everything(f).await;
    f.enqueue([job("active", "x")]).await;
    let before = Snapshot::take(f).await;
    for refused in refusals() {
        let mut all = writes.clone();
        all.push(refused.clone());
        all.push(Write::Enqueue(job("q", "after")));
        f.refused(all).await;
        before.assert_same(&Snapshot::take(f).await, &format!("{refused:?}"));
    }
    let receipt = f.commit(writes).await;
    assert_eq!(receipt.len(), 13, "without a refused write all of it takes effect");
    assert_eq!(f.claim_ids("fresh", 9).await, ["e"]);
}

/// A refused write leaves each single kind of write undone as well.
pub async fn a_refused_write_undoes_the_one_before_it(f: &Fixture) {
    let writes = everything(f).await;
    let before = Snapshot::take(f).await;
    for write in writes {
        f.refused([write.clone(), impossible()]).await;
        before.assert_same(&Snapshot::take(f).await, &format!("{write:?}"));
    }
}

/// A handler's commit that is refused leaves its lease holding and its job unsettled.
pub async fn a_refused_commit_leaves_the_lease(f: &Fixture) {
    let mut writes = everything(f).await;
    f.enqueue([job("mine", "a"), job("mine", "b")]).await;
    let lease = f.claim_one("mine").await.lease;
    let before = Snapshot::take(f).await;
    writes.splice(0..0, [Write::Log("l".to_owned()), Write::Progress("1".into())]);
    let settlements = [
        Settlement::Complete { result: Some("1".into()), keep: Keep::NOTHING },
        Settlement::Complete { result: None, keep: Keep::count(1) },
        Settlement::Retry { at: f.now(), failure: failure("no") },
        Settlement::Snooze { at: f.now() + secs(9) },
        Settlement::Release,
        Settlement::Fail { failure: failure("no"), keep: Keep::FOREVER },
    ];
    for settlement in settlements {
        let mut all = writes.clone();
        all.push(Write::Settle(settlement.clone()));
        all.push(impossible());
        let answer = f.try_commit(Commit::under(lease.clone(), all)).await;
        assert!(matches!(answer, Err(CommitError::NoSuchJob(_))), "{answer:?}");
        before.assert_same(&Snapshot::take(f).await, &format!("{settlement:?}"));
        assert!(f.inspect.leased(lease.token).await.unwrap().is_some(), "{settlement:?}");
    }
    f.settle(&lease, Settlement::Release).await;
    assert_eq!(f.claim_ids("mine", 9).await, ["a", "b"]);
}

/// What a handler publishes leaves with its settlement: both or neither.
pub async fn what_a_handler_publishes_leaves_with_its_settlement(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let leased = f.claim_one("q").await;
    let sent = event("sent", "confirmation.sent");
    let settle = Write::Settle(Settlement::Complete { result: None, keep: Keep::FOREVER });
    let writes = [publish(&sent, &["audit"]), put("ticket", "1", Some(0)), settle];
    f.write_under(&leased.lease, writes.clone()).await;
    assert_eq!(f.claim_ids("audit", 9).await, ["sent"]);
    assert_eq!(f.inspect.event(&sent.id).await.unwrap(), Some(sent.clone()));

    // The same step again, by a worker that did not hear the answer.
    let again = f.try_commit(Commit::under(leased.lease, writes)).await;
    assert_eq!(again.unwrap_err().code(), "stale-lease");
    assert_eq!(f.inspect.document("things", "ticket").await.unwrap().unwrap().version, 1);
}

/// A refused commit does not touch the others of its batch.
pub async fn a_refused_commit_is_alone(f: &Fixture) {
    f.write(put("d", "1", None)).await;
    let add = |id| Write::Enqueue(job("q", id));
    let batch = vec![
        Commit::of([add("a"), put("d", "2", Some(1))]),
        Commit::of([add("b"), put("d", "x", Some(1))]),
        Commit::of([add("c"), put("d", "3", Some(2))]),
        Commit::of([add("d"), impossible()]),
        Commit::of([add("e")]),
    ];
    let answers = f.store.commit(batch).await.unwrap();
    let taken: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(taken, [true, false, true, false, true]);
    assert_eq!(f.claim_ids("q", 9).await, ["a", "c", "e"]);
    let document = f.inspect.document("things", "d").await.unwrap().unwrap();
    assert_eq!((document.version, &document.value[..]), (3, &b"3"[..]));
}

/// A write sees what the writes before it in its commit did.
pub async fn writes_see_those_before_them(f: &Fixture) {
    f.commit([
        put("d", "1", Some(0)),
        put("d", "2", Some(1)),
        Write::Enqueue(delayed("q", "a", secs(9))),
        Write::Promote(key("q", "a")),
        Write::Remove(key("q", "a")),
        Write::Enqueue(job("q", "a")),
        Write::Enqueue(job("r", "b")),
        Write::Remove(key("r", "b")),
        Write::Forget(queue_name("r")),
    ])
    .await;
    assert_eq!(f.paused("r").await, None);
    assert_eq!(f.claim_ids("q", 9).await, ["a"]);
}

/// The commits of one call see what those before them did.
pub async fn commits_see_those_before_them(f: &Fixture) {
    let of_event =
        NewJob { payload: Payload::Event(event("e", "order.placed").into()), ..job("q", "data") };
    let update = |id| Write::Update { job: key("q", id), data: "new".into() };
    let answers = f.store.commit(
        [
            vec![Write::Enqueue(job("q", "late"))],
            vec![Write::Reschedule { job: key("q", "late"), at: f.now() + secs(5) }],
            vec![Write::Enqueue(job("q", "soon"))],
            vec![Write::Reschedule { job: key("q", "soon"), at: f.now() }],
            vec![Write::Enqueue(job("q", "gone"))],
            vec![Write::Remove(key("q", "gone"))],
            vec![Write::Enqueue(job("q", "data"))],
            // There is a job with this id, so the event is not what it carries.
            vec![Write::Enqueue(of_event.clone()), update("data")],
            vec![Write::Enqueue(NewJob { id: job("q", "event").id, ..of_event })],
            vec![update("event")],
        ]
        .map(Commit::of)
        .into(),
    );
    assert!(answers.await.unwrap().iter().all(Result::is_ok));
    let updated = Event { data: "new".into(), ..event("e", "order.placed") };
    assert_eq!(f.status("q", "data").await.job.payload, Payload::Data("new".into()));
    assert_eq!(f.status("q", "event").await.job.payload, Payload::Event(updated.into()));
    assert_eq!(f.claim_ids("q", 9).await, ["soon", "data", "event"]);
}
