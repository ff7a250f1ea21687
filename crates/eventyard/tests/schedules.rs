//! Schedules from the outside, on virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{sync::Arc, time::Duration};

use eventyard::{
    Error, Eventyard, JobError, JobRequest, Json, Keep, Queue, Schedule, Yard,
    model::{
        Clock, Commit, JobState, ManualClock, MemoryStore, QueueName, Store, Timestamp, Write,
        inspect::{Inspect, PageAsk},
    },
    schedule::CatchUp,
    secs,
    testing::{TestYard, VirtualClock},
};

const HOUR: Duration = secs(60 * 60);

async fn tidy(_: Json<serde_json::Value>) -> Result<(), JobError> {
    Ok(())
}

fn job() -> JobRequest {
    JobRequest::new("chores", "tidy").data(&serde_json::json!({"room": 7})).unwrap()
}

/// An application that keeps every job, and works on none.
fn application() -> Eventyard {
    Eventyard::in_memory()
        .queue(Queue::new("chores").keep_completed(Keep::FOREVER))
        .handle("chores", tidy)
}

/// An application on a shared store, as a process of its own.
async fn node(store: &Arc<MemoryStore>, clock: &Arc<VirtualClock>, schedule: Schedule) -> Yard {
    let (store, clock) = (Arc::clone(store), Arc::clone(clock) as Arc<dyn Clock>);
    Eventyard::on(store, clock)
        .queue(Queue::new("chores"))
        .schedule(schedule)
        .start()
        .await
        .unwrap()
}

/// The ids of the jobs on the queue, in order.
async fn ids(inspect: &dyn Inspect) -> Vec<String> {
    let queue = QueueName::new("chores").unwrap();
    let mut ids = Vec::new();
    for state in JobState::ALL {
        let mut ask = PageAsk::first(1000);
        loop {
            let page = inspect.jobs(Some(&queue), state, ask).await.unwrap();
            ids.extend(page.items.iter().map(|status| status.job.key().id.to_string()));
            match page.next {
                Some(cursor) => ask = PageAsk { limit: 1000, cursor: Some(cursor) },
                None => break,
            }
        }
    }
    ids.sort();
    ids
}

fn tick_ids(name: &str, times: impl IntoIterator<Item = Timestamp>) -> Vec<String> {
    let id = |time: Timestamp| format!("schedule:{name}:{}", time.as_millis());
    let mut ids: Vec<_> = times.into_iter().map(id).collect();
    ids.sort();
    ids
}

async fn status(yard: &Yard, name: &str) -> eventyard::schedule::Status {
    yard.schedule(name).await.unwrap().unwrap()
}

#[tokio::test]
async fn each_due_time_adds_the_job_at_its_very_time() {
    let t = application().schedule(Schedule::every("pulse", secs(10)).job(job())).test();
    let start = t.clock().now();
    let pulse = status(&t, "pulse").await;
    assert_eq!((pulse.runs, pulse.last_run, pulse.next_run), (0, None, Some(start + secs(10))));
    t.advance(secs(9)).await;
    assert_eq!(t.jobs_named("tidy", JobState::Completed).len(), 0);
    t.advance(secs(21)).await;
    let mut jobs = t.jobs_named("tidy", JobState::Completed);
    jobs.sort_by_key(|status| status.job.created_at);
    let added: Vec<_> = jobs.iter().map(|status| status.job.created_at.since(start)).collect();
    assert_eq!(added, [secs(10), secs(20), secs(30)]);
    assert_eq!(&jobs[0].job.payload.data()[..], br#"{"room":7}"#);
    let pulse = status(&t, "pulse").await;
    let (last, next) = (Some(start + secs(30)), Some(start + secs(40)));
    assert_eq!((pulse.runs, pulse.last_run, pulse.next_run), (3, last, next));
}

#[tokio::test]
async fn a_year_of_nights_in_four_time_zones() {
    let clock = eve_of_the_year();
    let store = MemoryStore::new(Arc::clone(&clock) as _);
    a_year_of_nights(Arc::new(store), clock).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_year_of_nights_in_four_time_zones_on_the_embedded_store() {
    let (clock, folder) = (eve_of_the_year(), tempfile::tempdir().unwrap());
    let options = eventyard_sqlite::Options::new(folder.path().join("store.db"));
    let store = eventyard_sqlite::SqliteStore::open(options.clock(Arc::clone(&clock) as _)).await;
    a_year_of_nights(Arc::new(store.unwrap()), clock).await;
}

fn eve_of_the_year() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2025-12-31T00:00:00Z".parse().unwrap()))
}

/// A year on a clock that moves from one time to the next.
async fn a_year_of_nights<S: Store + Inspect + 'static>(store: Arc<S>, clock: Arc<ManualClock>) {
    let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
    let keep = Queue::new("chores").keep_completed(Keep::FOREVER);
    let app = Eventyard::on(Arc::clone(&store), Arc::clone(&clock) as _).queue(keep);
    let nightly = |zone| Schedule::cron(name(zone), "15 2 * * *").time_zone(zone).job(job());
    let yard = zones.into_iter().fold(app, |app, zone| app.schedule(nightly(zone)));
    let yard = yard.start().await.unwrap();
    let until: Timestamp = "2027-01-02T00:00:00Z".parse().unwrap();
    loop {
        let all = yard.schedules(PageAsk::first(10)).await.unwrap().items;
        let next = all.iter().filter_map(|status| status.next_run).min().unwrap();
        if next <= clock.now() {
            tokio::task::yield_now().await;
        } else if next < until {
            clock.advance(next.since(clock.now()));
        } else {
            break;
        }
    }
    let ids = ids(&*store).await;
    for (zone, spring, autumn) in [
        (zones[0], Some("2026-03-29T01:00:00Z"), Some("2026-10-25T00:15:00Z")),
        (zones[1], Some("2026-03-08T07:00:00Z"), None),
        (zones[2], Some("2026-10-03T15:30:00Z"), None),
        (zones[3], None, None),
    ] {
        let of_zone = ids.iter().filter(|id| id.contains(&name(zone))).count();
        assert_eq!(of_zone, 367, "{zone}: one for each of the days");
        for change in [spring, autumn].into_iter().flatten() {
            let at = tick_ids(&name(zone), [change.parse().unwrap()]);
            assert!(ids.contains(&at[0]), "{zone} at {change}");
        }
    }
}

/// A time zone as the name of a schedule.
fn name(zone: &str) -> String {
    zone.replace('/', "-")
}

#[tokio::test]
async fn two_nodes_add_one_job_for_each_due_time() {
    let clock = Arc::new(VirtualClock::pause());
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
    let start = clock.now();
    let pulse = || Schedule::every("pulse", secs(7)).job(job());
    let nodes = [node(&store, &clock, pulse()).await, node(&store, &clock, pulse()).await];
    clock.sleep_until(start + secs(7 * 500)).await;
    // One dies in the middle, and the other goes on.
    nodes[0].stop().await;
    clock.sleep_until(start + secs(7 * 1000) + secs(1)).await;
    let expected = tick_ids("pulse", (1..=1000).map(|n| start + secs(7 * n)));
    assert_eq!(ids(&*store).await, expected);
    assert_eq!(status(&nodes[1], "pulse").await.runs, 1000);
}

#[tokio::test]
async fn a_change_by_another_node_is_seen() {
    let clock = Arc::new(VirtualClock::pause());
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
    let hourly = Schedule::every("hourly", HOUR).job(job());
    let nodes =
        [node(&store, &clock, hourly.clone()).await, node(&store, &clock, hourly.clone()).await];
    clock.sleep(secs(1)).await;
    // The node that knows of it goes before it is due.
    let changed = clock.now();
    nodes[0].upsert_schedule(Schedule::every("new", secs(50)).job(job())).await.unwrap();
    nodes[0].pause_schedule("hourly").await.unwrap();
    nodes[0].stop().await;
    clock.sleep(2 * HOUR + secs(1)).await;
    let due = (1..=144).map(|n| changed + secs(50 * n));
    assert_eq!(ids(&*store).await, tick_ids("new", due));
    assert!(status(&nodes[1], "hourly").await.paused);
}

#[tokio::test]
async fn a_restart_catches_up_as_was_asked() {
    for (catch_up, expected) in [
        (CatchUp::Skip, vec![1, 7]),
        (CatchUp::One, vec![1, 2, 7]),
        (CatchUp::All, vec![1, 2, 3, 4, 5, 6, 7]),
    ] {
        let clock = Arc::new(VirtualClock::pause());
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
        let start = clock.now();
        let hourly = || Schedule::every("hourly", HOUR).job(job()).catch_up(catch_up);
        let before = node(&store, &clock, hourly()).await;
        clock.sleep(HOUR + secs(1)).await;
        before.stop().await;
        clock.sleep(5 * HOUR + HOUR / 2).await;
        let after = node(&store, &clock, hourly()).await;
        clock.sleep(HOUR).await;
        let expected = tick_ids("hourly", expected.into_iter().map(|n| start + n * HOUR));
        assert_eq!(ids(&*store).await, expected, "{catch_up:?}");
        let next = status(&after, "hourly").await.next_run;
        assert_eq!(next, Some(start + 8 * HOUR), "{catch_up:?}");
    }
}

#[tokio::test]
async fn a_short_restart_misses_nothing() {
    let clock = Arc::new(VirtualClock::pause());
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
    let start = clock.now();
    let hourly = || Schedule::every("hourly", HOUR).job(job());
    node(&store, &clock, hourly()).await.stop().await;
    clock.sleep(HOUR + secs(20)).await;
    let _after = node(&store, &clock, hourly()).await;
    clock.sleep(secs(1)).await;
    assert_eq!(ids(&*store).await, tick_ids("hourly", [start + HOUR]));
}

#[tokio::test]
async fn a_declared_schedule_that_has_not_changed_keeps_its_runs() {
    let clock = Arc::new(VirtualClock::pause());
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
    let start = clock.now();
    let hourly = || Schedule::every("hourly", HOUR).job(job());
    let before = node(&store, &clock, hourly()).await;
    clock.sleep(HOUR + HOUR / 2).await;
    let was = status(&before, "hourly").await;
    before.pause_schedule("hourly").await.unwrap();
    before.stop().await;
    let after = node(&store, &clock, hourly()).await;
    let now = status(&after, "hourly").await;
    assert!(now.paused, "who restarts does not resume");
    assert_eq!((now.runs, now.last_run), (1, was.last_run));
    let resumed = after.resume_schedule("hourly").await.unwrap();
    assert_eq!(resumed.next_run, Some(start + 2 * HOUR), "the beat stays");
    after.stop().await;

    let other_job = hourly().job(job().attempts(9));
    let after = node(&store, &clock, other_job).await;
    assert_eq!(status(&after, "hourly").await.next_run, resumed.next_run);
    let sooner = Schedule::every("hourly", secs(60)).job(job());
    let sooner = after.upsert_schedule(sooner).await.unwrap();
    assert_eq!((sooner.runs, sooner.next_run), (1, Some(clock.now() + secs(60))));
}

#[tokio::test]
async fn starts_ends_and_limits() {
    let t = application().test();
    let start = t.clock().now();
    let at = |s| start + secs(s);
    let pulse = |name| Schedule::every(name, secs(10)).job(job());
    let schedules = vec![
        pulse("bounded").start(at(25)).end(at(45)),
        pulse("limited").limit(2),
        pulse("over").end(start),
        pulse("aligned").start(start - secs(3)).limit(1),
    ];
    t.upsert_schedules(schedules).await.unwrap();
    t.advance(secs(100)).await;
    let mut expected = tick_ids("bounded", [at(25), at(35), at(45)]);
    expected.extend(tick_ids("limited", [at(10), at(20)]));
    expected.extend(tick_ids("aligned", [at(7)]));
    expected.sort();
    assert_eq!(ids(&**t.inspect()).await, expected);
    for name in ["bounded", "limited", "over", "aligned"] {
        assert_eq!(status(&t, name).await.next_run, None, "{name}");
    }
    let more = t.upsert_schedule(pulse("limited").limit(3)).await.unwrap();
    assert_eq!(more.next_run, Some(at(110)), "one that goes on keeps its beat");
}

#[tokio::test]
async fn steering() {
    let t: TestYard = application().schedule(Schedule::every("pulse", secs(10)).job(job())).test();
    let start = t.clock().now();
    t.advance(secs(15)).await;
    let paused = t.pause_schedule("pulse").await.unwrap();
    assert_eq!((paused.paused, paused.next_run), (true, None));
    t.advance(secs(100)).await;
    let run = t.run_schedule("pulse").await.unwrap();
    assert!(run.id.as_str().starts_with("schedule:pulse:run:"), "{run:?}");
    let resumed = t.resume_schedule("pulse").await.unwrap();
    assert_eq!(resumed.next_run, Some(start + secs(120)), "what passed while paused is not missed");
    t.advance(secs(5)).await;
    assert_eq!(t.jobs_named("tidy", JobState::Completed).len(), 3);
    assert_eq!(status(&t, "pulse").await.runs, 2, "a run by hand is none of its times");

    let page = t.schedules(PageAsk::first(10)).await.unwrap();
    assert_eq!(page.items, [status(&t, "pulse").await]);
    t.remove_schedule("pulse").await.unwrap();
    t.advance(secs(100)).await;
    assert_eq!(t.jobs_named("tidy", JobState::Completed).len(), 3);
    assert!(t.schedule("pulse").await.unwrap().is_none());
    let absent = [
        t.pause_schedule("pulse").await.map(drop),
        t.resume_schedule("pulse").await.map(drop),
        t.run_schedule("pulse").await.map(drop),
        t.remove_schedule("pulse").await,
    ];
    for answer in absent {
        assert_eq!(answer.unwrap_err().code(), "no-such-schedule");
    }
}

#[tokio::test]
async fn mistakes_are_told_at_once() {
    let t = application().test();
    let wrong = Schedule::cron("s", "0 25 * * *").job(job());
    let refused = t.upsert_schedules(vec![Schedule::every("t", HOUR).job(job()), wrong]).await;
    assert!(
        matches!(&refused, Err(Error::InvalidSchedule(fault)) if fault.field == "cron"),
        "{refused:?}"
    );
    assert!(t.schedule("t").await.unwrap().is_none(), "all or none");
    let twice = vec![Schedule::every("t", HOUR).job(job()), Schedule::every("t", HOUR).job(job())];
    assert_eq!(t.upsert_schedules(twice).await.unwrap_err().code(), "invalid-schedule");

    let app = application()
        .schedule(Schedule::cron("a", "* * *").job(job()))
        .schedule(Schedule::every("b", HOUR).job(JobRequest::new("absent", "n")))
        .schedule(Schedule::every("b", HOUR).job(job()));
    let Err(Error::Setup(mistakes)) = app.start().await.map(drop) else { panic!("it started") };
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    for (mistake, part) in mistakes.iter().zip(["`a`: `cron`", "`b`: `job.queue`", "twice"]) {
        assert!(mistake.contains(part), "{mistake}");
    }
}

/// What this process cannot read or do is left alone, and all else goes on.
#[tokio::test]
async fn a_schedule_that_cannot_be_done_here_holds_up_no_other() {
    let t = application().schedule(Schedule::every("pulse", secs(10)).job(job())).test();
    let write = |key: &str, value: &str| Write::Put {
        collection: "schedules".to_owned(),
        key: key.to_owned(),
        value: value.to_owned().into(),
        expected: None,
    };
    let other = r#"{"plan":{"every":1000,"catchUp":"skip","job":{"queue":"elsewhere","name":"n",
        "data":null,"opts":{}}},"paused":false,"anchor":"2026-01-01T00:00:00Z",
        "next":"2026-01-01T00:00:01Z","last":null,"runs":0}"#;
    t.commit(Commit::of([write("broken", "{}"), write("other", other)])).await.unwrap();
    t.advance(secs(60)).await;
    assert_eq!(t.jobs_named("tidy", JobState::Completed).len(), 6);
    let unread = t.schedule("broken").await.unwrap_err();
    assert_eq!(unread.code(), "store-corrupt");
    let replaced = t.upsert_schedule(Schedule::every("broken", HOUR).job(job())).await.unwrap();
    assert_eq!(replaced.runs, 0);
    assert_eq!(status(&t, "other").await.runs, 0);
}
