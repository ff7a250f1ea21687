//! The task of the schedules: sleeps until the earliest of them is due, and takes its step.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use eventyard_core::{
    Commit, CommitError, JobId, Timestamp,
    inspect::{MAX_PAGE, PageAsk},
};
use tokio_util::sync::CancellationToken;

use super::{
    COLLECTION,
    check::fault,
    entry::Entry,
    steer::every_one,
    step::{Step, step},
};
use crate::{Error, bus::Bus, secs};

/// How often all schedules are read again, to see what other nodes have changed.
const REREAD: Duration = secs(30);
/// How long to wait after the store could not do something.
const PAUSE: Duration = secs(1);
/// How many nodes in a row may be faster before a schedule is left to them until it is read again.
const TRIES: usize = 10;

/// Takes the steps of all schedules until `stop`.
pub(crate) async fn run(bus: Arc<Bus>, stop: CancellationToken) {
    let mut timetable = Timetable::default();
    let mut reread = bus.clock.now();
    loop {
        let wake = match turn(&bus, &mut timetable, &mut reread).await {
            Ok(()) => timetable.first().map_or(reread, |first| first.min(reread)),
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "cannot keep the schedules");
                reread = bus.clock.now();
                reread + PAUSE
            }
            Err(error) => {
                tracing::error!(%error, "the schedules have stopped");
                return;
            }
        };
        tokio::select! {
            () = bus.clock.sleep_until(wake) => {}
            () = bus.schedules.rung() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// When each schedule is next; nothing more of them is held in memory.
#[derive(Debug, Default)]
struct Timetable {
    by_name: BTreeMap<String, Timestamp>,
    by_time: BTreeSet<(Timestamp, String)>,
}

impl Timetable {
    fn set(&mut self, name: &str, next: Option<Timestamp>) {
        if let Some(old) = self.by_name.remove(name) {
            self.by_time.remove(&(old, name.to_owned()));
        }
        if let Some(next) = next {
            self.by_name.insert(name.to_owned(), next);
            self.by_time.insert((next, name.to_owned()));
        }
    }

    fn first(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(first, _)| *first)
    }

    fn due(&self, now: Timestamp) -> Option<String> {
        self.by_time.first().filter(|(first, _)| *first <= now).map(|(_, name)| name.clone())
    }
}

/// Reads what has changed, and takes the steps that are due.
async fn turn(bus: &Bus, timetable: &mut Timetable, reread: &mut Timestamp) -> Result<(), Error> {
    if *reread <= bus.clock.now() {
        *timetable = read_all(bus).await?;
        *reread = bus.clock.now() + REREAD;
    }
    for name in bus.schedules.take() {
        let next = read(bus, &name).await?.and_then(|(entry, _)| entry.next);
        timetable.set(&name, next);
    }
    while let Some(name) = timetable.due(bus.clock.now()) {
        let next = advance(bus, &name).await?;
        timetable.set(&name, next);
        // Others have their turn, also while a long absence is caught up with.
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn read_all(bus: &Bus) -> Result<Timetable, Error> {
    let mut timetable = Timetable::default();
    let mut ask = PageAsk::first(MAX_PAGE);
    loop {
        let page = bus.inspect.documents(every_one(), ask).await?;
        for document in page.items {
            match Entry::read(&document) {
                Ok(entry) => timetable.set(&document.key, entry.next),
                Err(error) => {
                    tracing::error!(schedule = document.key, %error, "a schedule cannot be read");
                }
            }
        }
        match page.next {
            Some(cursor) => ask = PageAsk { limit: MAX_PAGE, cursor: Some(cursor) },
            None => return Ok(timetable),
        }
    }
}

/// A schedule with its version.
pub(super) async fn read(bus: &Bus, name: &str) -> Result<Option<(Entry, u64)>, Error> {
    let document = bus.inspect.document(COLLECTION, name).await?;
    document.map(|document| Ok((Entry::read(&document)?, document.version))).transpose()
}

/// Takes a step of a schedule, if it is due, and says when it is next.
///
/// The document is read at the last moment, so that what another node has changed or done is seen; the commit
/// holds only if none has since.
async fn advance(bus: &Bus, name: &str) -> Result<Option<Timestamp>, Error> {
    for _ in 0..TRIES {
        let (entry, version) = match read(bus, name).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => return leave(name, &error),
        };
        let next = entry.next;
        let Step { runs, entry } = match step(entry, bus.clock.now()) {
            Ok(Some(step)) => step,
            Ok(None) => return Ok(next),
            Err(fault) => return leave(name, &Error::InvalidSchedule(fault)),
        };
        let commit = match commit(bus, name, version, &entry, &runs) {
            Ok(commit) => commit,
            Err(error) => return leave(name, &error),
        };
        match bus.commit(commit).await {
            Ok(_) => {
                tracing::debug!(schedule = name, jobs = runs.len(), "a schedule was due");
                return Ok(entry.next);
            }
            Err(Error::Commit(CommitError::VersionConflict { .. })) => {}
            Err(error @ Error::Store(_)) => return Err(error),
            Err(refused) => return leave(name, &refused),
        }
    }
    Ok(None)
}

fn commit(
    bus: &Bus,
    name: &str,
    version: u64,
    entry: &Entry,
    runs: &[Timestamp],
) -> Result<Commit, Error> {
    let jobs = runs.iter().map(|due| bus.write_job(entry.plan.job(tick_id(name, *due)?)));
    let writes = std::iter::once(entry.write(name, version)).chain(jobs);
    Ok(Commit::of(writes.collect::<Result<Vec<_>, _>>()?))
}

/// The id of the job that a schedule adds at one of its times.
fn tick_id(name: &str, due: Timestamp) -> Result<JobId, Error> {
    job_id(format!("schedule:{name}:{}", due.as_millis()))
}

/// An id that is made of a schedule's name.
pub(super) fn job_id(id: String) -> Result<JobId, Error> {
    JobId::new(id).map_err(|error| Error::InvalidSchedule(fault("name", error.problem)))
}

/// Leaves a schedule to nodes that can do it, until all are read again.
fn leave(name: &str, error: &Error) -> Result<Option<Timestamp>, Error> {
    tracing::warn!(schedule = name, %error, "a schedule is due, and cannot be done here");
    Ok(None)
}
