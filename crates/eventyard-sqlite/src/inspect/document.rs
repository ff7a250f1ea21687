//! Reading documents.

use bytes::Bytes;
use eventyard_core::{Document, Page, inspect::DocumentFilter};
use rusqlite::{Connection, OptionalExtension, types::Value};

use super::cursor::to_document;

/// One document.
pub(super) fn one(
    conn: &Connection,
    collection: String,
    key: String,
) -> rusqlite::Result<Option<Document>> {
    let row = conn
        .prepare_cached("SELECT version, value FROM document WHERE collection = ?1 AND key = ?2")?
        .query_row((&collection, &key), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    Ok(row.map(|(version, value)| Document {
        collection,
        key,
        value: value.into(),
        version: version.unsigned_abs(),
    }))
}

/// The documents of a collection whose keys begin with a prefix, by key.
pub(super) fn page(
    conn: &Connection,
    filter: DocumentFilter,
    after: Option<String>,
    limit: usize,
) -> rusqlite::Result<Page<Document>> {
    let DocumentFilter { collection, prefix, newest_first } = filter;
    let most = i64::try_from(limit + 1).expect("a page is small");
    // A blob sorts behind every text: behind the last key.
    let end = |text: Option<String>| text.map_or(Value::Blob(Vec::new()), Value::Text);
    let (sql, from, to) = if newest_first {
        let to = after.or_else(|| successor(&prefix));
        (
            "SELECT key, version, value FROM document
             WHERE collection = ?1 AND key >= ?2 AND key < ?3 ORDER BY key DESC LIMIT ?4",
            prefix,
            end(to),
        )
    } else {
        let to = successor(&prefix);
        (
            "SELECT key, version, value FROM document
             WHERE collection = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4",
            // The smallest text behind the cursor.
            after.map_or(prefix, |key| key + "\0"),
            end(to),
        )
    };
    let mut statement = conn.prepare_cached(sql)?;
    let ask = (&collection, from, to, most);
    let rows = statement.query_map(ask, |row| {
        let key: String = row.get(0)?;
        let document = Document {
            collection: collection.clone(),
            key: key.clone(),
            version: row.get::<_, i64>(1)?.unsigned_abs(),
            value: Bytes::copy_from_slice(row.get_ref(2)?.as_blob()?),
        };
        Ok((key, document))
    })?;
    Ok(Page::cut(rows.collect::<Result<_, _>>()?, limit, |key| to_document(key)))
}

/// The smallest text that is larger than every text with this prefix; absent when there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // The range skips the surrogates, as UTF-8 does.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}
