//! What belongs to no job: queues, events, documents, and the server's promise.

use eventyard_core::{
    Durability,
    JobState::{Completed, Paused, Prioritized, Waiting},
    PageAsk,
};

use super::*;

#[tokio::test]
async fn queues_of_both_kinds_are_counted() {
    let f = Fixture::start().await;
    assert_eq!(f.reader.queues().await.unwrap().len(), 0);
    let f = Fixture::start().await;
    f.run(
        "HSET bull:node:meta version bullmq:5.81.5 opts.maxLenEvents 10000 concurrency 4
         RPUSH bull:node:wait 1 2
         ZADD bull:node:completed 5 3
         HSET bull:q:meta paused 1
         SADD E:queues q
         LPUSH J:wait a
         HSET O:set limits {\"maxLength\":9} waiting 3 prioritized 2
         HSET bull:elsewhere:x:meta version 1
         HSET bulls:eye:meta version 1
         HSET bull::eventyard:documents:meta a 1",
    )
    .await;
    let queues = f.reader.queues().await.unwrap();
    assert_eq!(queues.keys().map(QueueName::as_str).collect::<Vec<_>>(), ["node", "q"]);
    let some = |name| {
        let counts = queues[&queue(name)].counts;
        counts.iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>()
    };
    assert_eq!(some("node"), [(Waiting, 2), (Completed, 1)]);
    assert_eq!(some("q"), [(Prioritized, 2), (Paused, 4)]);
    assert_eq!(queues[&queue("node")].limits.concurrency, Some(4));
    assert_eq!(queues[&queue("q")].limits.max_length, Some(9));
    f.run("DEL bull:node:meta bull:node:wait bull:node:completed").await;
    assert_eq!(f.reader.queues().await.unwrap().len(), 1, "what has gone is not remembered");
}

#[tokio::test]
async fn documents_and_events_are_read() {
    let f = Fixture::start().await;
    let (mut pipe, mut connection) = (redis::pipe(), f.connection.clone());
    for (n, (id, kind, story)) in
        [("a", "x", "a"), ("b", "y", "a"), ("c", "x", "c"), ("d", "x", "a"), ("e", "y", "c")]
            .into_iter()
            .enumerate()
    {
        let mut event = Event::new(kind, "/s", at(5), "1");
        event.id = EventId::new(id).unwrap();
        event.correlation_id = Some(story.to_owned());
        let body = crate::codec::payload::encode_event(&event);
        pipe.hset(format!("bull::eventyard:event:{id}"), "body", body);
        for log in ["log".to_owned(), format!("log:kind:{kind}"), format!("log:story:{story}")] {
            pipe.zadd(format!("bull::eventyard:{log}"), id, n + 1);
        }
    }
    for (n, key) in ["k1", "k2", "l", "k\u{10ffff}"].iter().enumerate() {
        pipe.hset("bull::eventyard:documents:c", key, format!("{} v {n}", n + 1));
        pipe.zadd("bull::eventyard:document-keys:c", key, 0);
    }
    pipe.exec_async(&mut connection).await.unwrap();

    let events = async |kind: Option<&str>, story: Option<&str>| {
        let filter =
            EventFilter { kind: kind.map(str::to_owned), correlation_id: story.map(str::to_owned) };
        let (mut seen, mut ask) = (String::new(), PageAsk::first(1));
        loop {
            let page = f.reader.events(filter.clone(), ask.clone()).await.unwrap();
            seen.extend(page.items.iter().map(|event| event.id.as_str()));
            if page.next.is_none() {
                return seen;
            }
            ask.cursor = page.next;
        }
    };
    assert_eq!(events(None, None).await, "edcba");
    assert_eq!(events(Some("x"), None).await, "dca");
    assert_eq!(events(None, Some("c")).await, "ec");
    assert_eq!(events(Some("x"), Some("a")).await, "da");
    assert_eq!(events(Some("y"), Some("c")).await, "e");
    assert_eq!(events(Some("z"), Some("c")).await, "");
    let event = f.reader.event(&EventId::new("a").unwrap()).await.unwrap().unwrap();
    assert_eq!((&*event.kind, &event.data[..]), ("x", &b"1"[..]));
    f.run("DEL E:event:b").await;
    assert_eq!(events(None, None).await, "edca", "one that vanished is left out");

    let documents = async |prefix: &str, newest_first, limit| {
        let (mut seen, mut ask) = (Vec::new(), PageAsk::first(limit));
        loop {
            let (collection, prefix) = ("c".to_owned(), prefix.to_owned());
            let filter = DocumentFilter { collection, prefix, newest_first };
            let page = f.reader.documents(filter, ask.clone()).await.unwrap();
            seen.extend(page.items.into_iter().map(|document| document.key));
            if page.next.is_none() {
                return seen;
            }
            ask.cursor = page.next;
        }
    };
    for limit in 1..5 {
        assert_eq!(documents("k", false, limit).await, ["k1", "k2", "k\u{10ffff}"]);
        assert_eq!(documents("k", true, limit).await, ["k\u{10ffff}", "k2", "k1"]);
        assert_eq!(documents("", true, limit).await, ["l", "k\u{10ffff}", "k2", "k1"]);
    }
    let document = f.reader.document("c", "k2").await.unwrap().unwrap();
    assert_eq!((document.version, &document.value[..]), (2, &b"v 1"[..]));
    assert_eq!(f.reader.document("c", "k3").await.unwrap(), None);
}

#[tokio::test]
async fn the_server_tells_what_it_promises() {
    let server = RedisServer::start();
    let promise = async || {
        let connections = Connections::new(server.url().parse().unwrap(), Options::default());
        crate::durability::read(&connections, "bull").await.unwrap()
    };
    let first = promise().await;
    assert_eq!(first.level, Durability::ProcessCrash);
    assert_eq!((first.warnings.len(), first.replicas), (1, Some(0)), "{:?}", first.warnings);
    server.command("CONFIG SET appendfsync always");
    let always = promise().await;
    assert_eq!((always.level, always.warnings), (Durability::SystemCrash, vec![]));
    server.command("ACL SETUSER default -config");
    let unknown = promise().await;
    assert_eq!(unknown.level, Durability::Process);
    assert!(unknown.warnings[0].contains("CONFIG GET"), "{:?}", unknown.warnings);
}
