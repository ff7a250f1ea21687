//! The attempts of a job that did not succeed: those that we recorded, and those that only a stack trace tells of.

use eventyard_core::{Failure, Timestamp, WorkerId, inspect::AttemptRecord};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Row, foreign, text};

/// Who ran an attempt of which that is not known.
const UNKNOWN_WORKER: &str = "unknown";

impl Row {
    /// The attempts that did not succeed, as far as they are known.
    pub(crate) fn attempts(&self) -> Vec<AttemptRecord> {
        let mut records = self.records.as_ref().map(|json| records(json)).unwrap_or_default();
        let last = records.last().map(|AttemptRecord { attempt, failure, .. }| {
            (*attempt, failure.stack.as_ref().unwrap_or(&failure.message).clone())
        });
        let (known, told) = last.unzip();
        // We write to the stack trace too: as long as the last word there is ours, nobody else had one.
        if told.is_none() || self.stacks().pop() != told {
            let is_news = |record: &AttemptRecord| Some(record.attempt) > known;
            records.extend(self.attempts_of_others().into_iter().filter(is_news));
        }
        records
    }

    /// The attempts that a stack trace tells of. Its last one is that of the last attempt that failed; those of a job
    /// that was retried since are still there before it.
    fn attempts_of_others(&self) -> Vec<AttemptRecord> {
        let stacks = self.stacks();
        let has_succeeded = self.returned.is_some();
        let failed = self.attempts_made().saturating_sub(u32::from(has_succeeded)) as usize;
        let (count, last) = (stacks.len(), stacks.len().checked_sub(1));
        let worker = self.worker().unwrap_or_else(unknown_worker);
        let started_at = self.started_at().unwrap_or(self.created_at());
        // When each began and ended is not told; the last one ended with the job, if that has ended.
        let ended_at = self.finished_at().unwrap_or(started_at);
        let record = |(index, stack): (usize, String)| {
            let said =
                self.failed_reason.as_ref().filter(|_| last == Some(index) && !has_succeeded);
            let message = match said {
                Some(reason) => text(Some(reason)).into_owned(),
                None => stack.lines().next().unwrap_or_default().to_owned(),
            };
            AttemptRecord {
                attempt: u32::try_from(failed + index + 1 - count).unwrap_or(u32::MAX),
                worker: worker.clone(),
                started_at,
                ended_at,
                failure: foreign(message, Some(stack)),
            }
        };
        stacks.into_iter().enumerate().skip(count.saturating_sub(failed)).map(record).collect()
    }
}

/// The attempts that we recorded.
fn records(json: &[u8]) -> Vec<AttemptRecord> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Written {
        attempt: f64,
        worker: String,
        started_at: f64,
        ended_at: f64,
        failure: Failure,
    }
    let all: Vec<&RawValue> = serde_json::from_slice(json).unwrap_or_default();
    let read = |json: &RawValue| {
        let written: Written = serde_json::from_str(json.get()).ok()?;
        Some(AttemptRecord {
            attempt: written.attempt as u32,
            worker: WorkerId::new(written.worker).unwrap_or_else(|_| unknown_worker()),
            started_at: Timestamp::from_millis(written.started_at as i64),
            ended_at: Timestamp::from_millis(written.ended_at as i64),
            failure: written.failure,
        })
    };
    all.into_iter().filter_map(read).collect()
}

fn unknown_worker() -> WorkerId {
    WorkerId::new(UNKNOWN_WORKER).expect("it is a plain word")
}
