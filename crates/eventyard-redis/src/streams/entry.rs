//! Entries of a stream, as Redis answers them.

use bytes::Bytes;
use redis::{RedisError, Value, from_redis_value};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    /// Absent when the entry was trimmed while somebody held it.
    pub(super) fields: Option<Vec<(String, Bytes)>>,
}

/// What `XAUTOCLAIM` answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claimed {
    /// Where to go on; `0-0` at the end.
    pub(super) next: String,
    pub(super) entries: Vec<Entry>,
    /// Entries that were trimmed while somebody held them.
    pub(super) deleted: Vec<String>,
}

/// The entries of an answer to `XREADGROUP` on one stream; none when its time was up.
pub(super) fn of_read(answer: Value) -> Result<Vec<Entry>, RedisError> {
    let streams: Option<Vec<(String, Vec<Value>)>> = from_redis_value(answer)?;
    let entries = streams.into_iter().flatten().flat_map(|(_, entries)| entries);
    entries.map(entry).collect()
}

/// The answer to `XAUTOCLAIM`.
pub(super) fn of_claim(answer: Value) -> Result<Claimed, RedisError> {
    let mut parts = from_redis_value::<Vec<Value>>(answer)?.into_iter();
    let next: String = from_redis_value(parts.next().unwrap_or(Value::Nil))?;
    let entries: Vec<Value> = from_redis_value(parts.next().unwrap_or(Value::Nil))?;
    // Before Redis 7 there is no third part, and a trimmed entry is null.
    let deleted: Option<Vec<String>> = from_redis_value(parts.next().unwrap_or(Value::Nil))?;
    let entries = entries.into_iter().filter(|entry| *entry != Value::Nil);
    let entries = entries.map(entry).collect::<Result<_, _>>()?;
    Ok(Claimed { next, entries, deleted: deleted.unwrap_or_default() })
}

/// How many times each entry was delivered: the answers to `XPENDING stream group id id 1`, in order; 0 for one that is
/// held by nobody.
pub(super) fn deliveries(answer: Value) -> Result<u32, RedisError> {
    let pending: Vec<(String, String, i64, u32)> = from_redis_value(answer)?;
    Ok(pending.first().map_or(0, |(_, _, _, deliveries)| *deliveries))
}

fn entry(value: Value) -> Result<Entry, RedisError> {
    let (id, fields): (String, Option<Vec<Value>>) = from_redis_value(value)?;
    let Some(fields) = fields else { return Ok(Entry { id, fields: None }) };
    let mut pairs = Vec::with_capacity(fields.len() / 2);
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        let name: Vec<u8> = from_redis_value(name)?;
        let value: Vec<u8> = from_redis_value(value)?;
        pairs.push((String::from_utf8_lossy(&name).into_owned(), value.into()));
    }
    Ok(Entry { id, fields: Some(pairs) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(answer: &str) -> Value {
        redis::parse_redis_value(answer.as_bytes()).unwrap()
    }

    #[test]
    fn entries_are_read() {
        let read = of_read(parse(
            "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$3\r\n1-2\r\n*-1\r\n",
        ))
        .unwrap();
        let fields = vec![("a".to_owned(), Bytes::from_static(b"b"))];
        let expected = [
            Entry { id: "1-1".to_owned(), fields: Some(fields) },
            Entry { id: "1-2".to_owned(), fields: None },
        ];
        assert_eq!(read, expected);
        assert!(of_read(parse("*-1\r\n")).unwrap().is_empty(), "its time was up");
    }

    #[test]
    fn claims_are_read_in_both_forms() {
        let new = of_claim(parse("*3\r\n$3\r\n0-0\r\n*0\r\n*1\r\n$3\r\n1-1\r\n")).unwrap();
        assert_eq!(new.deleted, ["1-1"]);
        let old = of_claim(parse("*2\r\n$3\r\n5-0\r\n*1\r\n*-1\r\n")).unwrap();
        assert_eq!(old, Claimed { next: "5-0".to_owned(), entries: vec![], deleted: vec![] });
    }

    #[test]
    fn deliveries_are_read() {
        let answer = "*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:5\r\n:3\r\n";
        assert_eq!(deliveries(parse(answer)).unwrap(), 3);
        assert_eq!(deliveries(parse("*0\r\n")).unwrap(), 0);
    }
}
