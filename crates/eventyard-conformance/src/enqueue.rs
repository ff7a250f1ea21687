//! Adding jobs, once each.

use std::sync::Arc;

use eventyard_core::{
    Backoff, Commit, Deduplication, Effect, Enqueued, GroupKey, JobId, JobOptions, JobState, Keep,
    Payload, Write,
};

use crate::{
    Fixture,
    fixture::LEASE,
    given::{event, impossible, job, jobs, key, ms, queue_name, routed, secs},
};

fn enqueued(queue: &str, id: &str, duplicate: bool) -> Effect {
    let key = key(queue, id);
    Effect::Enqueued(Enqueued { queue: key.queue, id: key.id, duplicate })
}

/// A job is handed out with everything that it was given.
pub async fn a_job_comes_out_as_it_went_in(f: &Fixture) {
    let mut new = job("q", "a");
    new.name = "order.placed".into();
    new.options = Arc::new(JobOptions {
        job_id: Some(JobId::new("a").unwrap()),
        attempts: Some(5),
        backoff: Some(Backoff::exponential(secs(2)).jitter(0.25).max(secs(60))),
        priority: Some(7),
        delay: None,
        run_at: Some(f.now()),
        timeout: Some(ms(1500)),
        lifo: Some(true),
        remove_on_complete: Some(Keep::count(1000).or_age(secs(86_400))),
        remove_on_fail: Some(Keep::age(secs(7 * 86_400))),
        key: Some(GroupKey::new("a tenant").unwrap()),
        ttl: Some(secs(90)),
        deduplication: Some(Deduplication {
            id: GroupKey::new("what it says").unwrap(),
            ttl: Some(ms(2500)),
            extend: true,
            replace: true,
            keep_last_if_active: false,
        }),
        parent: None,
    });
    let effect = f.write(Write::Enqueue(new.clone())).await;
    assert_eq!(effect, enqueued("q", "a", false));
    let added = f.now();

    f.advance(secs(1));
    let leased = f.claim_one("q").await;
    assert_eq!(leased.job.key(), new.key());
    assert_eq!(leased.job.name, new.name);
    assert_eq!(leased.job.payload, new.payload);
    assert_eq!(leased.job.options, new.options);
    assert_eq!(leased.job.created_at, added);
    assert_eq!((leased.job.attempts_made, leased.job.crashes), (0, 0));
    assert_eq!((&leased.lease.job, leased.lease.attempt), (&new.key(), 1));
    assert_eq!(leased.until, f.now() + LEASE);

    let status = f.status("q", "a").await;
    assert_eq!(status.job, leased.job);
    assert_eq!(status.state, JobState::Active);
    assert_eq!(status.started_at, Some(f.now()));
    assert_eq!(status.worker.unwrap().as_str(), "w");
    assert_eq!(status.leased_until, Some(leased.until));
    assert_eq!((status.due_at, status.finished_at), (None, None));
    assert_eq!((status.progress, status.result, status.failure), (None, None, None));
}

/// A job that carries an event hands it out whole, also when the event is not in the log.
pub async fn an_event_in_a_job_comes_out_whole(f: &Fixture) {
    let mut whole = event("e", "order.placed");
    whole.subject = Some("order/7".to_owned());
    whole.correlation_id = Some("story".to_owned());
    whole.causation_id = Some("cause".to_owned());
    whole.version = Some(3);
    whole.data_content_type = Some("text/plain".to_owned());
    whole.data_schema = Some("https://example.com/schema".to_owned());
    whole.extensions = [
        ("text".to_owned(), "ü".into()),
        ("number".to_owned(), (-5).into()),
        ("flag".to_owned(), true.into()),
    ]
    .into();
    let job = routed(&Arc::new(whole.clone()), "q");
    f.enqueue([job]).await;
    assert_eq!(f.claim_one("q").await.job.payload, Payload::Event(Arc::new(whole.clone())));
    assert_eq!(f.inspect.event(&whole.id).await.unwrap(), None, "the job alone has the event");
}

/// Adding a job again changes nothing, whatever state it is in.
pub async fn a_repeat_changes_nothing(f: &Fixture) {
    let mut other = job("q", "a");
    other.payload = Payload::Data("other".into());
    Arc::make_mut(&mut other.options).priority = Some(9);

    f.enqueue(jobs("q", ["a", "b"])).await;
    let check = async |state| {
        let before = f.status("q", "a").await;
        assert_eq!(before.state, state);
        let effect = f.write(Write::Enqueue(other.clone())).await;
        assert_eq!(effect, enqueued("q", "a", true), "{state}");
        assert_eq!(f.status("q", "a").await, before, "{state}");
    };
    check(JobState::Waiting).await;
    let lease = f.claim_one("q").await.lease;
    check(JobState::Active).await;
    f.complete(&lease, Keep::FOREVER).await;
    check(JobState::Completed).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b"]);
}

/// The same job twice in one commit, or twice in one batch, is added once.
pub async fn a_repeat_within_one_call_is_seen(f: &Fixture) {
    let twice = f.commit(["a", "a"].map(|id| Write::Enqueue(job("q", id)))).await;
    assert_eq!(twice, [enqueued("q", "a", false), enqueued("q", "a", true)]);
    let batch = ["b", "b"].map(|id| Commit::of([Write::Enqueue(job("q", id))]));
    let answers = f.store.commit(batch.into()).await.unwrap();
    let expected = [Ok(vec![enqueued("q", "b", false)]), Ok(vec![enqueued("q", "b", true)])];
    assert_eq!(answers, expected);
    assert_eq!(f.claim_ids("q", 9).await, ["a", "b"]);
}

/// One id on two queues is two jobs.
pub async fn ids_belong_to_their_queue(f: &Fixture) {
    f.enqueue([job("two", "a"), job("one", "a"), job("one", "b")]).await;
    let mut queues = f.inspect.queues_of(&JobId::new("a").unwrap()).await.unwrap();
    queues.sort();
    assert_eq!(queues, [queue_name("one"), queue_name("two")]);
    assert_eq!(f.inspect.queues_of(&JobId::new("x").unwrap()).await.unwrap(), []);

    f.write(Write::Remove(key("one", "a"))).await;
    assert_eq!(f.claim_ids("two", 9).await, ["a"]);
    assert_eq!(f.claim_ids("one", 9).await, ["b"]);
}

/// A removed job's id is free again, and nothing of the old job clings to it.
pub async fn a_removed_id_is_free_again(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    f.write_under(&lease, [Write::Log("old".to_owned()), Write::Progress("1".into())]).await;
    let failure = crate::given::failure("old");
    f.settle(&lease, eventyard_core::Settlement::Fail { failure, keep: Keep::FOREVER }).await;
    f.write(Write::Remove(key("q", "a"))).await;
    f.assert_gone(&key("q", "a")).await;

    f.enqueue([job("q", "a")]).await;
    let status = f.status("q", "a").await;
    assert_eq!((status.job.attempts_made, status.state), (0, JobState::Waiting));
    assert_eq!((status.progress, status.worker, status.started_at), (None, None, None));
    assert_eq!(f.inspect.attempts(&key("q", "a")).await.unwrap(), []);
    assert_eq!(f.inspect.logs(&key("q", "a")).await.unwrap(), []);
}

/// A batch has one answer for each commit, in order, and a refused one does not touch the others.
pub async fn a_batch_is_answered_in_order(f: &Fixture) {
    let answers = f
        .store
        .commit(vec![
            Commit::of([Write::Enqueue(job("q", "a")), Write::Enqueue(job("q", "b"))]),
            Commit::of([impossible()]),
            Commit::of([]),
            Commit::of([Write::Enqueue(job("q", "c")), Write::Enqueue(job("q", "a"))]),
        ])
        .await
        .unwrap();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0], Ok(vec![enqueued("q", "a", false), enqueued("q", "b", false)]));
    assert!(answers[1].is_err());
    assert_eq!(answers[2], Ok(vec![]));
    assert_eq!(answers[3], Ok(vec![enqueued("q", "c", false), enqueued("q", "a", true)]));
    assert_eq!(f.claim_ids("q", 9).await, ["a", "b", "c"]);
    assert_eq!(f.store.commit(vec![]).await.unwrap(), []);
}

/// A queue is known from its first job on, and a claim alone does not make it known.
pub async fn a_queue_is_known_from_its_first_job(f: &Fixture) {
    assert_eq!(f.claim_ids("q", 1).await, [""; 0]);
    assert_eq!(f.paused("q").await, None);
    f.enqueue([job("q", "a")]).await;
    assert_eq!(f.paused("q").await, Some(false));
    let lease = f.claim_one("q").await.lease;
    f.complete(&lease, Keep::NOTHING).await;
    assert_eq!(f.paused("q").await, Some(false), "also without jobs");
}
