//! Deduplication: which job stands for all that say the same.

use std::sync::Arc;

use eventyard_core::{JobId, JobKey, JobOptions, NewJob, Payload, Timestamp};

use super::{Writer, apply::Refused, find::Stand, state::QueueId};
use crate::{
    encoding::{CARRIES_EVENT, OptionsReader, payload_columns, unframed},
    error::corrupt_row,
};

/// The job that stands for all that say the same.
struct Spokesman {
    job: JobId,
    until: Option<Timestamp>,
    next: Option<NewJob>,
}

/// Whether a job is added.
pub(super) enum Verdict {
    /// It is not: this one stands for it.
    Dropped(JobId),
    /// It is. If it stands for all that say the same, it does so until then, or until it ends.
    Added(Option<Timestamp>),
}

impl Writer<'_> {
    /// Decides whether a job is dropped because of one that says the same.
    pub(super) fn judge(&mut self, new: &NewJob) -> Result<Verdict, Refused> {
        let Some(rule) = &new.options.deduplication else { return Ok(Verdict::Added(None)) };
        let begins = rule.ttl.map(|ttl| self.now + ttl);
        let Some(queue) = self.state.queue(&new.queue) else { return Ok(Verdict::Added(begins)) };
        let known = self.spokesman(queue, rule.id.as_str())?;
        // One without a time is forgotten when its job ends.
        let is_over = |known: &Spokesman| known.until.is_some_and(|until| until <= self.now);
        let Some(mut known) = known.filter(|known| !is_over(known)) else {
            return Ok(Verdict::Added(begins));
        };
        let found = if rule.replace || rule.keep_last_if_active {
            self.find(&JobKey { queue: new.queue.clone(), id: known.job.clone() })?
        } else {
            None
        };
        match found {
            Some(found) if rule.replace && matches!(found.stand, Stand::Delayed { .. }) => {
                self.sql.delete_spokesman.execute((queue.0, rule.id.as_str()))?;
                self.remove_found(&found)?;
                // The window of the one that is replaced goes on, unless it begins anew.
                return Ok(Verdict::Added(if rule.extend { begins } else { known.until }));
            }
            Some(found) if rule.keep_last_if_active && matches!(found.stand, Stand::Active) => {
                known.next = Some(new.clone());
            }
            _ if rule.extend && known.until.is_some() => known.until = begins,
            _ => return Ok(Verdict::Dropped(known.job)),
        }
        self.set_spokesman(queue, rule.id.as_str(), &known)?;
        Ok(Verdict::Dropped(known.job))
    }

    /// Makes a job that is added the one that stands for all that say the same.
    pub(super) fn appoint(
        &mut self,
        queue: QueueId,
        new: &NewJob,
        until: Option<Timestamp>,
    ) -> rusqlite::Result<()> {
        let Some(rule) = &new.options.deduplication else { return Ok(()) };
        let spokesman = Spokesman { job: new.id.clone(), until, next: None };
        self.set_spokesman(queue, rule.id.as_str(), &spokesman)
    }

    /// Lets go of what a job stood for that has ended; adds the one that was kept for then.
    pub(super) fn dismiss(
        &mut self,
        queue: QueueId,
        job: &JobId,
        options: &JobOptions,
    ) -> rusqlite::Result<()> {
        let Some(rule) = &options.deduplication else { return Ok(()) };
        let known = self.spokesman(queue, rule.id.as_str())?;
        let Some(known) = known.filter(|known| known.job == *job && known.until.is_none()) else {
            return Ok(());
        };
        self.sql.delete_spokesman.execute((queue.0, rule.id.as_str()))?;
        if let Some(next) = known.next {
            self.add(&next, None, None)?;
        }
        Ok(())
    }

    /// Forgets up to `limit` windows that are over.
    pub(super) fn forget_windows(&mut self, limit: usize) -> rusqlite::Result<()> {
        let ask = (self.now.as_millis(), i64::try_from(limit).unwrap_or(i64::MAX));
        let ended = self
            .sql
            .ended_windows
            .query_map(ask, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
        for (queue, id) in ended.collect::<rusqlite::Result<Vec<_>>>()? {
            self.sql.delete_spokesman.execute((queue, id))?;
        }
        Ok(())
    }

    fn spokesman(&mut self, queue: QueueId, id: &str) -> rusqlite::Result<Option<Spokesman>> {
        let mut rows = self.sql.find_spokesman.query((queue.0, id))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let job_id = |text: &str| JobId::new(text).map_err(|_| corrupt_row("the id of a job"));
        let next = match row.get_ref(2)?.as_str_or_null()? {
            None => None,
            Some(id) => {
                let data = row.get_ref(6)?.as_blob_or_null()?.unwrap_or_default();
                let payload = match row.get::<_, Option<i64>>(5)? {
                    Some(CARRIES_EVENT) => Payload::Event(Arc::new(unframed(data)?)),
                    _ => Payload::Data(data.to_vec().into()),
                };
                Some(NewJob {
                    queue: self.state.name(queue).clone(),
                    id: job_id(id)?,
                    name: row.get_ref(3)?.as_str()?.into(),
                    payload,
                    options: OptionsReader::default().read(row.get_ref(4)?.as_str_or_null()?),
                    awaits_children: false,
                })
            }
        };
        Ok(Some(Spokesman {
            job: job_id(row.get_ref(0)?.as_str()?)?,
            until: row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis),
            next,
        }))
    }

    fn set_spokesman(
        &mut self,
        queue: QueueId,
        id: &str,
        spokesman: &Spokesman,
    ) -> rusqlite::Result<()> {
        let next = spokesman.next.as_ref();
        let (event, data) = next.map_or((None, None), |next| payload_columns(next, None));
        let options = next.and_then(|next| self.options.text(&next.options));
        self.sql.set_spokesman.execute((
            queue.0,
            id,
            spokesman.job.as_str(),
            spokesman.until.map(Timestamp::as_millis),
            next.map(|next| next.id.as_str()),
            next.map(|next| &*next.name),
            options,
            event,
            data.as_deref(),
        ))?;
        Ok(())
    }
}
