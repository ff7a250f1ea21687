//! Publishing, and the event log.

use eventyard_core::{
    Effect, Enqueued, Event, Keep, PageAsk, Payload, Upkeep, Write, inspect::EventFilter,
};

use crate::{
    Fixture,
    fixture::UPKEEP,
    given::{DAY, event, job, key, ms, publish, secs},
};

fn published(id: &str, duplicate: bool, jobs: &[(&str, bool)]) -> Effect {
    let jobs = jobs.iter().map(|(queue, duplicate)| {
        let key = key(queue, id);
        Enqueued { queue: key.queue, id: key.id, duplicate: *duplicate }
    });
    Effect::Published { event: event(id, "").id, duplicate, jobs: jobs.collect() }
}

/// The ids of the log's events, walked in small pages.
async fn ids(f: &Fixture, filter: EventFilter) -> Vec<String> {
    let (mut all, mut ask) = (Vec::new(), PageAsk::first(3));
    loop {
        let page = f.inspect.events(filter.clone(), ask.clone()).await.unwrap();
        assert!(page.items.len() <= 3);
        all.extend(page.items.iter().map(|event| event.id.to_string()));
        if page.next.is_none() {
            return all;
        }
        ask.cursor = page.next;
    }
}

async fn every_id(f: &Fixture) -> Vec<String> {
    ids(f, EventFilter::default()).await
}

async fn publish_all<const N: usize>(f: &Fixture, ids: [&str; N]) {
    f.commit(ids.map(|id| publish(&event(id, "k"), &[]))).await;
}

async fn prune(f: &Fixture, keep_events: Keep) -> u64 {
    f.maintain(Upkeep { keep_events, ..UPKEEP }).await.forgotten_events
}

/// An event is in the log, and a job with its id and content is on each of its queues.
pub async fn an_event_becomes_jobs(f: &Fixture) {
    let event = event("e", "order.placed");
    let effect = f.write(publish(&event, &["one", "two"])).await;
    assert_eq!(effect, published("e", false, &[("one", false), ("two", false)]));
    for queue in ["one", "two"] {
        let job = f.claim_one(queue).await.job;
        assert_eq!((job.id.as_str(), &*job.name), ("e", "order.placed"));
        assert_eq!(job.payload, Payload::Event(event.clone().into()));
    }
    assert_eq!(f.inspect.event(&event.id).await.unwrap(), Some(event));
}

/// An event that no route takes is in the log all the same.
pub async fn an_unrouted_event_is_kept(f: &Fixture) {
    assert_eq!(f.write(publish(&event("e", "k"), &[])).await, published("e", false, &[]));
    assert_eq!(every_id(f).await, ["e"]);
    assert_eq!(f.inspect.queues().await.unwrap().len(), 0);
}

/// Publishing an event again changes nothing, on no queue, though it were routed elsewhere by now.
pub async fn a_repeat_changes_nothing(f: &Fixture) {
    let first = event("e", "k");
    f.write(publish(&first, &["one"])).await;
    let mut again = event("e", "other");
    again.data = "other".into();
    let effect = f.write(publish(&again, &["one", "two"])).await;
    assert_eq!(effect, published("e", true, &[("one", true), ("two", true)]));
    assert_eq!(f.paused("two").await, None, "the new queue has heard nothing");
    assert_eq!(f.inspect.event(&first.id).await.unwrap(), Some(first.clone()));

    // Also once its job is done and gone.
    let lease = f.claim_one("one").await.lease;
    f.complete(&lease, Keep::NOTHING).await;
    let effect = f.write(publish(&first, &["one"])).await;
    assert_eq!(effect, published("e", true, &[("one", true)]));
    assert_eq!(f.claim("one", 9).await, []);
    assert_eq!(every_id(f).await, ["e"]);
}

/// Within a new event's jobs, one whose id exists on its queue stays as it is.
pub async fn a_job_that_exists_stays(f: &Fixture) {
    f.enqueue([job("one", "e")]).await;
    let effect = f.write(publish(&event("e", "k"), &["one", "two"])).await;
    assert_eq!(effect, published("e", false, &[("one", true), ("two", false)]));
    assert_eq!(f.claim_one("one").await.job.payload, job("one", "e").payload);
    let twice = f.commit(["x", "x"].map(|id| publish(&event(id, "k"), &["two"]))).await;
    assert_eq!(
        twice,
        [published("x", false, &[("two", false)]), published("x", true, &[("two", true)])]
    );
}

/// The log lists the newest first, by the order of arrival and not by the events' own times.
pub async fn the_newest_comes_first(f: &Fixture) {
    let mut old = event("b", "k");
    old.time = old.time - DAY;
    f.commit([publish(&event("c", "k"), &[]), publish(&event("a", "k"), &[]), publish(&old, &[])])
        .await;
    f.advance(secs(1));
    publish_all(f, ["f", "d", "e", "g"]).await;
    assert_eq!(every_id(f).await, ["g", "e", "d", "f", "b", "a", "c"]);
}

/// A page says where the next one begins, also when events arrive or go meanwhile.
pub async fn pages_follow_each_other(f: &Fixture) {
    publish_all(f, ["a", "b", "c", "d"]).await;
    let filter = EventFilter::default;
    let page = f.inspect.events(filter(), PageAsk::first(2)).await.unwrap();
    assert_eq!(page.items, [event("d", "k"), event("c", "k")]);
    publish_all(f, ["e"]).await;
    let ask = PageAsk { limit: 2, cursor: page.next };
    let page = f.inspect.events(filter(), ask.clone()).await.unwrap();
    assert_eq!(page.items, [event("b", "k"), event("a", "k")]);
    assert_eq!(page.next, None, "it is the last one");
    assert_eq!(prune(f, Keep::count(2)).await, 3);
    let page = f.inspect.events(filter(), ask).await.unwrap();
    assert_eq!((page.items, page.next), (vec![], None));
    let ask = PageAsk { limit: 2, cursor: Some("no cursor".to_owned()) };
    let error = f.inspect.events(filter(), ask).await.unwrap_err();
    assert_eq!(error.kind(), eventyard_core::StoreErrorKind::Unsupported);
    assert!(error.to_string().contains("cursor"), "{error}");
}

/// Filters are by exact type and by correlation; an event without one begins its own story.
pub async fn filters_narrow_the_listing(f: &Fixture) {
    let with = |id: &str, kind: &str, correlation: Option<&str>| -> Event {
        let correlation_id = correlation.map(str::to_owned);
        Event { correlation_id, ..event(id, kind) }
    };
    let events = [
        with("a", "order.placed", None),
        with("b", "order.paid", Some("a")),
        with("c", "order.placed", None),
        with("d", "order.paid", Some("a")),
        with("e", "order", Some("s")),
        with("f", "order.placed", Some("s")),
    ];
    f.commit(events.iter().map(|event| publish(event, &[]))).await;
    let check = async |kind: Option<&str>, correlation: Option<&str>, expected: &[&str]| {
        let filter = EventFilter {
            kind: kind.map(str::to_owned),
            correlation_id: correlation.map(str::to_owned),
        };
        assert_eq!(ids(f, filter.clone()).await, expected, "{filter:?}");
    };
    check(None, None, &["f", "e", "d", "c", "b", "a"]).await;
    check(Some("order.placed"), None, &["f", "c", "a"]).await;
    check(Some("order"), None, &["e"]).await;
    check(Some("order.%"), None, &[]).await;
    check(Some("ORDER"), None, &[]).await;
    check(None, Some("a"), &["d", "b", "a"]).await;
    check(None, Some("s"), &["f", "e"]).await;
    check(None, Some("c"), &["c"]).await;
    check(Some("order.placed"), Some("a"), &["a"]).await;
    check(Some("order.paid"), Some("s"), &[]).await;
}

/// Events leave the log by their age since they arrived, to the millisecond.
pub async fn old_events_are_forgotten(f: &Fixture) {
    publish_all(f, ["a", "b"]).await;
    f.advance(secs(1));
    publish_all(f, ["c"]).await;
    let keep = Keep::age(DAY);
    f.advance(DAY - secs(1) - ms(1));
    assert_eq!(prune(f, keep).await, 0);
    f.advance(ms(1));
    assert_eq!(prune(f, keep).await, 2);
    assert_eq!(every_id(f).await, ["c"]);
    assert_eq!(f.inspect.event(&event("a", "k").id).await.unwrap(), None);
    f.advance(secs(1));
    assert_eq!(prune(f, Keep::FOREVER).await, 0);
    assert_eq!(prune(f, keep).await, 1);
}

/// Events leave the log when there are enough newer ones.
pub async fn surplus_events_are_forgotten(f: &Fixture) {
    publish_all(f, ["a", "b", "c", "d"]).await;
    assert_eq!(prune(f, Keep::count(4)).await, 0);
    assert_eq!(prune(f, Keep::count(3).or_age(DAY)).await, 1);
    assert_eq!(every_id(f).await, ["d", "c", "b"]);
    assert_eq!(prune(f, Keep::NOTHING).await, 3);
    assert_eq!(every_id(f).await, [""; 0]);
}

/// An event whose id is that of a job stays with the job, and counts among the others.
pub async fn an_event_stays_with_its_job(f: &Fixture) {
    f.write(publish(&event("a", "k"), &["q"])).await;
    publish_all(f, ["b", "c", "d"]).await;
    f.enqueue([job("other", "b")]).await;
    assert_eq!(prune(f, Keep::count(2)).await, 0);
    assert_eq!(prune(f, Keep::count(1)).await, 1);
    assert_eq!(every_id(f).await, ["d", "b", "a"]);
    let leased = f.claim_one("q").await;
    assert_eq!(leased.job.payload.event().unwrap().id, event("a", "k").id);
    f.complete(&leased.lease, Keep::age(secs(5))).await;
    assert_eq!(prune(f, Keep::count(1)).await, 0, "the finished job has it still");
    f.advance(secs(5));
    assert_eq!(prune(f, Keep::count(1)).await, 1, "in the very call that removes the job");
    assert_eq!(every_id(f).await, ["d", "b"]);
}

/// One call forgets no more events than its limit, the oldest first, and says that there is more.
pub async fn forgetting_is_bounded(f: &Fixture) {
    f.write(publish(&event("carried", "k"), &["q"])).await;
    publish_all(f, ["a", "b", "c", "d"]).await;
    let upkeep = Upkeep { limit: 2, keep_events: Keep::count(1), ..UPKEEP };
    let done = f.maintain(upkeep.clone()).await;
    assert_eq!((done.forgotten_events, done.more), (2, true));
    assert_eq!(every_id(f).await, ["d", "c", "carried"]);
    let done = f.maintain(upkeep).await;
    assert_eq!((done.forgotten_events, done.more), (1, false));
    assert_eq!(every_id(f).await, ["d", "carried"]);
}

/// An event that was forgotten is new again.
pub async fn a_forgotten_event_is_new_again(f: &Fixture) {
    publish_all(f, ["a", "b"]).await;
    assert_eq!(prune(f, Keep::NOTHING).await, 2);
    let effect = f.write(publish(&event("a", "k"), &["q"])).await;
    assert_eq!(effect, published("a", false, &[("q", false)]));
    assert_eq!(every_id(f).await, ["a"]);
}

/// Every attribute of an event is kept.
pub async fn events_are_kept_whole(f: &Fixture) {
    let mut whole = event("e \u{1f980}'\"%", "order.placed");
    whole.source = "urn:ü".to_owned();
    whole.subject = Some(String::new());
    whole.time = whole.time + ms(7);
    whole.correlation_id = Some("story".to_owned());
    whole.causation_id = Some("cause".to_owned());
    whole.version = Some(u32::MAX);
    whole.data_content_type = Some("application/octet-stream".to_owned());
    whole.data_schema = Some("https://example.com/s".to_owned());
    whole.extensions = [
        ("flag".to_owned(), false.into()),
        ("number".to_owned(), i32::MIN.into()),
        ("text".to_owned(), "\u{0}\n".into()),
    ]
    .into();
    whole.data = vec![0, 255, 128, 10].into();
    let mut bare = event("bare", "k");
    bare.data = "".into();
    f.commit([publish(&whole, &["q"]), publish(&bare, &["q"])]).await;
    let page = f.inspect.events(EventFilter::default(), PageAsk::first(9)).await.unwrap();
    assert_eq!(page.items, [bare.clone(), whole.clone()]);
    for leased in f.claim("q", 2).await {
        let carried = leased.job.payload.event().unwrap();
        assert!(**carried == whole || **carried == bare, "{carried:?}");
    }
    assert_eq!(f.inspect.event(&whole.id).await.unwrap(), Some(whole));
}

/// An event and its jobs outlive the pruning of everything else.
pub async fn a_publish_and_a_prune_do_not_race(f: &Fixture) {
    f.write(publish(&event("a", "k"), &["q"])).await;
    assert_eq!(prune(f, Keep::NOTHING).await, 0);
    let effect = f.write(publish(&event("a", "k"), &["q"])).await;
    assert_eq!(effect, published("a", true, &[("q", true)]));
    f.write(Write::Remove(key("q", "a"))).await;
    assert_eq!(prune(f, Keep::NOTHING).await, 1);
}
