//! Jobs that a claim has leased, out of the fields that the script read.

use bytes::Bytes;
use eventyard_core::{JobId, Lease, Leased, QueueName, Timestamp};

use super::answer::Raw;
use crate::codec::row::Row;

/// One job and its row; nothing if its id is none, as only a foreign hand could have made it.
pub(crate) fn read(
    queue: &QueueName,
    id: &Raw<'_>,
    token: &Raw<'_>,
    fields: &[Raw<'_>],
    answer: &Bytes,
    until: Timestamp,
    prefix: &str,
) -> Option<(Leased, Row)> {
    let id = JobId::new(id.text()).ok()?;
    let row = Row::of(fields.iter().map(|field| field.of(answer)))?;
    let job = row.job(queue, &id, prefix);
    let token = token.text().parse().ok()?;
    let lease = Lease { job: job.key(), attempt: job.attempts_made + 1, token };
    Some((Leased { job, lease, until }, row))
}
