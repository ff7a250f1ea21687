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
mod seal;
mod settle;
mod sql;
mod state;
mod statements;
mod thread;
mod ties;
mod turn;
mod unwritten;
mod upkeep;

use std::{sync::Arc, time::Instant};

use eventyard_core::{LeaseToken, QueueEvent, Timestamp};
use rusqlite::Connection;

pub(crate) use self::thread::spawn;
use self::{
    answers::Answers, flush::Flusher, gather::Gathering, number::Numbers, pending::Pending,
    sql::Trace, state::State, statements::Statements, unwritten::Unwritten,
};
use crate::{
    encoding::{JobReader, OptionsWriter},
    redo::Redo,
    request::Reply,
    shared::Shared,
};

/// All that one group after the other needs.
struct Writer<'c> {
    conn: &'c Connection,
    sql: Statements<'c>,
    shared: &'c Arc<Shared>,
    state: State,
    numbers: Numbers,
    pending: Pending,
    unwritten: Unwritten,
    options: OptionsWriter,
    jobs: JobReader,
    /// The time of the turn under way.
    now: Timestamp,
    /// SQLite has a transaction open: with the groups since its last commit, and the one under way.
    in_transaction: bool,
    /// SQLite could not commit; whoever needs it to is told why.
    commit_failed: bool,
    /// When SQLite commits if nothing is asked until then.
    rests_at: Option<Instant>,
    /// Absent when every group is committed.
    redo: Option<Redo>,
    /// What the group under way has changed, for the redo log.
    trace: Trace,
    /// What the group under way has answered, how much work it was asked for, and how much it did: commits and leases.
    answers: Answers,
    writes: usize,
    done: usize,
    /// Those who read the file when SQLite has committed.
    shows: Vec<Reply<()>>,
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
