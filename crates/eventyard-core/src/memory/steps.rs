//! Steps: what a job has done already.

use bytes::Bytes;

use super::state::State;
use crate::{CommitError, Lease, StepName, Timestamp, commit::MAX_STEPS, inspect::SavedStep};

impl State {
    /// Saves a step of the job under a lease.
    pub(super) fn save_step(
        &mut self,
        lease: &Lease,
        name: StepName,
        result: Bytes,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let steps = &self.job(&lease.job).expect("the lease was checked").steps;
        let place = steps.iter().position(|step| step.name == name);
        if place.is_none() && steps.len() >= MAX_STEPS as usize {
            return Err(CommitError::TooManySteps { job: lease.job.clone(), limit: MAX_STEPS });
        }
        let mut entry = self.take_leased(lease);
        let step = SavedStep { name, saved_at: now, result };
        match place {
            Some(place) => entry.steps[place] = step,
            None => entry.steps.push(step),
        }
        self.put(entry);
        Ok(())
    }
}
