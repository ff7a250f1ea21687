//! Odd names, odd payloads, large ones.

use std::sync::Arc;

use eventyard_core::{
    JobId, JobState, Keep, Payload, Settlement, WorkerId, Write, id::MAX_ID_BYTES,
};

use crate::{
    Fixture,
    given::{event, failure, job, key, publish, queue_name},
};

/// Ids that a careless store would take for something else.
fn odd_ids() -> Vec<String> {
    let mut ids: Vec<_> = [
        "'; DROP TABLE jobs; --",
        "\"quoted\"",
        "%",
        "_",
        "a b",
        "a/b:c?d#e",
        "null",
        "0",
        "00",
        "1e3",
        "-1",
        "é",
        "e\u{301}",
        "日本語",
        "\u{1f980}\u{200d}\u{1f980}",
        "\u{10ffff}",
        "A",
        "a",
        " ",
        "a ",
    ]
    .map(str::to_owned)
    .into();
    ids.push("x".repeat(MAX_ID_BYTES));
    ids.push("ü".repeat(MAX_ID_BYTES / 2));
    ids
}

/// Jobs with odd ids live like all others, each apart from those that look alike.
pub async fn odd_ids_are_just_ids(f: &Fixture) {
    let ids = odd_ids();
    f.enqueue(ids.iter().map(|id| job("q", id))).await;
    for id in &ids {
        assert_eq!(f.state("q", id).await, Some(JobState::Waiting), "{id:?}");
        let queues = f.inspect.queues_of(&JobId::new(id).unwrap()).await.unwrap();
        assert_eq!(queues, [queue_name("q")], "{id:?}");
    }
    assert_eq!(f.listed("q", JobState::Waiting).await, ids);
    let leased = f.claim("q", 99).await;
    assert_eq!(leased.iter().map(|l| l.job.id.as_str()).collect::<Vec<_>>(), ids);
    for l in &leased {
        f.write_under(&l.lease, [Write::Log(l.job.id.to_string())]).await;
        f.settle(&l.lease, Settlement::Fail { failure: failure("no"), keep: Keep::FOREVER }).await;
        assert_eq!(f.inspect.logs(&l.job.key()).await.unwrap()[0].line, l.job.id.as_str());
        f.write(Write::Retry(l.job.key())).await;
        f.write(Write::Remove(l.job.key())).await;
    }
    assert_eq!(f.counts("q").await.total(), 0);
}

/// Queues with odd names are apart, also where they differ in case alone.
pub async fn odd_queues_are_just_queues(f: &Fixture) {
    let long = "q".repeat(MAX_ID_BYTES);
    let names = ["q", "Q", "ü", "u\u{308}", "'", "%", "a.b", "-", &long];
    f.enqueue(names.iter().map(|name| job(name, "a"))).await;
    let known = f.inspect.queues().await.unwrap();
    assert_eq!(known.len(), names.len());
    assert!(known.iter().all(|(name, status)| *name == status.name && status.counts.total() == 1));
    for name in names {
        f.write(Write::Pause(queue_name(name), true)).await;
        assert_eq!(f.claim(name, 9).await, [], "{name}");
        f.write(Write::Pause(queue_name(name), false)).await;
        assert_eq!(f.claim_ids(name, 9).await, ["a"], "{name}");
    }
}

/// Events with odd ids are routed and deduplicated like all others.
pub async fn odd_events_are_just_events(f: &Fixture) {
    for id in odd_ids() {
        let event = event(&id, &id);
        for _ in 0..2 {
            f.write(publish(&event, &["q"])).await;
        }
        assert_eq!(f.inspect.event(&event.id).await.unwrap().as_ref(), Some(&event));
        let leased = f.claim("q", 9).await;
        assert_eq!(leased.len(), 1, "{id:?}");
        assert_eq!(leased[0].job.payload, Payload::Event(Arc::new(event)));
    }
}

/// A payload may be empty, binary, or a mebibyte; it comes out as it went in.
pub async fn payloads_pass_through(f: &Fixture) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let large = every_byte.repeat(4096);
    assert_eq!(large.len(), 1024 * 1024);
    for (n, data) in [vec![], vec![0], every_byte, large].into_iter().enumerate() {
        let (id, event_id) = (format!("data{n}"), format!("event{n}"));
        let mut job = job("q", &id);
        job.payload = Payload::Data(data.clone().into());
        job.name = "".into();
        let mut event = event(&event_id, "k");
        event.data = data.clone().into();
        f.commit([Write::Enqueue(job), publish(&event, &["q"])]).await;
        let leased = f.claim("q", 2).await;
        assert_eq!(leased.len(), 2);
        for l in &leased {
            assert!(*l.job.payload.data() == data, "{}", l.job.id);
        }
        let [plain, carried] = &leased[..] else { panic!("two jobs") };
        assert!((plain.job.payload.event(), &*plain.job.name) == (None, ""));
        assert!(**carried.job.payload.event().unwrap() == event);
        assert!(*f.status("q", &id).await.job.payload.data() == data);
        assert!(f.inspect.event(&event.id).await.unwrap().unwrap().data == data);
    }
}

/// Results and progress are bytes that pass through.
pub async fn results_pass_through(f: &Fixture) {
    f.enqueue([job("q", "a"), job("q", "b")]).await;
    let leased = f.claim("q", 2).await;
    for (l, bytes) in leased.iter().zip([vec![], vec![0xff; 100_000]]) {
        let progress = Write::Progress(bytes.clone().into());
        let (result, keep) = (Some(bytes.clone().into()), Keep::FOREVER);
        let settle = Write::Settle(Settlement::Complete { result, keep });
        f.write_under(&l.lease, [progress, settle]).await;
        let status = f.status("q", l.job.id.as_str()).await;
        assert!(status.result.unwrap() == bytes);
        assert!(status.progress.unwrap() == bytes);
    }
}

/// A worker's name is shown as it was given.
pub async fn odd_workers_are_just_workers(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let mut ask = f.ask("q", 1, std::time::Duration::ZERO);
    ask.worker = WorkerId::new("räuber@host #1 'x'").unwrap();
    let leased = f.store.claim(ask.clone()).await.unwrap();
    let failure = failure("no");
    f.settle(&leased[0].lease, Settlement::Retry { at: f.now(), failure }).await;
    assert_eq!(f.status("q", "a").await.worker.as_ref(), Some(&ask.worker));
    let records = f.inspect.attempts(&key("q", "a")).await.unwrap();
    assert_eq!(records[0].worker, ask.worker);
}
