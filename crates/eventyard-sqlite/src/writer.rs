//! The writer thread: the one place where the file changes.

mod admin;
mod answers;
mod apply;
mod claim;
mod document;
mod enqueue;
mod find;
mod flush;
mod load;
mod number;
mod pending;
mod place;
mod renew;
mod run;
mod settle;
mod state;
mod statements;
mod turn;
mod upkeep;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    thread::{self, JoinHandle},
};

use eventyard_core::{QueueName, StoreError, StoreErrorKind, Timestamp};
use rusqlite::Connection;
use tokio::sync::oneshot;

use self::{
    flush::Flusher, number::Numbers, pending::Pending, state::State, statements::Statements,
};
use crate::{
    checkpoint::{Checkpoints, checkpoint},
    connect,
    encoding::{JobReader, OptionsWriter},
    error::store_error,
    lock::Lock,
    options::Synchronous,
    request::{Request, Waiter},
    shared::Shared,
    wal::Wal,
};

/// What waits for the writer, and outlives its connection.
#[derive(Debug, Default)]
struct Desk {
    /// Requests that were taken from the inbox and not yet served, in order.
    requests: VecDeque<Request>,
    /// Claims that found nothing, by queue, longest waiting first.
    waiters: HashMap<QueueName, VecDeque<Waiter>>,
    /// Who asked for the store to be closed.
    closing: Vec<oneshot::Sender<()>>,
}

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
    /// Absent when nobody waits for the disk.
    flusher: Option<Flusher>,
    /// The last event that upkeep looked at and left in the log, and how many it left up to there.
    events_left: (i64, u64),
}

/// Starts the thread. The receiver tells when the store is open, or why not.
#[expect(clippy::type_complexity, reason = "a thread and its first word; used once")]
pub(crate) fn spawn(
    shared: Arc<Shared>,
) -> Result<(JoinHandle<()>, oneshot::Receiver<Result<(), StoreError>>), StoreError> {
    let (opened, when_opened) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("eventyard-sqlite".to_owned())
        .spawn(move || run(&shared, opened))
        .map_err(|error| {
            let message = "the thread of the SQLite store could not be started";
            StoreError::new(StoreErrorKind::Unavailable, message).because(error)
        })?;
    Ok((thread, when_opened))
}

fn run(shared: &Arc<Shared>, opened: oneshot::Sender<Result<(), StoreError>>) {
    let mut desk = Desk::default();
    let mut opened = Some(opened);
    let lock = match lock(shared) {
        Ok(lock) => lock,
        Err(error) => {
            shared.inbox.close();
            // Whoever opens the store may have gone.
            let _ = opened.take().expect("nothing was said yet").send(Err(error));
            return;
        }
    };
    let mut after_fault = false;
    while let Err(error) = live(shared, &mut desk, &mut opened, after_fault) {
        if let Some(opened) = opened.take() {
            let _ = opened.send(Err(error));
            break;
        }
        // The next life begins with the next request: whoever asked in vain is told why.
        tracing::error!(%error, "the store's file had to be closed; the next call opens it again");
        desk.refuse(&error);
        if desk.closing.is_empty() {
            desk.take(shared);
        }
        if !desk.closing.is_empty() || desk.is_closing() {
            break;
        }
        after_fault = true;
    }
    for request in shared.inbox.close() {
        desk.requests.push_back(request);
    }
    desk.refuse(&shared.closed());
    // The file can be opened again by the time that close returns.
    drop(lock);
    for closing in desk.closing.drain(..) {
        let _ = closing.send(());
    }
}

fn lock(shared: &Shared) -> Result<Lock, StoreError> {
    let path = shared.path();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            let message = format!("the folder {} cannot be created", folder.display());
            StoreError::new(StoreErrorKind::Unavailable, message).because(error)
        })?;
    }
    Lock::take(path, shared.clock().now())
}

/// Serves requests on one connection until the store is closed, or until the connection breaks.
fn live(
    shared: &Arc<Shared>,
    desk: &mut Desk,
    opened: &mut Option<oneshot::Sender<Result<(), StoreError>>>,
    after_fault: bool,
) -> Result<(), StoreError> {
    let sql = |error| store_error(shared.path(), error);
    let mut conn = connect::writer(&shared.options)?;
    if after_fault {
        // What the log holds may not be on the disk: it counts once a checkpoint has put it there.
        checkpoint(&conn, "TRUNCATE").map_err(sql)?;
    }
    let io = |error| {
        let message = format!("the log of the store {} cannot be opened", shared.path().display());
        StoreError::new(StoreErrorKind::Unavailable, message).because(error)
    };
    let mut wal = Wal::open(shared.path()).map_err(io)?;
    let flusher = match shared.options.synchronous {
        Synchronous::Full => Some(Flusher::start(shared, wal.file()).map_err(io)?),
        Synchronous::Normal => None,
    };
    let mut checkpoints = Checkpoints::start(shared.path(), &mut conn).map_err(sql)?;
    let mut writer = Writer::start(&conn, shared, flusher, opened.is_some()).map_err(sql)?;
    if let Some(opened) = opened.take() {
        // Nobody opens the store any more: its handle does not exist, so it closes at once.
        if opened.send(Ok(())).is_err() {
            return Ok(());
        }
    }
    while !desk.is_done() {
        writer.await_flush()?;
        desk.take(shared);
        writer.turn(desk)?;
        wal.make_room(checkpoints.pages());
        checkpoints.after_commit(&conn);
    }
    writer.finish().map_err(sql)?;
    checkpoints.finish(conn).map_err(sql)
}

impl Desk {
    /// Takes what is in the inbox; waits for it when there is nothing else to do.
    fn take(&mut self, shared: &Shared) {
        let wait = self.requests.is_empty();
        shared.inbox.take(&mut self.requests, wait);
    }

    fn is_closing(&self) -> bool {
        self.requests.iter().any(|request| matches!(request, Request::Close(_)))
    }

    /// Whether everything that came before the closing is served.
    fn is_done(&self) -> bool {
        !self.closing.is_empty() && self.requests.is_empty()
    }

    /// Answers everybody with an error.
    fn refuse(&mut self, error: &StoreError) {
        self.refuse_requests(error);
        for waiter in self.waiters.drain().flat_map(|(_, waiters)| waiters) {
            drop(waiter.reply.send(Err(error.share())));
        }
    }

    /// Answers the requests that were not served with an error.
    fn refuse_requests(&mut self, error: &StoreError) {
        // A caller that is refused may have gone; then nobody needs to know.
        for request in self.requests.drain(..) {
            match request {
                Request::Commit(_, reply) => drop(reply.send(Err(error.share()))),
                Request::Claim(waiter) => drop(waiter.reply.send(Err(error.share()))),
                Request::Renew(_, _, reply) => drop(reply.send(Err(error.share()))),
                Request::Maintain(_, reply) => drop(reply.send(Err(error.share()))),
                Request::Close(reply) => self.closing.push(reply),
                Request::Withdraw(..) | Request::Release(_) | Request::Promote => {}
            }
        }
    }
}
