//! Keys: tenants that share a queue.

use eventyard_core::{JobState, Keep, PageAsk, Write, inspect::KeyStatus};

use crate::{
    Fixture,
    given::{
        delayed, group, job, job_with, jobs, keyed, limit, ms, pause_key, prioritized, queue_name,
        secs,
    },
};

/// Claims jobs one by one and completes each; their ids.
async fn picks(f: &Fixture, queue: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let leased = f.claim_one(queue).await;
        f.complete(&leased.lease, Keep::NOTHING).await;
        ids.push(leased.job.id.to_string());
    }
    ids
}

/// The first letters of the ids of jobs that are claimed one by one.
async fn turns(f: &Fixture, queue: &str, count: usize) -> String {
    let picks = picks(f, queue, count).await;
    picks.iter().map(|id| id.chars().next().unwrap()).collect()
}

/// Jobs of a key, told apart by a number.
fn many(key: &str, count: usize) -> impl Iterator<Item = eventyard_core::NewJob> {
    (0..count).map(move |n| keyed("q", &format!("{key}{n}"), key))
}

fn status(key: &str, waiting: u64, active: u64, paused: bool) -> KeyStatus {
    KeyStatus { key: group(key), waiting, active, paused }
}

/// A key with one job does not wait for the backlog of another.
pub async fn a_newcomer_does_not_wait_for_a_backlog(f: &Fixture) {
    const CONCURRENCY: usize = 4;
    f.write(limit("q", |limits| limits.concurrency = Some(4))).await;
    f.enqueue(many("a", 10_000)).await;
    let mut running = f.claim("q", 99).await;
    assert_eq!(running.len(), CONCURRENCY);
    f.enqueue([keyed("q", "b", "b")]).await;
    for pick in 1.. {
        f.complete(&running.remove(0).lease, Keep::NOTHING).await;
        running.push(f.claim_one("q").await);
        if running[CONCURRENCY - 1].job.id.as_str() == "b" {
            break;
        }
        assert!(pick <= CONCURRENCY, "b is among the next picks");
    }
}

/// Keys with work take turns, job by job, however much work each has.
pub async fn keys_take_turns(f: &Fixture) {
    f.enqueue(many("a", 6).chain(many("b", 2)).chain(many("c", 3))).await;
    assert_eq!(turns(f, "q", 11).await, "abcabcacaaa");
}

/// A claim of many jobs takes the same turns, and returns the jobs key by key.
pub async fn a_claim_of_many_is_fair(f: &Fixture) {
    f.enqueue(many("b", 9).chain(many("a", 9)).chain(many("c", 1))).await;
    let ids = f.claim_ids("q", 6).await;
    assert_eq!(ids, ["a0", "a1", "a2", "b0", "b1", "c0"]);
    assert_eq!(f.claim_ids("q", 3).await, ["b2", "b3", "a3"]);
}

/// Jobs without a key that were claimed before there was one do not count against those that wait.
pub async fn turns_begin_with_the_first_key(f: &Fixture) {
    f.enqueue((0..10).map(|n| job("q", &format!("j{n}")))).await;
    assert_eq!(f.claim("q", 8).await.len(), 8);
    f.enqueue(many("a", 2)).await;
    let next = f.claim_ids("q", 1).await;
    assert_eq!(next.len(), 1);
    assert!(!next[0].starts_with('a'), "{next:?}");
    assert_eq!(f.claim_ids("q", 1).await, ["a0"]);
}

/// A claim of very many may take a few jobs of a key at a time, and shares out as evenly in the end.
pub async fn a_claim_of_very_many_is_fair(f: &Fixture) {
    f.enqueue(many("a", 300).chain(many("b", 300))).await;
    for max in [16, 64, 256] {
        let ids = f.claim_ids("q", max).await;
        let own = ids.iter().filter(|id| id.starts_with('b')).count();
        assert_eq!((ids.len(), own), (max, max / 2));
    }
}

/// A key of weight 3 gets three jobs for each one of a key without a weight.
pub async fn weights_are_shares(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.weights = [(group("a"), 3)].into())).await;
    f.enqueue(many("a", 60).chain(many("b", 60))).await;
    let turns = turns(f, "q", 40).await;
    assert_eq!(turns.matches('a').count(), 30, "{turns}");
    assert!(!turns.contains("bb") && !turns.contains("aaaaa"), "evenly spread: {turns}");
}

/// Jobs without a key are together one key more.
pub async fn jobs_without_a_key_take_turns_together(f: &Fixture) {
    f.enqueue(jobs("q", ["x1", "x2", "x3"])).await;
    f.enqueue(many("a", 3).chain(many("b", 3))).await;
    assert_eq!(turns(f, "q", 9).await, "xabxabxab");
}

/// Inside a key the order is that of a queue: by priority, LIFO first, first in first out.
pub async fn the_order_holds_inside_a_key(f: &Fixture) {
    let with = |id, priority, lifo| {
        job_with("q", id, |options| {
            options.key = Some(group("a"));
            (options.priority, options.lifo) = (Some(priority), Some(lifo));
        })
    };
    f.enqueue([with("p2", 2, false), with("one", 0, false), with("two", 0, false)]).await;
    f.enqueue([with("p1", 1, false), with("last", 0, true), prioritized("q", "x", 9)]).await;
    assert_eq!(picks(f, "q", 6).await, ["last", "x", "one", "two", "p1", "p2"]);
}

/// A key that has work now and then is not served before its turn for having been away.
pub async fn nothing_is_gained_by_being_away(f: &Fixture) {
    f.enqueue(many("a", 60)).await;
    turns(f, "q", 20).await;
    let mut served = String::new();
    for n in 0..20 {
        if f.state("q", &format!("b{n}")).await.is_none() {
            let _ = f.commit([Write::Enqueue(keyed("q", &format!("b{n}"), "b"))]).await;
        }
        served += &turns(f, "q", 1).await;
    }
    let own = served.matches('b').count();
    assert!((9..=11).contains(&own), "each gets half: {served}");
}

/// Nothing is handed out of a key that is paused; the others go on.
pub async fn a_paused_key_is_held_back(f: &Fixture) {
    f.write(pause_key("q", "a", true)).await;
    f.enqueue(many("a", 2).chain(many("b", 2)).chain([job("q", "x")])).await;
    assert_eq!(turns(f, "q", 3).await, "xbb");
    assert_eq!(f.claim("q", 9).await, []);
    assert_eq!(f.state("q", "a0").await, Some(JobState::Waiting), "not the queue is paused");
    assert_eq!(f.paused("q").await, Some(false));
    f.write(pause_key("q", "a", false)).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a0", "a1"]);
}

/// A key is paused on its queue alone; what runs goes on, and comes back to the pause.
pub async fn a_pause_of_a_key_is_of_its_queue(f: &Fixture) {
    f.enqueue([keyed("q", "a", "k"), keyed("other", "b", "k")]).await;
    let leased = f.claim_one("q").await;
    f.write(pause_key("q", "k", true)).await;
    assert_eq!(f.claim_ids("other", 9).await, ["b"]);
    f.settle(&leased.lease, eventyard_core::Settlement::Release).await;
    assert_eq!(f.claim("q", 9).await, []);
    f.write(pause_key("q", "k", false)).await;
    let leased = f.claim_one("q").await;
    f.write(pause_key("q", "k", true)).await;
    f.complete(&leased.lease, Keep::FOREVER).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Completed));
}

/// Keys are listed that have waiting or active jobs or are paused.
pub async fn busy_keys_are_listed(f: &Fixture) {
    f.enqueue(many("b", 3).chain(many("a", 1)).chain([job("q", "x")])).await;
    let mut later = delayed("q", "later", secs(5));
    std::sync::Arc::make_mut(&mut later.options).key = Some(group("later"));
    f.enqueue([later]).await;
    f.commit([pause_key("q", "paused", true), pause_key("q", "b", true)]).await;
    let leased = f.claim_ids("q", 9).await;
    assert_eq!(leased, ["x", "a0"]);
    let expected = [status("a", 0, 1, false), status("b", 3, 0, true)];
    let expected = [&expected[..], &[status("paused", 0, 0, true)]].concat();
    assert_eq!(f.keys(&queue_name("q")).await, expected);
    assert_eq!(f.keys(&queue_name("nowhere")).await, []);
    f.pass(secs(5)).await;
    assert_eq!(f.keys(&queue_name("q")).await[2], status("later", 1, 0, false));
    let page = PageAsk { limit: 2, cursor: Some("key.!".to_owned()) };
    assert!(f.inspect.keys(&queue_name("q"), page).await.is_err(), "a wrong cursor is refused");
}

/// Waiting jobs are listed key by key, those without a key first; the others by their own order.
pub async fn waiting_jobs_are_listed_by_key(f: &Fixture) {
    f.enqueue([keyed("q", "b1", "b"), keyed("q", "a1", "a"), job("q", "x1")]).await;
    f.enqueue([keyed("q", "B1", "B"), keyed("q", "a2", "a"), job("q", "x2")]).await;
    let expected = ["x1", "x2", "B1", "a1", "a2", "b1"];
    assert_eq!(f.listed("q", JobState::Waiting).await, expected);
    f.write(Write::Pause(queue_name("q"), true)).await;
    assert_eq!(f.listed("q", JobState::Paused).await, expected);
    f.write(Write::Pause(queue_name("q"), false)).await;
    f.claim("q", 9).await;
    assert_eq!(f.listed("q", JobState::Active).await.len(), 6);
}

/// A key may be any text; keys that look alike are different.
pub async fn odd_keys_are_just_keys(f: &Fixture) {
    let keys = ["k", "K", "k ", "%", "_", "'", "ü", "u\u{308}", "null", "0"];
    for (n, key) in keys.iter().enumerate() {
        f.enqueue([keyed("q", &format!("j{n}"), key)]).await;
    }
    let mut sorted = keys;
    sorted.sort_unstable();
    let listed = f.keys(&queue_name("q")).await;
    assert_eq!(listed.iter().map(|k| k.key.as_str()).collect::<Vec<_>>(), sorted);
    f.advance(ms(1));
    for leased in f.claim("q", 99).await {
        let place: usize = leased.job.id.as_str()[1..].parse().unwrap();
        assert_eq!(leased.job.options.key, Some(group(keys[place])));
    }
}
