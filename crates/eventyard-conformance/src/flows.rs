//! Flows: jobs that wait for their children.

use eventyard_core::{
    Commit, CommitError, Effect, Enqueued, JobKey, JobState, Keep, Leased, NewJob, OnChildFailure,
    PageAsk, Settlement, Write,
    inspect::{Child, ChildOutcome},
};

use crate::{
    Fixture,
    given::{cancel, child_of, failure, job, job_with, key, keyed, ms, parent, prioritized, secs},
    snapshot::Snapshot,
};

/// A child on the queue `parts` of a job.
fn part(of: &JobKey, id: &str) -> NewJob {
    child_of(of, OnChildFailure::Wait, job("parts", id))
}

fn ended(queue: &str, id: &str, result: &str) -> Child {
    let outcome = ChildOutcome::Completed(Some(result.to_owned().into()));
    Child { job: key(queue, id), outcome }
}

fn pending(queue: &str, id: &str) -> Child {
    Child { job: key(queue, id), outcome: ChildOutcome::Pending }
}

/// A job's place in an answer that says that it was not added.
fn duplicate(job: &NewJob) -> Effect {
    let JobKey { queue, id } = job.key();
    Effect::Enqueued(Enqueued { queue, id, duplicate: true })
}

/// Three levels on three queues: each job runs when its children have, and finds their results.
pub async fn three_levels(f: &Fixture) {
    let (trip, cars) = (key("trips", "trip"), key("legs", "cars"));
    let leg = |id| child_of(&trip, OnChildFailure::Wait, parent("legs", id));
    f.enqueue([
        parent("trips", "trip"),
        leg("cars"),
        part(&cars, "car-1"),
        part(&cars, "car-2"),
        leg("walk"),
    ])
    .await;
    assert_eq!(f.claim("trips", 9).await, []);
    assert_eq!(f.state("trips", "trip").await, Some(JobState::WaitingChildren));
    f.run("legs", "walk", "0").await;
    assert_eq!(f.claim("legs", 9).await, []);
    f.run("parts", "car-1", "11").await;
    assert_eq!(f.children(&cars).await, [ended("parts", "car-1", "11"), pending("parts", "car-2")]);
    f.run("parts", "car-2", "12").await;
    assert_eq!(
        f.children(&cars).await,
        [ended("parts", "car-1", "11"), ended("parts", "car-2", "12")]
    );
    assert_eq!(f.claim("trips", 9).await, []);
    f.run("legs", "cars", "23").await;
    assert_eq!(f.children(&trip).await, [ended("legs", "cars", "23"), ended("legs", "walk", "0")]);
    f.run("trips", "trip", "99").await;
}

/// A parent whose children wait is counted and listed as such, and nothing hands it out.
pub async fn a_parent_waits(f: &Fixture) {
    let of = key("q", "p");
    f.enqueue([parent("q", "p"), part(&of, "a")]).await;
    assert_eq!(f.counts("q").await.get(JobState::WaitingChildren), 1);
    assert_eq!(f.listed("q", JobState::WaitingChildren).await, ["p"]);
    for write in [Write::Promote(of.clone()), Write::Retry(of.clone())] {
        let error = f.refused([write]).await;
        let state = JobState::WaitingChildren;
        assert!(matches!(&error, CommitError::WrongState { state: s, .. } if *s == state));
    }
    let child = f.claim_one("parts").await;
    let link = child.job.options.parent.clone().unwrap();
    assert_eq!((link.key(), link.on_fail), (of, OnChildFailure::Wait));
    f.pass(secs(9999)).await;
    assert_eq!(f.state("q", "p").await, Some(JobState::WaitingChildren));
}

/// A parent whose commit brings no children runs at once.
pub async fn a_parent_without_children_runs(f: &Fixture) {
    f.enqueue([parent("q", "p")]).await;
    assert_eq!(f.children(&key("q", "p")).await, []);
    f.run("q", "p", "1").await;
}

/// A parent's priority and delay hold when its children have ended.
pub async fn options_hold_when_children_have_ended(f: &Fixture) {
    let of = |id| key("q", id);
    let urgent = NewJob { awaits_children: true, ..prioritized("q", "urgent", 1) };
    let late = job_with("q", "late", |options| options.delay = Some(secs(5)));
    let late = NewJob { awaits_children: true, ..late };
    f.enqueue([urgent, part(&of("urgent"), "a"), late, part(&of("late"), "b")]).await;
    f.enqueue([prioritized("q", "other", 2)]).await;
    f.advance(secs(60));
    f.run("parts", "a", "1").await;
    f.run("parts", "b", "1").await;
    assert_eq!(f.status("q", "late").await.due_at, Some(f.now() + secs(5)));
    assert_eq!(f.claim_ids("q", 9).await, ["urgent", "other"]);
    f.advance(secs(5));
    assert_eq!(f.claim_ids("q", 9).await, ["late"]);
}

/// A child that is removed before it has ended is not waited for.
pub async fn a_removed_child_is_not_waited_for(f: &Fixture) {
    let of = key("q", "p");
    f.enqueue([parent("q", "p"), part(&of, "a"), part(&of, "b")]).await;
    f.run("parts", "a", "1").await;
    f.write(Write::Remove(key("parts", "a"))).await;
    assert_eq!(f.children(&of).await[0], ended("parts", "a", "1"), "its result is known");
    f.write(Write::Remove(key("parts", "b"))).await;
    let removed = Child { job: key("parts", "b"), outcome: ChildOutcome::Removed };
    assert_eq!(f.children(&of).await[1], removed);
    f.run("q", "p", "1").await;
}

/// What retention removes is not waited for, on whichever queue and with whichever key the parent stands.
pub async fn a_child_that_retention_removes_is_not_waited_for(f: &Fixture) {
    let keep = Keep { age: None, count: Some(1) };
    let fail = |leased: &Leased| {
        let settlement = Settlement::Fail { failure: failure("no"), keep };
        Commit::under(leased.lease.clone(), [Write::Settle(settlement)])
    };
    let boss = NewJob { awaits_children: true, ..keyed("p", "boss", "k") };
    let child = child_of(&key("p", "boss"), Default::default(), job("c", "first"));
    f.enqueue([boss, child, job("c", "second")]).await;
    let leased = f.claim("c", 2).await;
    let answers = f.store.commit(leased.iter().map(fail).collect()).await.unwrap();
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(f.listed("c", JobState::Failed).await, ["second"]);
    assert_eq!(f.claim_ids("p", 9).await, ["boss"]);
}

/// A child that comes too late, after its parent was released or has finished, is not added.
pub async fn a_late_child_is_not_added(f: &Fixture) {
    let of = key("q", "p");
    f.enqueue([parent("q", "p"), part(&of, "a")]).await;
    f.run("parts", "a", "1").await;
    let late = part(&of, "late");
    assert_eq!(f.write(Write::Enqueue(late.clone())).await, duplicate(&late), "released");
    f.run("q", "p", "1").await;
    assert_eq!(f.write(Write::Enqueue(late.clone())).await, duplicate(&late), "finished");
    assert_eq!(f.state("parts", "late").await, None);
    assert_eq!(f.children(&of).await.len(), 1);
}

/// A child can be added to a parent that waits, once.
pub async fn a_child_may_come_later(f: &Fixture) {
    let of = key("q", "p");
    f.enqueue([parent("q", "p"), part(&of, "a")]).await;
    f.enqueue([part(&of, "b")]).await;
    let again = part(&of, "b");
    assert_eq!(f.write(Write::Enqueue(again.clone())).await, duplicate(&again));
    f.run("parts", "a", "1").await;
    assert_eq!(f.claim("q", 1).await, []);
    f.run("parts", "b", "2").await;
    f.run("q", "p", "3").await;
}

/// A child of nobody, and a job that is there already without this parent, are refused with their commit.
pub async fn a_wrong_child_is_refused(f: &Fixture) {
    f.enqueue([parent("q", "p"), part(&key("q", "p"), "a"), job("parts", "b")]).await;
    let before = Snapshot::take(f).await;
    let (child, nobody) = (key("parts", "x"), key("q", "nobody"));
    let refused =
        f.refused([Write::Enqueue(job("q", "y")), Write::Enqueue(part(&nobody, "x"))]).await;
    assert_eq!(refused.code(), "no-such-parent");
    assert_eq!(refused, CommitError::NoSuchParent { child, parent: nobody });
    let of = key("q", "p");
    let refused = f.refused([Write::Enqueue(part(&of, "c")), Write::Enqueue(part(&of, "b"))]).await;
    assert_eq!(refused.code(), "not-its-child");
    assert_eq!(refused, CommitError::NotItsChild { child: key("parts", "b"), parent: of });
    Snapshot::take(f).await.assert_same(&before, "a commit with a wrong child");
}

/// A job that is completed already is taken as a child with its result.
pub async fn a_completed_job_is_taken_as_a_child(f: &Fixture) {
    f.enqueue([job("parts", "a")]).await;
    f.run("parts", "a", "1").await;
    let of = key("q", "p");
    let writes = [parent("q", "p"), part(&of, "a")].map(Write::Enqueue);
    assert_eq!(f.commit(writes).await[1], duplicate(&part(&of, "a")));
    assert_eq!(f.children(&of).await, [ended("parts", "a", "1")]);
    f.run("q", "p", "2").await;
}

/// A handler adds children and lets go of its job until they have ended; that counts as no attempt.
pub async fn a_handler_waits_for_children(f: &Fixture) {
    f.enqueue([job("q", "p")]).await;
    let first = f.claim_one("q").await;
    let of = key("q", "p");
    let add = |id| Write::Enqueue(part(&of, id));
    let wait = || Write::Settle(Settlement::AwaitChildren);
    f.write_under(&first.lease, [add("a"), add("b"), wait()]).await;
    let status = f.status("q", "p").await;
    assert_eq!((status.state, status.job.attempts_made), (JobState::WaitingChildren, 0));
    assert!(f.try_settle(&first.lease, Settlement::Release).await.is_err(), "the lease is over");
    f.run("parts", "a", "1").await;
    f.run("parts", "b", "2").await;
    let second = f.claim_one("q").await;
    assert_eq!(second.lease.attempt, 1);
    assert_eq!(f.children(&of).await, [ended("parts", "a", "1"), ended("parts", "b", "2")]);
    f.write_under(&second.lease, [add("c"), wait()]).await;
    f.run("parts", "c", "3").await;
    f.run("q", "p", "6").await;
    assert_eq!(f.status("q", "p").await.job.attempts_made, 1);
    assert_eq!(f.inspect.attempts(&of).await.unwrap(), []);
}

/// A handler that waits for nothing has its job run again, behind the others.
pub async fn waiting_for_nothing_ends_at_once(f: &Fixture) {
    f.enqueue([job("q", "p"), job("q", "other")]).await;
    let first = f.claim_one("q").await;
    let add = Write::Enqueue(part(&first.lease.job, "a"));
    f.write_under(&first.lease, [add]).await;
    f.run("parts", "a", "1").await;
    f.settle(&first.lease, Settlement::AwaitChildren).await;
    assert_eq!(f.status("q", "p").await.state, JobState::Waiting);
    assert_eq!(f.claim_ids("q", 9).await, ["other", "p"]);
}

/// Children run on when their parent is cancelled or removed, and stay known to one that is there.
pub async fn children_outlive_their_parent(f: &Fixture) {
    let (one, two) = (key("q", "one"), key("q", "two"));
    f.enqueue([parent("q", "one"), part(&one, "a"), parent("q", "two"), part(&two, "b")]).await;
    f.commit([cancel("q", "one"), Write::Remove(two.clone())]).await;
    assert_eq!(f.state("q", "one").await, Some(JobState::Failed));
    f.run("parts", "a", "1").await;
    f.run("parts", "b", "2").await;
    assert_eq!(f.children(&one).await, [ended("parts", "a", "1")]);
    assert_eq!(f.children(&two).await, []);
    assert_eq!(f.state("q", "one").await, Some(JobState::Failed));
    f.write(Write::Retry(one)).await;
    f.run("q", "one", "3").await;
}

/// A parent that is retried while children are pending waits for them.
pub async fn a_retried_parent_waits_again(f: &Fixture) {
    let of = key("q", "p");
    f.enqueue([parent("q", "p"), part(&of, "a")]).await;
    f.write(cancel("q", "p")).await;
    f.write(Write::Retry(of.clone())).await;
    assert_eq!(f.state("q", "p").await, Some(JobState::WaitingChildren));
    f.run("parts", "a", "1").await;
    f.run("q", "p", "1").await;
}

/// Children are paged in the order in which they were added, whatever becomes of them in between.
pub async fn children_are_paged(f: &Fixture) {
    let of = key("q", "p");
    let ids: Vec<_> = (0..7).rev().map(|n| format!("c{n}")).collect();
    f.enqueue([parent("q", "p")].into_iter().chain(ids.iter().map(|id| part(&of, id)))).await;
    let page = f.inspect.children(&of, PageAsk::first(3)).await.unwrap();
    f.write(Write::Remove(key("parts", &ids[0]))).await;
    f.advance(ms(1));
    let ask = PageAsk { limit: 3, cursor: page.next };
    let next = f.inspect.children(&of, ask).await.unwrap();
    let seen = page.items.iter().chain(&next.items).map(|child| child.job.id.as_str());
    assert_eq!(seen.collect::<Vec<_>>(), ids[..6]);
    let wrong = PageAsk { limit: 3, cursor: Some("child.x".to_owned()) };
    assert!(f.inspect.children(&of, wrong).await.is_err());
    assert_eq!(f.children(&key("q", "nobody")).await, []);
    f.complete(&f.claim_one("parts").await.lease, Keep::NOTHING).await;
    assert_eq!(f.children(&of).await[1].outcome, ChildOutcome::Completed(None));
}

/// A child that was removed and comes again is waited for again.
pub async fn a_removed_child_may_come_again(f: &Fixture) {
    let of = key("q", "p");
    f.enqueue([parent("q", "p"), part(&of, "a"), part(&of, "b")]).await;
    f.write(Write::Remove(key("parts", "a"))).await;
    f.enqueue([part(&of, "a")]).await;
    assert_eq!(f.children(&of).await, [pending("parts", "a"), pending("parts", "b")]);
    f.run("parts", "b", "2").await;
    assert_eq!(f.claim("q", 1).await, []);
    f.run("parts", "a", "1").await;
    f.run("q", "p", "3").await;
}

/// A job's own delay comes before its first attempt, not before those after its children have ended.
pub async fn a_delay_holds_once(f: &Fixture) {
    f.enqueue([job_with("q", "p", |options| options.delay = Some(secs(5)))]).await;
    f.advance(secs(5));
    let first = f.claim_one("q").await;
    let add = Write::Enqueue(part(&first.lease.job, "a"));
    f.write_under(&first.lease, [add, Write::Settle(Settlement::AwaitChildren)]).await;
    f.run("parts", "a", "1").await;
    f.run("q", "p", "2").await;
}
