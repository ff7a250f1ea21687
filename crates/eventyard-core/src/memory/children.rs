//! The children of a job, and what their ends do to it.

use std::collections::HashMap;

use super::{
    entry::{Entry, Outcome, Standing},
    state::State,
};
use crate::{
    CommitError, Failure, FailureKind, JobKey, JobState, Keep, NewJob, OnChildFailure, Parent,
    Timestamp,
    inspect::{Child, ChildOutcome},
};

/// The children of a job in the order in which they were added.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Children {
    list: Vec<Child>,
    places: HashMap<JobKey, usize>,
    pending: usize,
}

impl Children {
    pub(super) fn list(&self) -> &[Child] {
        &self.list
    }

    /// Whether the job has to wait for one of them.
    pub(super) fn are_pending(&self) -> bool {
        self.pending > 0
    }

    fn has(&self, child: &JobKey) -> bool {
        self.places.contains_key(child)
    }

    fn add(&mut self, job: JobKey, outcome: ChildOutcome) {
        self.pending += usize::from(outcome == ChildOutcome::Pending);
        self.places.insert(job.clone(), self.list.len());
        self.list.push(Child { job, outcome });
    }

    fn is_removed(&self, child: &JobKey) -> bool {
        let place = self.places.get(child);
        place.is_some_and(|place| self.list[*place].outcome == ChildOutcome::Removed)
    }

    fn wait_again(&mut self, child: &JobKey) {
        if let Some(place) = self.places.get(child) {
            self.list[*place].outcome = ChildOutcome::Pending;
            self.pending += 1;
        }
    }

    /// Notes how a child ended. One that was given up and ends well after all is noted too.
    fn end(&mut self, child: &JobKey, outcome: ChildOutcome) {
        let Some(&place) = self.places.get(child) else { return };
        let known = &mut self.list[place].outcome;
        self.pending -= usize::from(*known == ChildOutcome::Pending);
        *known = outcome;
    }
}

impl State {
    /// Makes a job that is to be added known to its parent; false if the parent does not wait for children any more.
    pub(super) fn adopt(&mut self, new: &NewJob) -> Result<bool, CommitError> {
        let Some(parent) = new.options.parent.as_ref().map(Parent::key) else {
            return Ok(true);
        };
        let child = new.key();
        let Some(entry) = self.job(&parent) else {
            return Err(CommitError::NoSuchParent { child, parent });
        };
        if !matches!(entry.standing, Standing::WaitingChildren { .. } | Standing::Active { .. }) {
            return Ok(false);
        }
        if entry.children.has(&child) {
            // One that was removed is waited for again.
            if entry.children.is_removed(&child) && self.job(&child).is_none() {
                let mut entry = self.take(&parent).expect("the parent was found");
                entry.children.wait_again(&child);
                self.put(entry);
            }
            return Ok(true);
        }
        let outcome = match self.job(&child).map(|entry| &entry.standing) {
            None => ChildOutcome::Pending,
            Some(Standing::Finished { outcome: Outcome::Completed(result), .. }) => {
                ChildOutcome::Completed(result.clone())
            }
            Some(_) => return Err(CommitError::NotItsChild { child, parent }),
        };
        let mut entry = self.take(&parent).expect("the parent was found");
        entry.children.add(child, outcome);
        self.put(entry);
        Ok(true)
    }

    /// Lets a job run that waits for children, if none is left to wait for.
    pub(super) fn release_parent(&mut self, key: &JobKey, now: Timestamp) {
        if let Some(entry) = self.job(key)
            && matches!(entry.standing, Standing::WaitingChildren { .. })
            && !entry.children.are_pending()
        {
            self.run_parent(key, now);
        }
    }

    fn run_parent(&mut self, key: &JobKey, now: Timestamp) {
        let mut entry = self.take(key).expect("the parent was found");
        // The delay of a parent, and its time to live, count from when its children have ended.
        let has_begun = entry.started_at.is_some();
        let due = if has_begun { now } else { entry.job.options.due(now) };
        if !has_begun {
            entry.number = self.next();
            entry.expires_at = entry.job.options.expires(now);
        }
        self.run_at(&mut entry, due, now);
        self.tell_standing(&entry, Some(JobState::WaitingChildren), now);
        self.put(entry);
    }

    /// Tells the parent of a job how it ended, and does to the parent what follows from it.
    pub(super) fn tell_parent(&mut self, job: &Entry, ended: ChildOutcome, now: Timestamp) {
        let Some(link) = &job.job.options.parent else { return };
        let (parent, child) = (link.key(), job.job.key());
        let Some(entry) = self.job(&parent).filter(|entry| entry.children.has(&child)) else {
            return;
        };
        let is_waiting = matches!(entry.standing, Standing::WaitingChildren { .. });
        let failure = match &ended {
            ChildOutcome::Failed(_) if link.on_fail == OnChildFailure::Wait => return,
            ChildOutcome::Failed(failure) => Some(failure.clone()),
            _ => None,
        };
        let mut entry = self.take(&parent).expect("the parent was found");
        entry.children.end(&child, ended);
        self.put(entry);
        match (failure, link.on_fail) {
            (Some(_), OnChildFailure::Continue) if is_waiting => self.run_parent(&parent, now),
            (Some(failure), OnChildFailure::Fail) if is_waiting => {
                self.fail_parent(&parent, &child, &failure, now);
            }
            _ => self.release_parent(&parent, now),
        }
    }

    fn fail_parent(&mut self, key: &JobKey, child: &JobKey, failure: &Failure, now: Timestamp) {
        let entry = self.take(key).expect("the parent was found");
        let message = format!("its child {child} failed: {}", failure.message);
        let keep = entry.job.options.remove_on_fail.unwrap_or(Keep::FOREVER);
        self.finish(entry, Outcome::Failed(Failure::new(FailureKind::Child, message)), keep, now);
    }

    /// Tells the parent that a job was removed, unless it knows how the job ended.
    pub(super) fn tell_parent_of_removal(&mut self, job: &Entry, now: Timestamp) {
        let is_pending = job.job.options.parent.as_ref().is_some_and(|link| {
            let parent = self.job(&link.key());
            parent.is_some_and(|parent| parent.children.is_pending(&job.job.key()))
        });
        if is_pending {
            self.tell_parent(job, ChildOutcome::Removed, now);
        }
    }
}

impl Children {
    fn is_pending(&self, child: &JobKey) -> bool {
        let place = self.places.get(child);
        place.is_some_and(|place| self.list[*place].outcome == ChildOutcome::Pending)
    }
}
