//! Single jobs: where they stand, and what they have behind them.

use std::time::{Duration, UNIX_EPOCH};

use eventyard_core::{
    JobState::{Active, Completed, Delayed, Failed, Waiting, WaitingChildren},
    PageAsk,
    inspect::ChildOutcome,
};

use super::*;

#[tokio::test]
async fn each_state_tells_what_belongs_to_it() {
    let f = Fixture::start().await;
    f.jobs([("d", 1), ("c", 2), ("f", 3), ("w", 4), ("ours", 5), ("node", 6), ("s", 7)]).await;
    let token = format!("{:032x}", 7);
    f.run(&format!(
        "ZADD J:delayed {} d
         HSET J:c processedOn 5 finishedOn 9 pb w returnvalue 7 failedReason before progress 50 atm 2
         ZADD J:completed 9 c
         HSET J:f finishedOn 9 failedReason no returnvalue null
         ZADD J:failed 9 f
         ZADD J:waiting-children 9 w
         LPUSH J:active node ours
         HSET J:ours processedOn 5 pb w ats 3 eyl {token}_3
         ZADD O:leases 1234 ours
         HSET E:tokens {token} q:ours
         HSET J:node processedOn 5 pb n ats 1
         SET J:node:lock node:1 PX 30000
         HSET J:s priority 4 stc 1
         RPUSH J:wait s",
        1_800_000_000_000_i64 * 4096 + 3
    ))
    .await;
    // A space in a value is not one in a command.
    let lease = format!("{token} 3");
    let set = redis::Cmd::hset("bull:q:ours", "eyl", lease);
    set.exec_async(&mut f.connection.clone()).await.unwrap();

    let delayed = f.status("d").await;
    assert_eq!((delayed.state, delayed.due_at), (Delayed, Some(at(1_800_000_000_000))));
    let completed = f.status("c").await;
    assert_eq!((completed.state, completed.finished_at), (Completed, Some(at(9))));
    assert_eq!((completed.result.unwrap(), completed.failure), ("7".into(), None));
    assert_eq!((completed.progress.unwrap(), completed.job.attempts_made), ("50".into(), 2));
    assert_eq!(completed.worker.unwrap().as_str(), "w");
    let failed = f.status("f").await;
    assert_eq!((failed.state, failed.result), (Failed, None));
    assert_eq!(failed.failure.unwrap().message, "no");
    assert_eq!(f.status("w").await.state, WaitingChildren);
    assert_eq!(f.status("s").await.state, Waiting, "who stalled in Node waits before all");
    let ours = f.status("ours").await;
    assert_eq!((ours.state, ours.leased_until), (Active, Some(at(1234))));
    let node = f.status("node").await;
    let now = UNIX_EPOCH.elapsed().unwrap().as_millis();
    let left = node.leased_until.unwrap().since(at(i64::try_from(now).unwrap()));
    assert!(left > Duration::from_secs(20) && left <= Duration::from_secs(30), "{left:?}");
    assert_eq!(f.walk(Active).await, ["node", "ours"]);

    let token = token.parse().unwrap();
    let leased = f.reader.leased(token).await.unwrap().unwrap();
    assert_eq!(
        (leased.lease.job, leased.lease.attempt, leased.until),
        (key("q", "ours"), 1, at(1234))
    );
    for (change, back) in [
        ("SET J:ours:lock other", "DEL J:ours:lock"),
        ("HINCRBY J:ours ats 1", "HINCRBY J:ours ats -1"),
        ("LREM J:active 1 ours", "LPUSH J:active ours"),
        ("ZREM O:leases ours", "ZADD O:leases 1234 ours"),
    ] {
        f.run(change).await;
        assert_eq!(f.reader.leased(token).await.unwrap(), None, "{change}");
        f.run(back).await;
        assert!(f.reader.leased(token).await.unwrap().is_some(), "{back}");
    }
    for nobody in ["x", "wait", "meta"] {
        assert_eq!(f.reader.job(&key("q", nobody)).await.unwrap(), None);
        assert_eq!(f.reader.queues_of(&JobId::new(nobody).unwrap()).await.unwrap(), []);
    }
    f.run("SADD E:queues q r s\nHSET bull:s:d name n").await;
    let queues = f.reader.queues_of(&JobId::new("d").unwrap()).await.unwrap();
    assert_eq!(queues, [queue("q"), queue("s")]);
}

#[tokio::test]
async fn history_is_told() {
    let f = Fixture::start().await;
    f.jobs([("a", 1)]).await;
    f.run(
        "HSET J:a atm 1 failedReason no stacktrace [\"no\"]
         RPUSH J:a:logs one 2023-11-14T22:13:20.123Z",
    )
    .await;
    let row = redis::Cmd::rpush("bull:q:a:logs", "2023-11-14T22:13:20.123Z two words");
    row.exec_async(&mut f.connection.clone()).await.unwrap();
    let log = f.reader.logs(&key("q", "a")).await.unwrap();
    let log: Vec<_> = log.iter().map(|row| (row.at.as_millis(), &*row.line)).collect();
    assert_eq!(
        log,
        [
            (1_700_000_000_001, "one"),
            (1_700_000_000_001, "2023-11-14T22:13:20.123Z"),
            (1_700_000_000_123, "two words")
        ]
    );
    let attempts = f.reader.attempts(&key("q", "a")).await.unwrap();
    assert_eq!((attempts.len(), &*attempts[0].failure.message), (1, "no"));
    assert_eq!(f.reader.attempts(&key("q", "b")).await.unwrap(), []);
    assert_eq!(f.reader.logs(&key("q", "b")).await.unwrap(), []);
}

#[tokio::test]
async fn children_are_told_with_their_ends() {
    let f = Fixture::start().await;
    f.jobs([("p", 1)]).await;
    f.run(
        "SADD J:p:dependencies bull:q:b bull:r:node
         HSET J:p:processed bull:q:a 7 bull:r:done null
         HSET J:p:failed bull:r:bad why
         HSET J:p ey>bull:q:d {\"kind\":\"timeout\",\"message\":\"late\"}
         ZADD J:p:unsuccessful 5 bull:r:worse 5 bull:q:d",
    )
    .await;
    let set = redis::pipe()
        .hset("bull:q:p", "eyc", "bull:q:d\nbull:q:a\nbull:q:c:1\nbull:q:b")
        .hset("bull:q:p", "ey>bull:q:c:1", "")
        .clone();
    set.exec_async(&mut f.connection.clone()).await.unwrap();
    let (mut seen, mut ask) = (Vec::new(), PageAsk::first(3));
    loop {
        let page = f.reader.children(&key("q", "p"), ask.clone()).await.unwrap();
        seen.extend(page.items.into_iter().map(|child| {
            let outcome = match child.outcome {
                ChildOutcome::Pending => "pending".to_owned(),
                ChildOutcome::Completed(result) => format!("{result:?}"),
                ChildOutcome::Failed(failure) => {
                    format!("{}: {}", failure.kind.as_str(), failure.message)
                }
                ChildOutcome::Removed => "removed".to_owned(),
            };
            format!("{} {outcome}", child.job)
        }));
        if page.next.is_none() {
            break;
        }
        ask.cursor = page.next;
    }
    let expected = [
        "q/d timeout: late",
        "q/a Some(b\"7\")",
        "q/c:1 removed",
        "q/b pending",
        "r/bad error: why",
        "r/done None",
        "r/node pending",
        "r/worse error: child bull:r:worse failed",
    ];
    assert_eq!(seen, expected);
}
