//! The scenarios as Eventyard goes through them; `node/states.mjs` has the same as BullMQ does.

use std::time::Duration;

use eventyard_core::{
    Backoff, Commit, JobState, Keep, NewJob, OnChildFailure, QueueLimits, Rate, Settlement, Write,
};

use super::hands::{C, Hands, MINUTE, Q, awaiting, child_of, job, key, name, same};

const SHORT: Duration = Duration::from_millis(20);

/// Goes through the scenario of this name.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) async fn go(scenario: &str, h: &Hands) {
    let forever = Keep::FOREVER;
    match scenario {
        // Adding.
        "add" => h.add("a", |_| {}).await,
        "add_some" => add_plain(h, &["a", "b", "c"]).await,
        "add_bulk" => h.add_all(["a", "b", "c"].map(|id| job(Q, id, |_| {}))).await,
        "add_delayed" => delayed(h, "a", 5).await,
        "add_delayed_earlier" => {
            delayed(h, "a", 9).await;
            delayed(h, "b", 5).await;
        }
        "add_prioritised" => {
            for (id, priority) in [("a", 3), ("b", 1), ("c", 3)] {
                prioritised(h, id, priority).await;
            }
        }
        "add_delayed_prioritised" => {
            h.add("a", |o| (o.delay, o.priority) = (Some(MINUTE), Some(7))).await;
        }
        "add_lifo" => {
            h.add("a", |_| {}).await;
            h.add("b", |o| o.lifo = Some(true)).await;
        }
        "add_with_options" => {
            h.add("a", |o| {
                o.attempts = Some(5);
                o.backoff = Some(Backoff::exponential(Duration::from_secs(2)));
                o.remove_on_complete = Some(Keep::count(100).or_age(Duration::from_secs(3600)));
                o.remove_on_fail = Some(Keep::count(50));
            })
            .await;
        }
        "add_twice" => {
            h.add("a", |_| {}).await;
            prioritised(h, "a", 5).await;
        }
        "add_while_paused" => {
            h.pause(true).await;
            h.add("a", |_| {}).await;
            prioritised(h, "b", 2).await;
            delayed(h, "c", 1).await;
        }

        // Jobs that say the same.
        "same" => {
            for id in ["a", "b"] {
                h.add(id, |o| o.deduplication = same(|_| {})).await;
            }
        }
        "same_for_a_time" => {
            for id in ["a", "b"] {
                h.add(id, |o| o.deduplication = same(|s| s.ttl = Some(5 * MINUTE))).await;
            }
        }
        "same_for_a_time_that_begins_anew" => {
            for id in ["a", "b"] {
                let same = same(|s| (s.ttl, s.extend) = (Some(5 * MINUTE), true));
                h.add(id, |o| o.deduplication = same).await;
            }
        }
        "same_replaces" => {
            for id in ["a", "b"] {
                let same = same(|s| (s.ttl, s.replace) = (Some(5 * MINUTE), true));
                h.add(id, |o| (o.deduplication, o.delay) = (same, Some(5 * MINUTE))).await;
            }
        }
        "same_replaces_without_a_time" => {
            for id in ["a", "b"] {
                let same = same(|s| s.replace = true);
                h.add(id, |o| (o.deduplication, o.delay) = (same, Some(5 * MINUTE))).await;
            }
        }
        "same_keeps_the_last" => {
            let add = async |id| {
                h.add(id, |o| o.deduplication = same(|s| s.keep_last_if_active = true)).await;
            };
            add("a").await;
            h.take().await;
            add("b").await;
            add("c").await;
        }
        "same_ends_when_completed" => {
            h.add("a", |o| o.deduplication = same(|_| {})).await;
            h.run(Q, "1").await;
            h.add("b", |o| o.deduplication = same(|_| {})).await;
        }
        "same_outlives_its_job" => {
            let ttl = Some(5 * MINUTE);
            h.add("a", |o| o.deduplication = same(|s| s.ttl = ttl)).await;
            h.run(Q, "1").await;
            h.add("b", |o| o.deduplication = same(|s| s.ttl = ttl)).await;
        }
        "same_ends_when_removed" => {
            h.add("a", |o| o.deduplication = same(|_| {})).await;
            h.write(Write::Remove(key(Q, "a"))).await;
        }

        // Taking.
        "take" => {
            add_plain(h, &["a", "b"]).await;
            h.take().await;
        }
        "take_the_last" => {
            h.add("a", |_| {}).await;
            h.take().await;
        }
        "take_prioritised" => {
            prioritised(h, "a", 2).await;
            prioritised(h, "b", 1).await;
            h.take().await;
        }
        "take_what_is_due" => {
            h.add("a", |o| o.delay = Some(SHORT)).await;
            delayed(h, "b", 5).await;
            h.advance(2 * SHORT);
            h.take().await;
        }
        "take_what_is_due_by_priority" => {
            h.add("a", |o| (o.delay, o.priority) = (Some(SHORT), Some(4))).await;
            prioritised(h, "b", 9).await;
            h.advance(2 * SHORT);
            h.take().await;
        }

        // Completing.
        "complete" => {
            h.add("a", |_| {}).await;
            h.run(Q, r#"{"sent":true}"#).await;
        }
        "complete_with_nothing" => {
            h.add("a", |_| {}).await;
            h.complete(&h.take().await, None, forever).await;
        }
        "complete_one_of_two" => {
            add_plain(h, &["a", "b"]).await;
            h.run(Q, "1").await;
        }
        "complete_and_remove" => {
            complete_and_keep(h, &[("a", "1")], Keep::NOTHING).await;
        }
        "complete_and_keep_one" => {
            complete_and_keep(h, &[("a", "1"), ("b", "2"), ("c", "3")], Keep::count(1)).await;
        }
        "complete_and_keep_for_an_age" => {
            complete_and_keep(h, &[("a", "1")], Keep::age(Duration::from_secs(3600))).await;
        }

        // Failing.
        "retry_later" => {
            h.add("a", |o| {
                (o.attempts, o.backoff) = (Some(3), Some(Backoff::fixed(MINUTE)));
            })
            .await;
            h.retry(&h.take().await, MINUTE).await;
        }
        "retry_at_once" => {
            h.add("a", |o| o.attempts = Some(3)).await;
            h.retry(&h.take().await, Duration::ZERO).await;
        }
        "retry_at_once_by_priority" => {
            h.add("a", |o| (o.attempts, o.priority) = (Some(3), Some(6))).await;
            h.retry(&h.take().await, Duration::ZERO).await;
        }
        "retry_and_complete" => {
            h.add("a", |o| o.attempts = Some(3)).await;
            h.retry(&h.take().await, Duration::ZERO).await;
            h.run(Q, "1").await;
        }
        "fail" => {
            h.add("a", |_| {}).await;
            h.bury(Q).await;
        }
        "fail_the_second_time" => {
            h.add("a", |o| o.attempts = Some(2)).await;
            h.retry(&h.take().await, Duration::ZERO).await;
            h.bury(Q).await;
        }
        "fail_and_remove" => {
            h.add("a", |o| o.remove_on_fail = Some(Keep::NOTHING)).await;
            h.fail(&h.take().await, Keep::NOTHING).await;
        }

        // While it runs.
        "progress" => {
            h.add("a", |_| {}).await;
            let lease = h.take().await;
            for progress in ["40", r#"{"percent":60}"#] {
                h.under(&lease, [Write::Progress(progress.into())]).await;
            }
        }
        "log" => {
            h.add("a", |_| {}).await;
            let lines = ["one", "two"].map(|line| Write::Log(line.to_owned()));
            h.under(&h.take().await, lines).await;
        }
        "renew" => {
            h.add("a", |_| {}).await;
            h.renew(h.take().await, 5 * MINUTE).await;
        }
        "snooze" => {
            h.add("a", |_| {}).await;
            let at = h.now() + 5 * MINUTE;
            h.under(&h.take().await, [Write::Settle(Settlement::Snooze { at })]).await;
        }
        "give_back" => {
            add_plain(h, &["a", "b"]).await;
            h.under(&h.take().await, [Write::Settle(Settlement::Release)]).await;
        }
        "give_back_prioritised" => {
            prioritised(h, "a", 5).await;
            prioritised(h, "b", 5).await;
            h.under(&h.take().await, [Write::Settle(Settlement::Release)]).await;
        }
        "stall" => {
            h.add("a", |_| {}).await;
            let lease = h.take_for(Q, SHORT).await;
            h.takeover(&lease, SHORT).await;
        }

        // Steering jobs.
        "update" => {
            h.add("a", |_| {}).await;
            h.write(Write::Update { job: key(Q, "a"), data: r#"{"other":[1,2]}"#.into() }).await;
        }
        "promote" => {
            delayed(h, "a", 1).await;
            delayed(h, "b", 5).await;
            h.write(Write::Promote(key(Q, "a"))).await;
        }
        "promote_prioritised" => {
            h.add("a", |o| (o.delay, o.priority) = (Some(MINUTE), Some(8))).await;
            h.write(Write::Promote(key(Q, "a"))).await;
        }
        "retry_failed" => {
            h.add("a", |_| {}).await;
            h.bury(Q).await;
            h.write(Write::Retry(key(Q, "a"))).await;
        }
        "retry_failed_prioritised" => {
            prioritised(h, "a", 4).await;
            h.bury(Q).await;
            h.write(Write::Retry(key(Q, "a"))).await;
        }
        "retry_completed" => {
            h.add("a", |_| {}).await;
            h.run(Q, "1").await;
            h.write(Write::Retry(key(Q, "a"))).await;
        }
        "remove_waiting" => {
            add_plain(h, &["a", "b"]).await;
            h.write(Write::Remove(key(Q, "a"))).await;
        }
        "remove_delayed" => {
            delayed(h, "a", 1).await;
            h.write(Write::Remove(key(Q, "a"))).await;
        }
        "remove_prioritised" => {
            prioritised(h, "a", 2).await;
            h.write(Write::Remove(key(Q, "a"))).await;
        }
        "remove_completed" => {
            h.add("a", |_| {}).await;
            let lease = h.take().await;
            h.under(&lease, [Write::Log("one".to_owned())]).await;
            h.complete(&lease, Some("1"), forever).await;
            h.write(Write::Remove(key(Q, "a"))).await;
        }
        "remove_failed" => {
            h.add("a", |_| {}).await;
            h.bury(Q).await;
            h.write(Write::Remove(key(Q, "a"))).await;
        }
        "prioritise_waiting" => {
            add_plain(h, &["a", "b"]).await;
            h.write(Write::Reprioritize { job: key(Q, "a"), priority: 5 }).await;
        }
        "prioritise_again" => {
            prioritised(h, "a", 5).await;
            prioritised(h, "b", 5).await;
            h.write(Write::Reprioritize { job: key(Q, "a"), priority: 7 }).await;
        }
        "prioritise_no_more" => {
            prioritised(h, "a", 5).await;
            h.write(Write::Reprioritize { job: key(Q, "a"), priority: 0 }).await;
        }
        "reschedule" => {
            delayed(h, "a", 1).await;
            delayed(h, "b", 5).await;
            h.write(Write::Reschedule { job: key(Q, "a"), at: h.now() + 9 * MINUTE }).await;
        }

        // Steering queues.
        "pause" => {
            h.add("a", |_| {}).await;
            prioritised(h, "b", 3).await;
            h.pause(true).await;
        }
        "pause_empty" => h.pause(true).await,
        "resume" => {
            h.add("a", |_| {}).await;
            h.pause(true).await;
            h.add("b", |_| {}).await;
            h.pause(false).await;
        }
        "resume_with_delayed" => {
            h.pause(true).await;
            delayed(h, "a", 1).await;
            h.pause(false).await;
        }
        "complete_while_paused" => {
            h.add("a", |_| {}).await;
            let lease = h.take().await;
            h.add("b", |_| {}).await;
            h.pause(true).await;
            h.complete(&lease, Some("1"), forever).await;
        }
        "retry_while_paused" => {
            h.add("a", |o| o.attempts = Some(3)).await;
            let lease = h.take().await;
            h.pause(true).await;
            h.retry(&lease, Duration::ZERO).await;
        }
        "clean_completed" => {
            add_plain(h, &["a", "b", "c"]).await;
            for result in ["1", "2", "3"] {
                h.run(Q, result).await;
                h.advance(SHORT);
            }
            clean(h, JobState::Completed, 2).await;
        }
        "clean_failed" => {
            add_plain(h, &["a", "b"]).await;
            h.bury(Q).await;
            h.bury(Q).await;
            clean(h, JobState::Failed, 100).await;
        }
        "clean_delayed" => {
            delayed(h, "a", 1).await;
            h.add("b", |_| {}).await;
            clean(h, JobState::Delayed, 100).await;
        }
        "clean_waiting" => {
            add_plain(h, &["a", "b", "c"]).await;
            clean(h, JobState::Waiting, 2).await;
        }
        "limit_concurrency" => {
            h.limit(QueueLimits { concurrency: Some(1), ..QueueLimits::default() }).await;
            h.add("a", |_| {}).await;
            h.take().await;
            h.add("b", |_| {}).await;
        }
        "limit_rate" => {
            let rate = Some(Rate::new(100, MINUTE));
            h.limit(QueueLimits { rate, ..QueueLimits::default() }).await;
        }

        // Flows.
        "flow" => flow(h, &[("x", WAIT), ("y", WAIT)]).await,
        "flow_prioritised" => {
            let parent = job(Q, "parent", |o| o.priority = Some(2));
            let child = job(C, "x", |o| o.priority = Some(3));
            h.add_all([awaiting(parent), child_of(key(Q, "parent"), WAIT, child)]).await;
        }
        "flow_first_child_completed" => {
            flow(h, &[("x", WAIT), ("y", WAIT)]).await;
            h.run(C, r#"{"n":1}"#).await;
        }
        "flow_children_completed" => {
            flow(h, &[("x", WAIT), ("y", WAIT)]).await;
            h.run(C, r#"{"n":1}"#).await;
            h.run(C, r#"{"n":2}"#).await;
        }
        "flow_children_completed_for_a_prioritised_parent" => {
            let parent = job(Q, "parent", |o| o.priority = Some(2));
            h.add_all([awaiting(parent), child("x", WAIT)]).await;
            h.run(C, r#"{"n":1}"#).await;
        }
        "flow_children_completed_and_removed" => {
            let parent = awaiting(job(Q, "parent", |_| {}));
            let child = job(C, "x", |o| o.remove_on_complete = Some(Keep::NOTHING));
            h.add_all([parent, child_of(key(Q, "parent"), WAIT, child)]).await;
            let lease = h.take_for(C, MINUTE).await;
            h.complete(&lease, Some(r#"{"n":1}"#), Keep::NOTHING).await;
        }
        "flow_completed" => {
            flow(h, &[("x", WAIT)]).await;
            h.run(C, "1").await;
            h.run(Q, "2").await;
        }
        "flow_child_fails_and_parent_waits" => {
            flow(h, &[("x", WAIT), ("y", WAIT)]).await;
            h.bury(C).await;
        }
        "flow_child_fails_its_parent" => {
            flow(h, &[("x", OnChildFailure::Fail), ("y", WAIT)]).await;
            h.bury(C).await;
        }
        "flow_child_fails_and_is_ignored" => {
            flow(h, &[("x", OnChildFailure::Ignore), ("y", WAIT)]).await;
            h.bury(C).await;
        }
        "flow_only_child_fails_and_is_ignored" => {
            flow(h, &[("x", OnChildFailure::Ignore)]).await;
            h.bury(C).await;
        }
        "flow_child_fails_and_parent_goes_on" => {
            flow(h, &[("x", OnChildFailure::Continue), ("y", WAIT)]).await;
            h.bury(C).await;
        }
        "flow_failed_child_is_retried" => {
            flow(h, &[("x", WAIT)]).await;
            h.bury(C).await;
            h.write(Write::Retry(key(C, "x"))).await;
        }
        "flow_child_is_removed" => {
            flow(h, &[("x", WAIT)]).await;
            h.write(Write::Remove(key(C, "x"))).await;
        }
        "flow_grows_while_it_runs" => {
            h.add("parent", |_| {}).await;
            let lease = h.take().await;
            let writes =
                [Write::Enqueue(child("x", WAIT)), Write::Settle(Settlement::AwaitChildren)];
            h.try_commit(Commit::under(lease, writes)).await.unwrap();
        }
        "flow_of_three_levels" => {
            let leaf = child_of(key(Q, "middle"), WAIT, job(Q, "leaf", |_| {}));
            let middle = child_of(key(Q, "root"), WAIT, job(Q, "middle", |_| {}));
            h.add_all([awaiting(job(Q, "root", |_| {})), awaiting(middle), leaf]).await;
        }
        other => panic!("the scenario {other} has no counterpart here"),
    }
}

const WAIT: OnChildFailure = OnChildFailure::Wait;

async fn add_plain(h: &Hands, ids: &[&str]) {
    for id in ids {
        h.add(id, |_| {}).await;
    }
}

async fn delayed(h: &Hands, id: &str, by_minutes: u32) {
    h.add(id, |options| options.delay = Some(by_minutes * MINUTE)).await;
}

async fn prioritised(h: &Hands, id: &str, priority: u32) {
    h.add(id, |options| options.priority = Some(priority)).await;
}

/// Adds the jobs that say themselves how long they stay, then completes them.
async fn complete_and_keep(h: &Hands, jobs: &[(&str, &'static str)], keep: Keep) {
    for (id, _) in jobs {
        h.add(id, |options| options.remove_on_complete = Some(keep)).await;
    }
    for (_, result) in jobs {
        let lease = h.take().await;
        h.complete(&lease, Some(result), keep).await;
        // Of jobs that end at the same time none is older.
        h.advance(SHORT);
    }
}

async fn clean(h: &Hands, state: JobState, limit: usize) {
    h.advance(SHORT);
    h.write(Write::Clean { queue: name(Q), state, older_than: Duration::ZERO, limit }).await;
}

/// A parent on `q` with children on `c`.
async fn flow(h: &Hands, children: &[(&str, OnChildFailure)]) {
    let parent = awaiting(job(Q, "parent", |_| {}));
    let children = children.iter().map(|(id, on_fail)| child(id, *on_fail));
    h.add_all([parent].into_iter().chain(children)).await;
}

fn child(id: &str, on_fail: OnChildFailure) -> NewJob {
    child_of(key(Q, "parent"), on_fail, job(C, id, |_| {}))
}
