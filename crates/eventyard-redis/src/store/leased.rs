//! Jobs that a claim has leased, out of the fields that the script read.

use bytes::Bytes;
use eventyard_core::{JobId, Lease, Leased, QueueName, Timestamp};

use crate::codec::row::Row;

/// One job and its row; nothing if its id is none, as only a foreign hand could have made it.
pub(crate) fn read(
    queue: &QueueName,
    id: &[u8],
    token: &[u8],
    fields: Vec<Bytes>,
    until: Timestamp,
    prefix: &str,
) -> Option<(Leased, Row)> {
    let id = JobId::new(std::str::from_utf8(id).ok()?).ok()?;
    let token = std::str::from_utf8(token).ok()?.parse().ok()?;
    let row = Row::of(fields)?;
    let job = row.job(queue, &id, prefix);
    let lease = Lease { job: job.key(), attempt: job.attempts_made + 1, token };
    Some((Leased { job, lease, until }, row))
}
