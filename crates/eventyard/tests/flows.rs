//! Flows: jobs that wait for other jobs, on virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::{Arc, Mutex};

use eventyard::{
    Context, Dep, Error, Eventyard, Flow, JobError, JobRequest, Json, OnChildFailure, Outcome,
    Queue,
    model::{
        CommitError, FailureKind, JobId, JobKey, JobState, Parent, QueueName,
        inspect::{ChildOutcome, PageAsk},
    },
    secs,
    testing::TestYard,
};

/// The names of the jobs that ran, in order.
#[derive(Default)]
struct Ran(Mutex<Vec<String>>);

impl Ran {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Returns its data and what its children returned, added up; one that is called `bad` fails.
async fn add_up(Json(own): Json<u64>, ran: Dep<Ran>, cx: Context) -> Result<Outcome, JobError> {
    ran.0.lock().unwrap().push(cx.job().name.to_string());
    if &*cx.job().name == "bad" {
        return Err(JobError::dead_letter("it is bad"));
    }
    let results = cx.child_results::<u64>().await?;
    Outcome::done(&(own + results.iter().map(|(_, result)| result).sum::<u64>()))
}

fn app() -> (TestYard, Arc<Ran>) {
    let ran = Arc::new(Ran::default());
    let t = Eventyard::in_memory()
        .queue(Queue::new("a").concurrency(1))
        .queue(Queue::new("b").concurrency(1))
        .handle("a", add_up)
        .handle("b", add_up)
        .provide_arc(Arc::clone(&ran))
        .test();
    (t, ran)
}

fn job(queue: &str, name: &str, data: u64) -> JobRequest {
    JobRequest::new(queue, name).id(JobId::new(name).unwrap()).data(&data).unwrap()
}

fn key(queue: &str, id: &str) -> JobKey {
    JobKey { queue: QueueName::new(queue).unwrap(), id: JobId::new(id).unwrap() }
}

async fn result(t: &TestYard, queue: &str, id: &str) -> Option<u64> {
    let status = t.inspect().job(&key(queue, id)).await.unwrap().unwrap();
    status.result.map(|result| serde_json::from_slice(&result).unwrap())
}

async fn state(t: &TestYard, queue: &str, id: &str) -> JobState {
    t.inspect().job(&key(queue, id)).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_job_runs_when_its_children_have_ended() {
    let (t, ran) = app();
    let flow = Flow::new(job("a", "root", 1))
        .child(Flow::new(job("b", "middle", 10)).children([
            Flow::new(job("a", "leaf1", 100)),
            Flow::new(job("b", "leaf2", 1000).delay(secs(60))),
        ]))
        .child(job("a", "leaf3", 10_000));
    let added = t.enqueue_flow(flow.clone()).await.unwrap();
    assert_eq!(added.job.id.as_str(), "root");
    let children: Vec<_> = added.children.iter().map(|flow| flow.job.id.as_str()).collect();
    assert_eq!(children, ["middle", "leaf3"]);
    assert_eq!(added.children[0].children[1].job.queue.as_str(), "b");

    t.advance(secs(30)).await;
    assert_eq!(ran.take(), ["leaf1", "leaf3"]);
    let page = t.children(&key("a", "root"), PageAsk::first(1)).await.unwrap();
    assert_eq!(page.items[0].outcome, ChildOutcome::Pending);
    assert!(page.next.is_some());
    let again = t.enqueue_flow(flow).await.unwrap();
    assert!(again.job.duplicate && again.children[0].children[0].job.duplicate);

    t.advance(secs(30)).await;
    assert_eq!(ran.take(), ["leaf2", "middle", "root"]);
    assert_eq!(result(&t, "b", "middle").await, Some(1110));
    assert_eq!(result(&t, "a", "root").await, Some(11_111));
}

#[tokio::test]
async fn what_a_child_that_fails_does_to_its_parent() {
    for (on_fail, expected) in [
        (OnChildFailure::Wait, JobState::WaitingChildren),
        (OnChildFailure::Fail, JobState::Failed),
        (OnChildFailure::Continue, JobState::Completed),
        (OnChildFailure::Ignore, JobState::WaitingChildren),
    ] {
        let (t, _) = app();
        let flow = Flow::new(job("a", "root", 1))
            .child(Flow::new(job("b", "bad", 0)).on_fail(on_fail))
            .child(job("b", "late", 5).delay(secs(60)));
        t.enqueue_flow(flow).await.unwrap();
        t.advance(secs(1)).await;
        assert_eq!(state(&t, "a", "root").await, expected, "{on_fail:?}");
        t.advance(secs(60)).await;
        let later = match on_fail {
            OnChildFailure::Ignore => JobState::Completed,
            _ => expected,
        };
        assert_eq!(state(&t, "a", "root").await, later, "{on_fail:?}");
    }
}

#[tokio::test]
async fn a_handler_awaits_children_of_its_own_job() {
    async fn split(Json(parts): Json<u64>, cx: Context) -> Result<Outcome, JobError> {
        if cx.children(PageAsk::first(1)).await?.items.is_empty() {
            for part in 1..=parts {
                cx.enqueue_child(JobRequest::new("a", "part").data(&part)?);
            }
            cx.enqueue_child(
                Flow::new(JobRequest::new("b", "bad").data(&0)?).on_fail(OnChildFailure::Ignore),
            );
            cx.update_data(&0);
            return Ok(Outcome::AwaitChildren);
        }
        assert_eq!(parts, 0, "the data was updated");
        let results = cx.child_results::<u64>().await?;
        cx.enqueue_flow(
            Flow::new(JobRequest::new("a", "after").data(&1)?)
                .child(JobRequest::new("b", "before").data(&2)?),
        );
        Outcome::done(&results.into_iter().map(|(_, result)| result).collect::<Vec<_>>())
    }
    let ran = Arc::new(Ran::default());
    let t = Eventyard::in_memory()
        .queue(Queue::new("a"))
        .queue(Queue::new("b"))
        .queue(Queue::new("split").concurrency(1))
        .handle("a", add_up)
        .handle("b", add_up)
        .handle("split", split)
        .provide_arc(Arc::clone(&ran))
        .test();
    t.pause(QueueName::new("a").unwrap()).await.unwrap();
    for name in ["first", "second"] {
        t.enqueue(job("split", name, 3)).await.unwrap();
    }
    t.advance(secs(1)).await;
    for name in ["first", "second"] {
        let waits = JobState::WaitingChildren;
        assert_eq!(state(&t, "split", name).await, waits, "it takes no place of the worker");
    }
    t.resume(QueueName::new("a").unwrap()).await.unwrap();
    t.advance(secs(1)).await;
    let done = t.jobs_named("first", JobState::Completed);
    assert_eq!(done[0].result.as_deref(), Some(&b"[1,2,3]"[..]), "in order, without the failed");
    assert_eq!(done[0].job.attempts_made, 1, "waiting is not counted");
    let ran = ran.take();
    assert_eq!(ran.iter().filter(|name| *name == "part").count(), 6);
    assert_eq!(t.jobs_named("after", JobState::Completed)[0].result.as_deref(), Some(&b"3"[..]));
}

#[tokio::test]
async fn a_result_of_another_shape_is_a_dead_letter() {
    async fn text(_: Json<u64>) -> Result<Outcome, JobError> {
        Outcome::done(&"seven")
    }
    let t = Eventyard::in_memory()
        .queue(Queue::new("a"))
        .queue(Queue::new("b"))
        .handle("a", add_up)
        .handle("b", text)
        .provide(Ran::default())
        .test();
    t.enqueue_flow(Flow::new(job("a", "root", 1)).child(job("b", "leaf", 1))).await.unwrap();
    t.advance(secs(1)).await;
    let failure = t.jobs_named("root", JobState::Failed)[0].failure.clone().unwrap();
    assert_eq!(failure.kind, FailureKind::Payload);
    assert!(failure.message.contains("child b/leaf"), "{}", failure.message);
}

#[tokio::test]
async fn flows_are_added_as_a_whole_or_not_at_all() {
    let (t, ran) = app();
    let check = async |flow: Flow, code: &str, text: &str| {
        let error = t.enqueue_flow(flow).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(text), "{text} in: {error}");
    };
    let root = || Flow::new(job("a", "root", 1)).child(job("b", "fine", 1));
    check(root().child(job("c", "leaf", 1)), "no-such-queue", "`c`").await;
    check(root().child(job("a", "leaf", 1).attempts(0)), "invalid-job", "opts.attempts").await;
    let parent = || {
        let JobKey { queue, id } = key("a", "other");
        Parent { queue, id, on_fail: OnChildFailure::Wait }
    };
    check(root().child(job("a", "leaf", 1).parent(parent())), "invalid-job", "opts.parent").await;
    let same = eventyard::model::GroupKey::new("same").unwrap();
    let deduplicated = Flow::new(job("a", "root", 1).deduplicate(same)).child(job("b", "x", 1));
    check(deduplicated, "invalid-job", "opts.deduplication").await;
    let wide = root().children((0..eventyard::flow::MAX_JOBS).map(|_| JobRequest::new("a", "x")));
    check(wide, "invalid-job", "10002 jobs; at most 10000").await;
    let deep = (0..eventyard::flow::MAX_DEPTH)
        .fold(root(), |flow, _| Flow::new(JobRequest::new("a", "x")).child(flow));
    check(deep, "invalid-job", "102 levels; at most 100").await;
    check(Flow::new(job("a", "x", 1).parent(parent())), "no-such-parent", "a/other").await;
    let taken = t.enqueue(job("b", "taken", 1).delay(secs(60))).await.unwrap();
    assert!(!taken.duplicate);
    check(root().child(job("b", "taken", 1)), "not-its-child", "b/taken").await;
    t.advance(secs(1)).await;
    assert!(ran.take().is_empty(), "nothing of all that was added");
    let refused = t.enqueue(job("a", "x", 1).parent(parent())).await;
    assert!(matches!(refused, Err(Error::Commit(CommitError::NoSuchParent { .. }))));
}

#[tokio::test]
async fn a_flow_as_large_as_is_allowed_runs() {
    async fn nothing(_: Json<Option<u64>>) -> Result<(), JobError> {
        Ok(())
    }
    let t =
        Eventyard::in_memory().queue(Queue::new("q").concurrency(1000)).handle("q", nothing).test();
    let job = || Flow::new(JobRequest::new("q", "x"));
    let deep = (1..eventyard::flow::MAX_DEPTH).fold(job(), |flow, _| job().child(flow));
    // 1 + 99 * (1 + 100) are the most.
    let wide = job().children((0..99).map(|_| job().children((0..100).map(|_| job()))));
    for flow in [deep, wide] {
        let root = t.enqueue_flow(flow).await.unwrap().job;
        t.advance(secs(1)).await;
        assert_eq!(state(&t, "q", root.id.as_str()).await, JobState::Completed);
    }
}

#[tokio::test]
async fn a_synchronous_application_waits_for_the_children_only() {
    let t = Eventyard::in_memory()
        .synchronous(true)
        .queue(Queue::new("a"))
        .handle("a", add_up)
        .provide(Ran::default())
        .test();
    t.enqueue_flow(Flow::new(job("a", "root", 1)).child(job("a", "bad", 1))).await.unwrap();
    assert_eq!(state(&t, "a", "bad").await, JobState::Failed);
    assert_eq!(state(&t, "a", "root").await, JobState::WaitingChildren);
}

#[tokio::test]
async fn obliterating_takes_those_that_wait_for_children_too() {
    let (t, ran) = app();
    let flow = Flow::new(job("a", "root", 1)).child(job("a", "leaf", 1).delay(secs(60)));
    t.enqueue_flow(flow).await.unwrap();
    assert_eq!(t.obliterate(&QueueName::new("a").unwrap()).await.unwrap(), 2);
    t.advance(secs(100)).await;
    assert!(ran.take().is_empty());
    assert!(t.inspect().queues().await.unwrap().is_empty());
}
