//! How what has no column of its own is written into rows, and read back.

mod event;
mod job;
mod options;
pub(crate) mod token;

pub(crate) use event::{Attributes, event_in_row, framed, unframed};
pub(crate) use job::{JobReader, job_columns, payload_columns};
pub(crate) use options::{OptionsReader, OptionsWriter};

use eventyard_core::JobState;

/// A job has rows in `trace`, `attempt` or `log`.
pub(crate) const TRACED: i64 = 1;
/// A job goes before the others of its priority.
pub(crate) const LIFO: i64 = 2;

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
