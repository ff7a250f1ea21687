//! The outside of an answer, as Redis replies it: what is in it as MessagePack is for the parts beside this one.

use bytes::Bytes;
use eventyard_core::{StoreError, StoreErrorKind, Timestamp};
use redis::Value;

/// The answer to a part, or why it was not done.
pub(crate) type PartAnswer = Result<Value, StoreError>;

/// The answer to commits and claims: what they told, then for each part whether it was done, and its answer.
///
/// # Errors
/// When it is not what this version's scripts answer.
pub(crate) fn parts(answer: Value) -> Result<(Bytes, Vec<PartAnswer>), StoreError> {
    let Value::Array(all) = answer else { return Err(unexpected(&answer)) };
    let mut all = all.into_iter();
    let told = bytes(all.next().unwrap_or(Value::Nil))?;
    let mut parts = Vec::with_capacity(all.len() / 2);
    while let (Some(is_done), Some(answer)) = (all.next(), all.next()) {
        parts.push(if is_done == Value::Int(1) {
            Ok(answer)
        } else {
            let why = bytes(answer)?;
            let message = format!("redis: {}", String::from_utf8_lossy(&why));
            Err(StoreError::new(StoreErrorKind::Corrupt, message))
        });
    }
    Ok((told, parts))
}

/// An answer that is MessagePack.
///
/// # Errors
/// When it is something else.
pub(crate) fn bytes(value: Value) -> Result<Bytes, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes.into()),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(value: &Value) -> StoreError {
    let what = match value {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::Array(_) => "a list",
        Value::BulkString(_) => "bytes",
        _ => "something else",
    };
    StoreError::new(StoreErrorKind::Corrupt, format!("a script answered with {what}"))
}

/// A job's id, the token of its lease, and the names and values of its fields.
pub(crate) type FoundJob = (Bytes, Bytes, Vec<Bytes>);

/// The answer to a claim: when another may get what this one does not; each job's id, its token and the names and
/// values of its fields.
///
/// # Errors
/// When it is not what this version's scripts answer.
pub(crate) fn claimed(
    answer: Value,
) -> Result<(Option<Timestamp>, impl Iterator<Item = FoundJob>), StoreError> {
    let Value::Array(all) = answer else { return Err(unexpected(&answer)) };
    let mut all = all.into_iter();
    let opens = match all.next() {
        Some(Value::Int(ms)) => Some(Timestamp::from_millis(ms)),
        _ => None,
    };
    let jobs = std::iter::from_fn(move || match (all.next()?, all.next()?, all.next()?) {
        (Value::BulkString(id), Value::BulkString(token), Value::Array(fields)) => {
            let fields = fields.into_iter().filter_map(|field| bytes(field).ok());
            Some((id.into(), token.into(), fields.collect()))
        }
        _ => None,
    });
    Ok((opens, jobs))
}
