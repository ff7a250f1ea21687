//! Listings of jobs, while jobs come and go.

use eventyard_core::{
    JobState::{Completed, Failed, Paused, Prioritized, Waiting},
    PageAsk, StoreErrorKind,
};

use super::*;

#[tokio::test]
async fn waiting_jobs_keep_their_pages() {
    let f = Fixture::start().await;
    let ids: Vec<_> = (0..10_i64).map(|n| (format!("j{n}"), n)).collect();
    f.jobs(ids.iter().map(|(id, n)| (&**id, *n))).await;
    f.run("LPUSH J:wait j0 j1 j2 j3 j4 j5 j6 j7 j8 j9").await;
    let (ids, next) = f.page(Waiting, 3, &None).await;
    assert_eq!(ids, ["j0", "j1", "j2"]);
    // The first have gone, one has come before all, and one behind.
    f.jobs([("first", -20), ("last", 20)]).await;
    f.run("LREM J:wait 1 j0\nLREM J:wait 1 j2\nLREM J:wait 1 j3\nRPUSH J:wait first\nLPUSH J:wait last")
        .await;
    let (ids, next) = f.page(Waiting, 3, &next).await;
    assert_eq!(ids, ["j4", "j5", "j6"]);
    // The last one seen goes and comes back behind.
    f.run("LREM J:wait 1 j6\nHSET J:j6 eyp 30\nLPUSH J:wait j6").await;
    let (ids, next) = f.page(Waiting, 3, &next).await;
    assert_eq!(ids, ["j7", "j8", "j9"]);
    let (ids, next) = f.page(Waiting, 3, &next).await;
    assert_eq!((ids, next), (vec!["last".to_owned(), "j6".to_owned()], None));
    // A hash that vanished is left out.
    f.run("DEL J:j4").await;
    assert_eq!(f.walk(Waiting).await, ["first", "j1", "j5", "j7", "j8", "j9", "last", "j6"]);
}

#[tokio::test]
async fn jobs_of_nodes_have_pages_too() {
    let f = Fixture::start().await;
    for n in 0..30 {
        let created = 1_700_000_000_000_i64 + n / 3;
        f.run(&format!(
            "HSET J:{n} name n data {{}} opts {{}} timestamp {created}\nLPUSH J:wait {n}"
        ))
        .await;
    }
    let all: Vec<_> = (0..30).map(|n| n.to_string()).collect();
    assert_eq!(f.walk(Waiting).await, all);
    let (ids, next) = f.page(Waiting, 10, &None).await;
    assert_eq!(ids, all[..10]);
    // They are taken meanwhile.
    for n in 0..12 {
        f.run(&format!("RPOP J:wait\nDEL J:{n}")).await;
    }
    let (ids, _) = f.page(Waiting, 10, &next).await;
    assert_eq!(ids, all[12..22]);
    f.run("HSET bull:q:meta paused 1 version bullmq:5.1.0\nRENAME J:wait J:paused").await;
    assert_eq!(f.walk(Waiting).await, [""; 0]);
    assert_eq!(f.walk(Paused).await, all[12..]);
}

#[tokio::test]
async fn lanes_come_behind_by_key() {
    let f = Fixture::start().await;
    f.jobs([("x", 1), ("a1", 2), ("a2", 3), ("b1", 4), ("p1", 5), ("p2", 6), ("p3", 7)]).await;
    let p = |priority: i64, n: i64| priority * (1 << 32) + n;
    f.run(&format!(
        "LPUSH J:wait x
         ZADD O:lanes 0 b 0 a 0 c
         ZADD O:lane:a 1 a1 2 a2 {} p2
         ZADD O:lane:b 1 b1
         ZADD O:lane:c {} p3
         ZADD J:prioritized {} p1
         HSET O:set keys 1 waiting 3 prioritized 2
         HSET J:a1 eyk a
         HSET J:a2 eyk a
         HSET J:b1 eyk b
         HSET J:p2 eyk a priority 1
         HSET J:p3 eyk c priority 2
         HSET J:p1 priority 2
         HSET O:active a 2 d 1
         SADD O:paused e b",
        p(1, -3),
        p(2, 1),
        p(2, 1),
    ))
    .await;
    assert_eq!(f.walk(Waiting).await, ["x", "a1", "a2", "b1"]);
    assert_eq!(f.walk(Prioritized).await, ["p1", "p2", "p3"]);
    let (_, next) = f.page(Waiting, 2, &None).await;
    f.run("ZREM O:lane:a a1").await;
    assert_eq!(f.page(Waiting, 2, &next).await.0, ["a2", "b1"], "the last one seen has gone");
    let mut ask = PageAsk::first(2);
    let mut keys = Vec::new();
    loop {
        let page = f.reader.keys(&queue("q"), ask.clone()).await.unwrap();
        keys.extend(
            page.items
                .into_iter()
                .map(|k| format!("{} {} {} {}", k.key, k.waiting, k.active, k.paused)),
        );
        if page.next.is_none() {
            break;
        }
        ask.cursor = page.next;
    }
    assert_eq!(keys, ["a 2 2 false", "b 1 0 true", "c 1 0 false", "d 0 1 false", "e 0 0 true"]);
}

#[tokio::test]
async fn finished_jobs_of_all_queues_are_merged() {
    let f = Fixture::start().await;
    // Queue, id and score: some have one score.
    let jobs = [
        ("a", "1", "5"),
        ("b", "2", "5"),
        ("a", "3", "5"),
        ("c", "4", "4.5"),
        ("b", "5", "6.25"),
        ("b", "6", "5"),
        ("c", "7", "5"),
        ("a", "8", "7"),
    ];
    for (queue, id, score) in jobs {
        f.run(&format!(
            "SADD E:queues {queue}
             HSET bull:{queue}:{id} name n timestamp 1 finishedOn {} failedReason no
             ZADD bull:{queue}:failed {score} {id}",
            score.split('.').next().unwrap()
        ))
        .await;
    }
    for limit in 1..9 {
        let (mut seen, mut ask) = (Vec::new(), PageAsk::first(limit));
        loop {
            let page = f.reader.jobs(None, Failed, ask.clone()).await.unwrap();
            assert!(page.items.len() <= limit);
            seen.extend(page.items.iter().map(|status| status.job.key().to_string()));
            if page.next.is_none() {
                break;
            }
            ask.cursor = page.next;
        }
        assert_eq!(seen, ["a/8", "b/5", "c/7", "b/6", "b/2", "a/3", "a/1", "c/4"], "by {limit}");
    }
    let ask = |cursor: &str| PageAsk { limit: 1, cursor: Some(cursor.to_owned()) };
    for only in [None, Some(&queue("a"))] {
        let error = f.reader.jobs(only, Failed, ask("failed.x")).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn finished_jobs_of_one_moment_have_pages() {
    let f = Fixture::start().await;
    let ids = ["a", "b", "c", "d", "e", "f"];
    for id in ids {
        f.run(&format!("HSET J:{id} name n timestamp 1 finishedOn 9\nZADD J:completed 9 {id}"))
            .await;
    }
    assert_eq!(f.walk(Completed).await, ["f", "e", "d", "c", "b", "a"]);
    let (_, next) = f.page(Completed, 3, &None).await;
    f.run("ZREM J:completed d f c").await;
    assert_eq!(f.page(Completed, 3, &next).await, (vec!["b".to_owned(), "a".to_owned()], None));
}
