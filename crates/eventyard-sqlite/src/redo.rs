//! The redo log: what makes groups of requests durable before SQLite does.
//!
//! A group that is to be acknowledged is a list of statements with their values. It is appended here, in one write and
//! one sync, while SQLite's transaction stays open for the groups that follow; SQLite writes its pages once for all of
//! them. After a crash the groups that its file lacks are done once more, in their order.
//!
//! ```text
//! <store>-redo0, <store>-redo1:  [ head: the SQL of all statements ][ group n ][ group n + 1 ] …
//! meta, name 'redo':             the last group that is part of the database
//! ```
//!
//! Groups go to one file until it is full. Then SQLite commits, the other file takes over, and the full one is free for
//! the turn after that as soon as SQLite's own log is on the disk. The head tells the statements by their text, so that
//! a later version can do what an earlier one noted.

mod block;
mod entry;
mod log;
mod notes;
mod record;
mod recycler;
mod replay;
mod segment;

pub(crate) use self::{
    entry::Entry,
    log::{Redo, remove},
    notes::Notes,
    replay::{note, recover},
};
