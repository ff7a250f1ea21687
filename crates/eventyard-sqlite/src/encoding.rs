//! How what has no column of its own is written into rows, and read back.

mod event;
mod job;
mod options;
pub(crate) mod token;

pub(crate) use event::{Attributes, event_in_row, framed, unframed};
pub(crate) use job::{CARRIES_EVENT, JobReader, job_columns, payload_columns, payload_in_row};
pub(crate) use options::{OptionsReader, OptionsWriter};

use eventyard_core::JobState;

/// A job has rows in `trace`, `attempt`, `log` or `step`.
pub(crate) const TRACED: i64 = 1;
/// A job goes before the others of its priority.
pub(crate) const LIFO: i64 = 2;
/// A job has a key.
pub(crate) const KEYED: i64 = 4;
/// A job has a parent, or stands for all that say the same.
pub(crate) const BOUND: i64 = 8;
/// A job has children.
pub(crate) const PARENT: i64 = 16;
/// A job fails unless an attempt has begun in time.
pub(crate) const EXPIRES: i64 = 32;
/// A delayed job lets no other of its key run before it.
pub(crate) const HOLDS: i64 = 64;
/// What a job is for good: these flags are in the column `job.flags`.
pub(crate) const NATURE: i64 = LIFO | KEYED | BOUND | PARENT;
/// A job has rows in other tables that its end concerns.
pub(crate) const TIED: i64 = BOUND | PARENT | EXPIRES;

/// The number of a state in the column `finished.state`.
pub(crate) const fn finished_state(state: JobState) -> Option<i64> {
    match state {
        JobState::Completed => Some(4),
        JobState::Failed => Some(5),
        _ => None,
    }
}

/// The state with this number in the column `finished.state`.
pub(crate) const fn state_of_finished(number: i64) -> JobState {
    if number == 4 { JobState::Completed } else { JobState::Failed }
}
