//! The embedded store: one SQLite file that survives a crash of the process, of the system, and a power cut.
//!
//! ```text
//!   callers ──▶ inbox ──▶ writer thread ──▶ redo log ──▶ answers      readers (listings, one job)
//!                         all that is queued, as ONE group            on connections of their own
//!                              └──▶ SQLite, many groups in one commit ──▶ the file ◀──┘
//! ```
//!
//! One thread owns the connection that writes. It takes everything that is queued, applies it as one
//! group, and answers everyone when that is durable: concurrent callers share one write to disk,
//! and a caller that is alone waits for nobody. Claims are served last in the same group, so
//! settling jobs and claiming the next ones, or adding a job and handing it to a waiting worker, cost
//! one write to disk together. SQLite commits many groups at once (see `redo`).
//!
//! A job's payload is written once and never again: where the job stands is a small row in another
//! table (see `schema`), and all keys that the hot path writes rise.

mod checkpoint;
mod connect;
#[cfg(feature = "crash-points")]
mod crash;
mod encoding;
mod error;
mod folder;
mod inbox;
mod inspect;
mod lock;
mod options;
mod postman;
mod redo;
mod request;
mod schema;
mod shared;
mod store;
mod timekeeper;
mod wal;
mod writer;

pub use options::{Options, Synchronous};
pub use store::SqliteStore;
