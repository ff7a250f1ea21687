//! How what the engine knows is written in BullMQ's hashes, and read back. Nothing here does I/O.
//!
//! Two kinds of writers are read: our own, of whom every job comes back as it was added, and Node's, of whom as much is
//! understood as fits and nothing is refused.

pub(crate) mod bytes;
pub(crate) mod log_line;
mod number;
pub(crate) mod options;
pub(crate) mod payload;
pub(crate) mod row;
pub(crate) mod step;
