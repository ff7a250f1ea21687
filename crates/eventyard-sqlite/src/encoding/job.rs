//! Jobs in rows.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use eventyard_core::{Job, JobId, NewJob, Payload, QueueName, Timestamp};
use rusqlite::Row;

use super::{OptionsReader, event_in_row, framed, unframed};
use crate::error::corrupt_row;

/// How many job names are remembered.
const REMEMBERED: usize = 256;

/// The columns that [`JobReader::read`] reads, of `job j LEFT JOIN event e ON e.seq = j.event`.
macro_rules! job_columns {
    () => {
        "j.id, j.name, j.options, j.event, j.data, j.created_at, \
         e.time, e.id, e.kind, e.source, e.correlation, e.attributes, e.data"
    };
}
pub(crate) use job_columns;

/// `job.event` of a job that carries its event itself.
pub(crate) const CARRIES_EVENT: i64 = 0;

/// The columns `event` and `data` of a new job; `logged` is the number of its event in the log, if the
/// log has exactly the event that the job carries.
pub(crate) fn payload_columns(job: &NewJob, logged: Option<i64>) -> (Option<i64>, Option<Bytes>) {
    match (&job.payload, logged) {
        (Payload::Data(data), _) => (None, Some(data.clone())),
        (Payload::Event(_), Some(seq)) => (Some(seq), None),
        (Payload::Event(event), None) => (Some(CARRIES_EVENT), Some(framed(event).into())),
    }
}

/// The payload in a row whose columns from `first` on are those of [`job_columns`] from `j.event` on.
pub(crate) fn payload_in_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Payload> {
    let data = || row.get_ref(first + 1)?.as_blob().map_err(rusqlite::Error::from);
    Ok(match row.get_ref(first)?.as_i64_or_null()? {
        None => Payload::Data(Bytes::copy_from_slice(data()?)),
        Some(CARRIES_EVENT) => Payload::Event(Arc::new(unframed(data()?)?)),
        Some(_) => Payload::Event(Arc::new(event_in_row(row, first + 3)?)),
    })
}

/// Reads jobs out of rows. What many jobs share is read once.
#[derive(Debug, Default)]
pub(crate) struct JobReader {
    options: OptionsReader,
    names: HashMap<Box<str>, Arc<str>>,
}

impl JobReader {
    /// The job in a row whose columns from `first` on are [`job_columns`].
    pub(crate) fn read(
        &mut self,
        row: &Row<'_>,
        first: usize,
        queue: &QueueName,
        (attempts, crashes): (i64, i64),
    ) -> rusqlite::Result<Job> {
        let column = |n: usize| row.get_ref(first + n);
        let payload = payload_in_row(row, first + 3)?;
        Ok(Job {
            queue: queue.clone(),
            id: JobId::new(column(0)?.as_str()?).map_err(|_| corrupt_row("the id of a job"))?,
            name: self.name(column(1)?.as_str()?),
            payload,
            options: self.options.read(column(2)?.as_str_or_null()?),
            created_at: Timestamp::from_millis(column(5)?.as_i64()?),
            attempts_made: attempts.try_into().unwrap_or(u32::MAX),
            crashes: crashes.try_into().unwrap_or(u32::MAX),
        })
    }

    fn name(&mut self, text: &str) -> Arc<str> {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        if self.names.len() == REMEMBERED {
            self.names.clear();
        }
        let name: Arc<str> = text.into();
        self.names.insert(text.into(), name.clone());
        name
    }
}
