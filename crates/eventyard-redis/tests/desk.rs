//! What is asked for together: it shares a call, and nobody pays for what is wrong with the data of another.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod given;
mod server;

use std::{
    io::{Read, Write as _},
    time::{Duration, Instant},
};

use eventyard_core::feed::Heard;
use eventyard_core::{
    Claim, Commit, Deduplication, Effect, GroupKey, Inspect, JobId, JobOptions, JobState, Leased,
    NewJob, QueueEventKind, QueueName, Store, StoreError, StoreErrorKind, Write,
};
use eventyard_redis::{Options, RedisStore};
use futures_util::future::join_all;
use given::{claim, complete, job};
use server::RedisServer;
use tokio::task::JoinHandle;

async fn open(server: &RedisServer) -> RedisStore {
    RedisStore::open(Options::new(server.url().parse().unwrap())).await.unwrap()
}

fn add(queue: &str, id: &str) -> Vec<Commit> {
    vec![Commit::of([Write::Enqueue(job(queue, id))])]
}

/// How many calls the server has answered.
fn calls(server: &RedisServer) -> u32 {
    uses(server, "fcall")
}

/// How often scripts have used a command.
fn uses(server: &RedisServer, command: &str) -> u32 {
    let stats = server.command("INFO commandstats");
    let count = stats.split(&format!("cmdstat_{command}:calls=")).nth(1);
    count.and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// Waits until so many clients wait for the server.
async fn blocked_clients(server: &RedisServer, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !server.command("INFO clients").contains(&format!("blocked_clients:{count}")) {
        assert!(Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}

/// A claim that has found nothing and stands: then its queue's marker is waited for.
async fn standing_claim(
    server: &RedisServer,
    store: &RedisStore,
) -> JoinHandle<Result<Vec<Leased>, StoreError>> {
    let store = store.clone();
    let waits = tokio::spawn(async move { store.claim(claim("q", Duration::from_secs(20))).await });
    blocked_clients(server, 1).await;
    waits
}

/// Node has added jobs, and nobody here ever has.
#[tokio::test]
async fn what_node_adds_is_told_and_what_was_before_is_not() {
    let server = RedisServer::start();
    server.command("XADD bull:q:events * event added jobId old name work");
    let store = open(&server).await;
    let waits = standing_claim(&server, &store).await;
    let mut heard = store.feed().subscribe(None);
    blocked_clients(&server, 2).await;
    server.command("XADD bull:q:events * event added jobId new name work");
    let Heard::Event(_, event) = heard.next().await else { panic!("nothing was missed") };
    assert_eq!(event.queue.as_str(), "q");
    let added = QueueEventKind::Added { job: JobId::new("new").unwrap(), name: "work".into() };
    assert_eq!(event.kind, added);
    waits.abort();
}

#[tokio::test]
async fn a_claim_that_stands_goes_along_with_the_job() {
    let server = RedisServer::start();
    let store = open(&server).await;
    let waits = standing_claim(&server, &store).await;
    let before = calls(&server);
    store.commit(add("q", "a")).await.unwrap()[0].as_ref().unwrap();
    let leased = waits.await.unwrap().unwrap().remove(0);
    assert_eq!(leased.job.id.as_str(), "a");
    assert_eq!(calls(&server), before + 1, "the job came with the call that added it");
    store.commit(vec![complete(leased.lease, [])]).await.unwrap()[0].as_ref().unwrap();
}

#[tokio::test]
async fn a_claim_that_nobody_awaits_takes_no_job_along() {
    let server = RedisServer::start();
    let store = open(&server).await;
    let waits = standing_claim(&server, &store).await;
    waits.abort();
    assert!(waits.await.unwrap_err().is_cancelled());
    store.commit(add("q", "a")).await.unwrap()[0].as_ref().unwrap();
    let leased = store.claim(claim("q", Duration::from_secs(5))).await.unwrap();
    assert_eq!(leased[0].job.id.as_str(), "a");
}

#[tokio::test]
async fn a_broken_queue_is_the_trouble_of_those_who_use_it() {
    let server = RedisServer::start();
    let store = open(&server).await;
    server.command("SET bull:bad:wait text");
    let ids: Vec<_> = (0..50).map(|n| n.to_string()).collect();
    let good = join_all(ids.iter().map(|id| store.commit(add("good", id))));
    let bad = join_all(ids.iter().map(|_| store.claim(claim("bad", Duration::ZERO))));
    let (good, bad) = tokio::join!(good, bad);
    for answer in bad {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert!(error.to_string().contains("WRONGTYPE"), "{error}");
    }
    assert!(good.into_iter().all(|answer| answer.unwrap()[0].is_ok()));
    let queues = store.queues().await.unwrap();
    assert_eq!(queues[&QueueName::new("good").unwrap()].counts.get(JobState::Waiting), 50);
}

#[tokio::test]
async fn a_job_whose_key_holds_something_else_is_passed_over() {
    let server = RedisServer::start();
    let store = open(&server).await;
    for id in ["a", "b", "c"] {
        store.commit(add("q", id)).await.unwrap()[0].as_ref().unwrap();
    }
    server.command("DEL bull:q:b");
    server.command("SET bull:q:b text");
    let leased = store.claim(claim("q", Duration::ZERO)).await.unwrap();
    let ids: Vec<_> = leased.iter().map(|leased| leased.job.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);

    // Those behind it do not wait for it.
    for id in ["d", "e"] {
        store.commit(add("q", id)).await.unwrap()[0].as_ref().unwrap();
    }
    server.command("DEL bull:q:d");
    server.command("SET bull:q:d text");
    let begun = Instant::now();
    let one = Claim { max: 1, ..claim("q", Duration::from_secs(20)) };
    assert_eq!(store.claim(one).await.unwrap()[0].job.id.as_str(), "e");
    assert!(begun.elapsed() < Duration::from_secs(4), "it was woken, and did not look again");
}

#[tokio::test]
async fn a_broken_job_is_the_trouble_of_who_ends_it() {
    let server = RedisServer::start();
    let store = open(&server).await;
    let ids = ["a", "b", "c", "d", "e", "f"];
    for id in ids {
        store.commit(add("q", id)).await.unwrap()[0].as_ref().unwrap();
    }
    let leased = store.claim(claim("q", Duration::ZERO)).await.unwrap();
    server.command("SET bull:q:c text");
    // All that are asked while the first is under way go together.
    let ends = leased.into_iter().map(|leased| store.commit(vec![complete(leased.lease, [])]));
    let answers = join_all(ends).await;
    for (id, answer) in ids.into_iter().zip(answers) {
        match answer {
            Ok(receipts) => assert!(receipts[0].is_ok() && id != "c", "{id}: {receipts:?}"),
            Err(error) => assert_eq!((error.kind(), id), (StoreErrorKind::Corrupt, "c")),
        }
    }
    assert_eq!(server.command("ZCARD bull:q:completed").trim(), ":5");
}

#[tokio::test]
async fn a_job_that_stands_for_others_may_have_an_id_that_is_none_of_ours() {
    let server = RedisServer::start();
    let store = open(&server).await;
    let long = "a".repeat(300);
    server.command(&format!("HSET bull:q:{long} name x timestamp 1"));
    server.command(&format!("SET bull:q:de:said {long}"));
    let deduplication = Deduplication {
        id: GroupKey::new("said").unwrap(),
        ttl: None,
        extend: false,
        replace: false,
        keep_last_if_active: false,
    };
    let options = JobOptions { deduplication: Some(deduplication), ..JobOptions::default() };
    let job = NewJob { options: options.into(), ..job("q", "b") };
    for _ in 0..2 {
        let added = store.commit(vec![Commit::of([Write::Enqueue(job.clone())])]).await.unwrap();
        let [Effect::Enqueued(enqueued)] = &added[0].as_ref().unwrap()[..] else {
            panic!("{added:?}")
        };
        assert!(enqueued.duplicate);
    }
}

#[tokio::test]
async fn data_in_envelopes_of_others_is_replaced_where_it_is() {
    let server = RedisServer::start();
    let store = open(&server).await;
    for (before, after) in [
        (r#"{"eventType":"b","eventId":"a"}"#, "1"),
        (r#"{"eventId":"a","data":{"data":"}"},"eventType":"b"}"#, "[2]"),
        (r#"{"data":0,"eventId":"\"a","eventType":"b","dataBase64":"AA=="}"#, "3"),
        (r#"{ "eventId" : "a", "eventType" : "b", "dataBase64" : "AA==" }"#, "\u{0}"),
    ] {
        let mut stream = server.stream().unwrap();
        let fields = ["name", "x", "timestamp", "1", "data", before];
        let add = redis::cmd("HSET").arg("bull:q:j").arg(&fields).get_packed_command();
        stream.write_all(&add).unwrap();
        assert!(stream.read(&mut [0; 64]).unwrap() > 0);
        server.command("RPUSH bull:q:wait j");
        let key = job("q", "j").key();
        let update = Write::Update { job: key.clone(), data: after.into() };
        store.commit(vec![Commit::of([update])]).await.unwrap()[0].as_ref().unwrap();
        let payload = store.job(&key).await.unwrap().unwrap().job.payload;
        assert_eq!(payload.event().unwrap().kind, "b", "{before}");
        assert_eq!(payload.data(), after, "{before}");
        server.command("FLUSHALL");
    }
}

#[tokio::test]
async fn what_few_jobs_have_costs_the_others_nothing() {
    let server = RedisServer::start();
    let store = open(&server).await;
    let check = async |key: Option<&str>, with_key: u32| {
        server.command("FLUSHALL");
        server.command("CONFIG RESETSTAT");
        let jobs = (0..100).map(|n| {
            let key = key.map(|key| GroupKey::new(key).unwrap());
            let options = JobOptions { key, ..JobOptions::default() };
            Write::Enqueue(NewJob { options: options.into(), ..job("q", &format!("job-{n}")) })
        });
        store.commit(vec![Commit::of(jobs)]).await.unwrap()[0].as_ref().unwrap();
        let ask = Claim { max: 100, ..claim("q", Duration::ZERO) };
        let leased = store.claim(ask).await.unwrap();
        assert_eq!(leased.len(), 100);
        let done = leased.into_iter().map(|leased| complete(leased.lease, [])).collect();
        let answers = store.commit(done).await.unwrap();
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        // Two events of each that is added, one of each that is claimed, one of each that ends, and that none is left.
        assert_eq!(uses(&server, "xadd"), 401);
        assert_eq!(uses(&server, "hset") / 100, 3, "added, begun, done");
        assert_eq!(uses(&server, "hgetall") / 100, 1, "its handler reads it");
        // What ends a job with a key reads the job first.
        assert_eq!(uses(&server, "hmget") / 100, with_key);
        assert_eq!(uses(&server, "exists") / 100, 0);
        assert_eq!(uses(&server, "get"), 0);
    };
    check(None, 0).await;
    check(Some("k"), 1).await;
}
