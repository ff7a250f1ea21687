//! One job as the store keeps it, and where it stands.

use std::collections::VecDeque;

use bytes::Bytes;

use super::children::Children;
use crate::{
    Failure, GroupKey, Job, JobState, LeaseToken, Timestamp, WorkerId,
    commit::MAX_ATTEMPT_RECORDS,
    inspect::{AttemptRecord, JobStatus, LogLine, SavedStep},
};

/// A place in an order: the smaller goes first. No two jobs of a store have the same in one list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// The key, in the list of those that wait.
    pub(super) key: Option<GroupKey>,
    pub(super) first: i64,
    pub(super) then: i64,
}

/// Where a job stands, with what belongs to standing there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Standing {
    /// It runs as soon as a worker has room, at its entry's `place`.
    Ready,
    /// It runs when its time has come; of two with one time, the one delayed first. One that `holds` its key lets no
    /// other job of the key run before it.
    Delayed { due: Timestamp, order: i64, holds: bool },
    /// It waits for its children.
    WaitingChildren { order: i64 },
    /// A worker holds it.
    Active { token: LeaseToken, until: Timestamp, order: i64 },
    /// It is completed or failed.
    Finished { outcome: Outcome, at: Timestamp, order: i64, expires_at: Option<Timestamp> },
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Completed(Option<Bytes>),
    Failed(Failure),
}

/// One job with its history.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) job: Job,
    /// The number under which it was added, or could first begin.
    pub(super) number: i64,
    pub(super) standing: Standing,
    /// Its place among the runnable jobs of its key (priority, order). It stays while the job is
    /// active, so that a release puts the job back there.
    pub(super) place: (i64, i64),
    /// When it fails unless an attempt has begun; absent once one has.
    pub(super) expires_at: Option<Timestamp>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) worker: Option<WorkerId>,
    pub(super) progress: Option<Bytes>,
    pub(super) attempts: VecDeque<AttemptRecord>,
    pub(super) log: VecDeque<LogLine>,
    pub(super) steps: Vec<SavedStep>,
    pub(super) children: Children,
}

impl Entry {
    /// The state, on a queue that is not paused.
    pub(super) fn state(&self) -> JobState {
        match &self.standing {
            Standing::Ready if self.job.options.priority() == 0 => JobState::Waiting,
            Standing::Ready => JobState::Prioritized,
            Standing::Delayed { .. } => JobState::Delayed,
            Standing::WaitingChildren { .. } => JobState::WaitingChildren,
            Standing::Active { .. } => JobState::Active,
            Standing::Finished { outcome: Outcome::Completed(_), .. } => JobState::Completed,
            Standing::Finished { outcome: Outcome::Failed(_), .. } => JobState::Failed,
        }
    }

    /// The state as it is shown.
    pub(super) fn shown_state(&self, paused: bool) -> JobState {
        match self.state() {
            JobState::Waiting if paused => JobState::Paused,
            state => state,
        }
    }

    /// The place in the list of the jobs in the same state.
    pub(super) fn rank(&self) -> Rank {
        let (key, (first, then)) = match self.standing {
            Standing::Ready => (self.job.options.key.clone(), self.place),
            Standing::Delayed { due, order, .. } => (None, (due.as_millis(), order)),
            Standing::WaitingChildren { order }
            | Standing::Active { order, .. }
            | Standing::Finished { order, .. } => (None, (0, order)),
        };
        Rank { key, first, then }
    }

    /// Counts the running attempt as one that failed, and remembers why.
    pub(super) fn record(&mut self, failure: Failure, now: Timestamp) {
        self.job.attempts_made += 1;
        self.attempts.push_back(AttemptRecord {
            attempt: self.job.attempts_made,
            worker: self.worker.clone().expect("an attempt was claimed by a worker"),
            started_at: self.started_at.expect("an attempt has begun"),
            ended_at: now,
            failure,
        });
        if self.attempts.len() > MAX_ATTEMPT_RECORDS as usize {
            self.attempts.pop_front();
        }
    }

    /// The job as it is shown.
    pub(super) fn status(&self, paused: bool) -> JobStatus {
        let mut status = JobStatus {
            job: self.job.clone(),
            state: self.shown_state(paused),
            due_at: None,
            started_at: self.started_at,
            finished_at: None,
            worker: self.worker.clone(),
            leased_until: None,
            progress: self.progress.clone(),
            result: None,
            failure: None,
        };
        match &self.standing {
            Standing::Ready | Standing::WaitingChildren { .. } => {}
            Standing::Delayed { due, .. } => status.due_at = Some(*due),
            Standing::Active { until, .. } => status.leased_until = Some(*until),
            Standing::Finished { outcome, at, .. } => {
                status.finished_at = Some(*at);
                match outcome {
                    Outcome::Completed(result) => status.result.clone_from(result),
                    Outcome::Failed(failure) => status.failure = Some(failure.clone()),
                }
            }
        }
        status
    }
}
