//! The writer thread: the one place where the file changes.

mod admin;
mod answers;
mod apply;
mod claim;
mod desk;
mod document;
mod duplicate;
mod enqueue;
mod find;
mod flush;
mod gather;
mod lane;
mod load;
mod news;
mod number;
mod pending;
mod place;
mod renew;
mod run;
mod settle;
mod state;
mod statements;
mod thread;
mod ties;
mod turn;
mod upkeep;

use std::sync::Arc;

use eventyard_core::{LeaseToken, QueueEvent, Timestamp};
use rusqlite::Connection;

pub(crate) use self::thread::spawn;
use self::{
    answers::Answers, flush::Flusher, gather::Gathering, number::Numbers, pending::Pending,
    state::State, statements::Statements,
};
use crate::{
    encoding::{JobReader, OptionsWriter},
    shared::Shared,
};

/// All that one transaction after the other needs.
struct Writer<'c> {
    conn: &'c Connection,
    sql: Statements<'c>,
    shared: &'c Arc<Shared>,
    state: State,
    numbers: Numbers,
    pending: Pending,
    options: OptionsWriter,
    jobs: JobReader,
    /// The time of the transaction under way.
    now: Timestamp,
    in_transaction: bool,
    /// What the transaction under way has answered, and how many writes it has.
    answers: Answers,
    writes: usize,
    gathering: Gathering,
    /// What happened, if anyone listens.
    news: Vec<QueueEvent>,
    is_heard: bool,
    /// The leases whose jobs were cancelled.
    cancelled: Vec<LeaseToken>,
    /// The timekeeper waits to be told when the next delayed job runs.
    owes_tick: bool,
    /// Absent when nobody waits for the disk.
    flusher: Option<Flusher>,
    /// The last event that upkeep looked at and left in the log, and how many it left up to there.
    events_left: (i64, u64),
}
