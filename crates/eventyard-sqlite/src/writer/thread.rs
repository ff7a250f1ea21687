//! The life of the writer thread: it takes the lock, opens the file, serves until the store is closed, and
//! opens the file again when its connection broke.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

use eventyard_core::{StoreError, StoreErrorKind};
use tokio::sync::oneshot;

use super::{Writer, desk::Desk, flush::Flusher, statements};
use crate::{
    checkpoint::Checkpoints,
    connect,
    error::store_error,
    lock::Lock,
    options::Synchronous,
    redo::{self, Redo},
    schema,
    shared::Shared,
    wal,
};

/// Told once when the store is open, or why it is not.
type Opened = oneshot::Sender<Result<(), StoreError>>;

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

fn run(shared: &Arc<Shared>, opened: Opened) {
    let _closing = CloseInbox(shared);
    let mut desk = Desk::default();
    let mut opened = Some(opened);
    let lock = match lock(shared) {
        Ok(lock) => lock,
        Err(error) => {
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
            desk.take(shared, 1, None);
        }
        if !desk.closing.is_empty() || desk.is_closing() {
            break;
        }
        after_fault = true;
    }
    desk.requests.extend(shared.inbox.close());
    desk.refuse(&shared.closed());
    // The file can be opened again by the time that close returns.
    drop(lock);
    for closing in desk.closing.drain(..) {
        let _ = closing.send(());
    }
}

/// Refuses requests when the thread ends, however it ends: nobody waits for an answer in vain.
struct CloseInbox<'a>(&'a Shared);

impl Drop for CloseInbox<'_> {
    fn drop(&mut self) {
        drop(self.0.inbox.close());
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
    opened: &mut Option<Opened>,
    after_fault: bool,
) -> Result<(), StoreError> {
    let path = shared.path();
    let sql = |error| store_error(path, error);
    let mut conn = connect::writer(&shared.options)?;
    let recovered = redo::recover(&conn, path)?;
    schema::migrate(&mut conn, path)?;
    let io = |error| {
        let message = format!("the log of the store {} cannot be opened", path.display());
        StoreError::new(StoreErrorKind::Unavailable, message).because(error)
    };
    let wal = wal::open(path).map_err(io)?;
    let durable = match shared.options.synchronous {
        Synchronous::Full => {
            let texts = statements::texts();
            let redo = Redo::start(&conn, path, wal, texts, recovered, after_fault)?;
            Some((redo, Flusher::start(shared).map_err(io)?))
        }
        Synchronous::Normal => None,
    };
    let mut checkpoints = Checkpoints::start(path, &mut conn).map_err(sql)?;
    let mut writer = Writer::start(&conn, shared, durable, opened.is_some()).map_err(sql)?;
    if let Some(opened) = opened.take() {
        // Nobody opens the store any more: its handle does not exist, so it closes at once.
        if opened.send(Ok(())).is_err() {
            return Ok(());
        }
    }
    while !(desk.is_done() && writer.is_done()) {
        let (enough, limit) = writer.patience(desk);
        desk.take(shared, enough, limit);
        if writer.turn(desk)? {
            checkpoints.after_commit(&conn);
        }
    }
    let is_whole = writer.finish();
    if checkpoints.finish(conn) && is_whole {
        redo::remove(path);
    }
    Ok(())
}
