//! Documents.

use eventyard_core::{
    CommitError, Document, Effect, PageAsk, StoreErrorKind, Write, document::MAX_DOCUMENT_BYTES,
    inspect::DocumentFilter,
};

use crate::{
    Fixture,
    given::{put, put_in},
};

async fn get(f: &Fixture, key: &str) -> Option<(u64, Vec<u8>)> {
    let document = f.inspect.document("things", key).await.unwrap();
    document.map(|Document { collection, key: found, value, version }| {
        assert_eq!((collection.as_str(), found.as_str()), ("things", key));
        (version, value.to_vec())
    })
}

fn delete(key: &str) -> Write {
    Write::Delete { collection: "things".to_owned(), key: key.to_owned() }
}

fn listing(collection: &str, prefix: &str, newest_first: bool) -> DocumentFilter {
    let (collection, prefix) = (collection.to_owned(), prefix.to_owned());
    DocumentFilter { collection, prefix, newest_first }
}

/// The keys of a listing, walked in pages of two.
async fn keys(f: &Fixture, collection: &str, prefix: &str, newest_first: bool) -> Vec<String> {
    let (mut all, mut ask) = (Vec::new(), PageAsk::first(2));
    loop {
        let filter = listing(collection, prefix, newest_first);
        let page = f.inspect.documents(filter, ask.clone()).await.unwrap();
        assert!(page.items.len() <= 2);
        all.extend(page.items.into_iter().map(|document| document.key));
        if page.next.is_none() {
            return all;
        }
        ask.cursor = page.next;
    }
}

/// Checks a listing in both directions.
async fn check_keys(f: &Fixture, prefix: &str, expected: &[&str]) {
    assert_eq!(keys(f, "things", prefix, false).await, expected, "{prefix:?}");
    let reverse: Vec<_> = expected.iter().rev().copied().collect();
    assert_eq!(keys(f, "things", prefix, true).await, reverse, "{prefix:?}, last first");
}

/// Each write is a version more, beginning with 1; a key never has the same version twice.
pub async fn versions_count_the_writes(f: &Fixture) {
    assert_eq!(get(f, "a").await, None);
    for (version, value) in [(1, "x"), (2, "y"), (3, "y")] {
        assert_eq!(f.write(put("a", value, None)).await, Effect::Version(version));
        assert_eq!(get(f, "a").await, Some((version, value.into())));
    }
    assert_eq!(f.write(delete("a")).await, Effect::Done);
    assert_eq!(get(f, "a").await, None);
    assert_eq!(f.write(delete("a")).await, Effect::Done, "also when absent");
    assert_eq!(f.write(put("a", "z", Some(0))).await, Effect::Version(4));
    // Who read the one that is gone does not overwrite the one that came in its place.
    assert_eq!(f.write(delete("a")).await, Effect::Done);
    assert_eq!(f.write(put("a", "new", None)).await, Effect::Version(5));
    f.refused([put("a", "old", Some(4))]).await;
    assert_eq!(get(f, "a").await, Some((5, "new".into())));
}

/// A write that expects another version is refused and says which one there is.
pub async fn a_conflict_is_refused(f: &Fixture) {
    let conflict = |expected, actual| CommitError::VersionConflict {
        collection: "things".to_owned(),
        key: "a".to_owned(),
        expected,
        actual,
    };
    assert_eq!(f.refused([put("a", "x", Some(1))]).await, conflict(1, 0));
    assert_eq!(get(f, "a").await, None);
    assert_eq!(f.write(put("a", "x", Some(0))).await, Effect::Version(1));
    assert_eq!(f.refused([put("a", "y", Some(0))]).await, conflict(0, 1));
    assert_eq!(f.refused([put("a", "y", Some(2))]).await, conflict(2, 1));
    assert_eq!(f.refused([put("a", "y", Some(u64::MAX))]).await, conflict(u64::MAX, 1));
    assert_eq!(f.write(put("a", "y", Some(1))).await, Effect::Version(2));
    assert_eq!(get(f, "a").await, Some((2, b"y".into())));
    f.write(delete("a")).await;
    assert_eq!(f.refused([put("a", "z", Some(2))]).await, conflict(2, 0));
}

/// A listing is by key in byte order, in both directions, and only of keys with the prefix.
pub async fn listings_are_by_key(f: &Fixture) {
    let all = ["", "B", "a", "a/", "a/1", "a/10", "a/2", "a/ü", "b", "é", "\u{ffff}", "\u{1f980}"];
    for key in all.iter().rev() {
        f.write(put(key, "v", None)).await;
    }
    check_keys(f, "", &all).await;
    check_keys(f, "a", &["a", "a/", "a/1", "a/10", "a/2", "a/ü"]).await;
    check_keys(f, "a/", &["a/", "a/1", "a/10", "a/2", "a/ü"]).await;
    check_keys(f, "a/1", &["a/1", "a/10"]).await;
    check_keys(f, "A", &[]).await;
    check_keys(f, "é", &["é"]).await;
    check_keys(f, "\u{1f980}", &["\u{1f980}"]).await;
    check_keys(f, "\u{ffff}", &["\u{ffff}"]).await;
    check_keys(f, "c", &[]).await;
}

/// A prefix means itself, whatever it means to a pattern or a shell.
pub async fn a_prefix_is_no_pattern(f: &Fixture) {
    for key in ["%a", "_a", "*a", "[a", "\\a", "'a", "?a", "xa", "\u{10ffff}a", "\u{0}a"] {
        f.write(put(key, "v", None)).await;
    }
    for prefix in ["%", "_", "*", "[", "\\", "'", "?", "\u{10ffff}", "\u{0}"] {
        check_keys(f, prefix, &[&*format!("{prefix}a")]).await;
    }
}

/// Collections are apart, also those with odd names.
pub async fn collections_are_apart(f: &Fixture) {
    for collection in ["one", "two", "one/", "", "ünö", "one%"] {
        f.write(put_in(collection, "k", collection, None)).await;
        f.write(put_in(collection, "l", collection, Some(0))).await;
    }
    for collection in ["one", "two", "one/", "", "ünö", "one%"] {
        let document = f.inspect.document(collection, "k").await.unwrap().unwrap();
        assert_eq!((document.collection.as_str(), document.version), (collection, 1));
        assert_eq!(document.value, collection);
        assert_eq!(keys(f, collection, "", false).await, ["k", "l"]);
    }
    assert_eq!(keys(f, "three", "", true).await, [""; 0]);
}

/// A page says where the next one begins, though documents come and go meanwhile.
pub async fn pages_follow_each_other(f: &Fixture) {
    f.commit(["a", "b", "c", "d", "e"].map(|key| put(key, "v", None))).await;
    for (newest_first, second) in [(false, ["d", "e"]), (true, ["b", "a"])] {
        let page = |cursor| {
            let filter = listing("things", "", newest_first);
            f.inspect.documents(filter, PageAsk { limit: 3, cursor })
        };
        let first = page(None).await.unwrap();
        assert_eq!(first.items.len(), 3);
        f.write(delete("c")).await;
        f.write(put(if newest_first { "c1" } else { "b1" }, "v", None)).await;
        let rest = page(first.next).await.unwrap();
        assert_eq!(rest.items.iter().map(|d| d.key.as_str()).collect::<Vec<_>>(), second);
        assert_eq!(rest.next, None, "it is the last one");
        f.commit([delete("b1"), delete("c1"), put("c", "v", None)]).await;
        let error = page(Some("no cursor".to_owned())).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unsupported);
        assert!(error.to_string().contains("cursor"), "{error}");
    }
}

/// A document may be empty and may hold any bytes, up to its bound.
pub async fn any_bytes_up_to_the_bound(f: &Fixture) {
    let big = vec![0xff_u8; MAX_DOCUMENT_BYTES];
    for value in [vec![], vec![0], big.clone()] {
        let write = Write::Put {
            collection: "things".to_owned(),
            key: "a".to_owned(),
            value: value.clone().into(),
            expected: None,
        };
        f.write(write).await;
        assert_eq!(get(f, "a").await.unwrap().1, value);
    }
    let write = Write::Put {
        collection: "things".to_owned(),
        key: "b".to_owned(),
        value: [big, vec![0]].concat().into(),
        expected: None,
    };
    let error = f.refused([put("c", "v", None), write]).await;
    assert!(matches!(error, CommitError::Malformed(_)), "{error:?}");
    assert_eq!((get(f, "b").await, get(f, "c").await), (None, None));
}
