//! Reading documents.

use bytes::Bytes;
use eventyard_core::{
    Document, Page, PageAsk, StoreError, StoreErrorKind, inspect::DocumentFilter,
};

use super::{Reader, cursor};
use crate::codec;

impl Reader {
    fn documents_key(&self, collection: &str) -> String {
        self.own_key(&format!("documents:{collection}"))
    }

    /// One document.
    pub(super) async fn document_at(
        &self,
        collection: &str,
        key: &str,
    ) -> Result<Option<Document>, StoreError> {
        let ask = redis::Cmd::hget(self.documents_key(collection), key);
        let stored: Option<Vec<u8>> = self.get(&ask).await?;
        stored.map(|stored| document(collection, key, &stored.into())).transpose()
    }

    /// The documents of a collection whose keys begin with a prefix, by key.
    pub(super) async fn documents_page(
        &self,
        filter: &DocumentFilter,
        page: &PageAsk,
    ) -> Result<Page<Document>, StoreError> {
        let after = cursor::of_documents(page)?;
        let DocumentFilter { collection, prefix, newest_first } = filter;
        let documents = self.documents_key(collection);
        let (mut low, mut high) = (format!("[{prefix}"), end(prefix));
        if let Some(after) = after {
            *(if *newest_first { &mut high } else { &mut low }) = format!("({after}");
        }
        let (verb, from, to) = match newest_first {
            true => ("ZREVRANGEBYLEX", high, low),
            false => ("ZRANGEBYLEX", low, high),
        };
        let mut ask = redis::cmd(verb);
        ask.arg((
            self.own_key(&format!("document-keys:{collection}")),
            from,
            to,
            "LIMIT",
            0,
            page.limit() + 1,
        ));
        let keys: Vec<String> = self.get(&ask).await?;
        if keys.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let mut ask = redis::cmd("HMGET");
        ask.arg(documents).arg(&keys);
        let stored: Vec<Option<Vec<u8>>> = self.get(&ask).await?;
        let rows = keys.into_iter().zip(stored).map(|(key, stored)| (key.clone(), (key, stored)));
        let Page { items, next } =
            Page::cut(rows.collect(), page.limit(), |key: &String| cursor::to_document(key));
        // One that was deleted in between is left out.
        let items = items
            .into_iter()
            .filter_map(|(key, stored)| Some(document(collection, &key, &stored?.into())));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }
}

/// A document out of its version and its value, as they are stored: with a space between them.
fn document(collection: &str, key: &str, stored: &Bytes) -> Result<Document, StoreError> {
    let space = stored.iter().position(|byte| *byte == b' ');
    let version = space.and_then(|space| str::from_utf8(&stored[..space]).ok()?.parse().ok());
    match (space, version) {
        (Some(space), Some(version)) => Ok(Document {
            collection: collection.to_owned(),
            key: key.to_owned(),
            value: codec::bytes::from_json(stored.slice(space + 1..)),
            version,
        }),
        _ => {
            let message = format!("the document {collection}/{key} has no version in redis");
            Err(StoreError::new(StoreErrorKind::Corrupt, message))
        }
    }
}

/// The bound behind all texts with a prefix.
fn end(prefix: &str) -> String {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // The range skips the surrogates, as UTF-8 does.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return format!("({text}");
        }
    }
    "+".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_prefixes() {
        for (prefix, expected) in [
            ("", "+"),
            ("a", "(b"),
            ("a\u{10ffff}", "(b"),
            ("\u{d7ff}", "(\u{e000}"),
            ("\u{10ffff}", "+"),
        ] {
            assert_eq!(end(prefix), expected, "{prefix:?}");
        }
    }

    #[test]
    fn documents_are_read_with_their_versions() {
        let read = |stored: &'static [u8]| document("c", "k", &Bytes::from_static(stored));
        let check = |stored, version, value: &[u8]| {
            let document = read(stored).unwrap();
            assert_eq!((document.version, &document.value[..]), (version, value));
        };
        check(b"1 ", 1, b"");
        check(b"12 \0 \xff", 12, b"\0 \xff");
        for broken in [&b""[..], b" x", b"x y", b"7"] {
            let kind = document("c", "k", &Bytes::from_static(broken)).unwrap_err().kind();
            assert_eq!(kind, StoreErrorKind::Corrupt);
        }
    }
}
