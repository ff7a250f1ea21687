//! Turns: the writer serves what is on the desk, and commits when the flusher can take it.
//!
//! When nobody waits for the disk, that is one transaction for each turn. While a sync is under way, the
//! transaction stays open and takes up what comes in the meantime: nothing is waited for that would not have to be
//! waited for anyway.

use std::{
    collections::hash_map::Entry,
    time::{Duration, Instant},
};

use eventyard_core::{QueueName, StoreError, Timestamp};

use super::{
    Writer,
    answers::{Answer, Answers},
    desk::Desk,
    flush::{Flusher, Room},
    state::{Mark, NEVER},
};
use crate::{
    error::{breaks_connection, store_error},
    request::{ClaimId, Request, Waiter},
};

/// When a transaction has this many writes, further requests wait for the next one.
const MAX_WRITES: usize = 4096;

/// While a sync is under way, the writer is not woken for less work than this.
const WORTH_WAKING: usize = 8;

/// Who commits this little together, as a worker its settlements and its next claim, counts as alone.
const ALONE: usize = 2;

impl Writer<'_> {
    /// How much work the writer waits for before its next turn, and how long.
    pub(super) fn patience(&mut self, desk: &Desk) -> (usize, Option<Instant>) {
        let may_serve = self.writes < MAX_WRITES;
        match self.room() {
            Err(_) => (0, None),
            Ok(_) if may_serve && !desk.requests.is_empty() => (0, None),
            Ok(Room::Idle) if self.is_done() => (1, None),
            Ok(Room::Idle) if may_serve => {
                let callers = self.answers.len();
                let sync = self.flusher.as_ref().map_or(Duration::ZERO, Flusher::pace);
                let limit = self.gathering.limit(callers, sync);
                (self.gathering.enough().saturating_sub(callers), Some(limit))
            }
            Ok(Room::Idle) => (0, None),
            Ok(_) if may_serve => (WORTH_WAKING, None),
            // Nothing can be done before the flusher nudges.
            Ok(_) => (usize::MAX, None),
        }
    }

    /// Whether everything that was served is on its way to those who asked.
    pub(super) fn is_done(&self) -> bool {
        !self.in_transaction && self.answers.is_empty()
    }

    fn room(&self) -> Result<Room, StoreError> {
        self.flusher.as_ref().map_or(Ok(Room::Idle), Flusher::room)
    }

    /// Serves what is on the desk, and commits if it is time for it; true if something was committed. An error says
    /// that the connection broke; everyone was told.
    pub(super) fn turn(&mut self, desk: &mut Desk) -> Result<bool, StoreError> {
        self.now = self.shared.clock().now();
        self.is_heard = self.shared.feed.is_recording();
        let answered = self.answers.len();
        if let Err(error) = self.serve(desk) {
            let is_broken = breaks_connection(&error);
            let error = store_error(self.shared.path(), error);
            if self.answers.len() == answered && self.answers.claims.is_empty() {
                // Nobody's request failed but the work that comes before all; none can be served.
                desk.refuse_requests(&error);
            }
            return self.give_up(error, is_broken);
        }
        match self.room() {
            Ok(room) if self.is_time(room) => self.commit(room).or_else(|error| {
                let is_broken = breaks_connection(&error);
                self.give_up(store_error(self.shared.path(), error), is_broken)
            }),
            Ok(_) => Ok(false),
            Err(error) => self.give_up(error, true),
        }
    }

    /// Whether to commit now.
    fn is_time(&self, room: Room) -> bool {
        let is_full = self.writes >= MAX_WRITES && room != Room::None;
        is_full || self.gathering.is_time(room, self.answers.len())
    }

    fn answer(
        &mut self,
        request: Request,
        desk: &mut Desk,
        answers: &mut Answers,
    ) -> rusqlite::Result<()> {
        match request {
            Request::Commit(commits, reply) => {
                let receipts = commits.into_iter().map(|commit| self.apply(commit)).collect();
                answers.add(receipts, |receipts| Answer::Commit(reply, receipts))?;
            }
            Request::Claim(waiter) => answers.claims.push(waiter),
            Request::Withdraw(queue, id) => withdraw(&queue, id, desk, answers)?,
            Request::Renew(leases, lease_for, reply) => {
                let renewals = self.renew(&leases, self.now + lease_for);
                answers.add(renewals, |renewals| Answer::Renew(reply, renewals))?;
            }
            Request::Maintain(upkeep, reply) => {
                let done = self.maintain(&upkeep);
                answers.add(done, |done| Answer::Maintain(reply, done))?;
            }
            Request::Release(tokens) => self.release(&tokens)?,
            Request::Promote => self.owes_tick = true,
            Request::Close(reply) => desk.closing.push(reply),
        }
        Ok(())
    }

    fn serve(&mut self, desk: &mut Desk) -> rusqlite::Result<()> {
        self.catch_up()?;
        let mut answers = std::mem::take(&mut self.answers);
        let served = self.serve_all(desk, &mut answers);
        self.answers = answers;
        served
    }

    fn serve_all(&mut self, desk: &mut Desk, answers: &mut Answers) -> rusqlite::Result<()> {
        while self.writes < MAX_WRITES
            && let Some(request) = desk.requests.pop_front()
        {
            self.writes = self.writes.saturating_add(request.work());
            self.answer(request, desk, answers)?;
        }
        self.write_pending()?;
        self.serve_waiting(desk, answers)?;
        self.serve_claims(desk, answers)
    }

    /// Serves the claims that wait on the queues that changed, longest waiting first.
    fn serve_waiting(&mut self, desk: &mut Desk, answers: &mut Answers) -> rusqlite::Result<()> {
        if desk.waiters.is_empty() {
            return Ok(());
        }
        for name in self.state.touched().to_vec() {
            let Entry::Occupied(mut waiters) = desk.waiters.entry(name) else { continue };
            let Some(queue) = self.state.queue(waiters.key()) else { continue };
            while self.has_runnable(queue)
                && let Some(waiter) = waiters.get_mut().pop_front()
            {
                self.serve_claim(waiter, answers)?;
            }
            if waiters.get().is_empty() {
                waiters.remove();
            }
        }
        Ok(())
    }

    fn serve_claims(&mut self, desk: &mut Desk, answers: &mut Answers) -> rusqlite::Result<()> {
        let mut claims = std::mem::take(&mut answers.claims).into_iter();
        while let Some(waiter) = claims.next() {
            let queue = self.state.queue(&waiter.ask.queue);
            if queue.is_some_and(|queue| self.has_runnable(queue)) {
                if let Err(error) = self.serve_claim(waiter, answers) {
                    answers.claims = claims.collect();
                    return Err(error);
                }
            } else if waiter.ask.wait.is_zero() {
                answers.add(Ok(Vec::new()), |none| Answer::Claim(waiter.reply, none))?;
            } else {
                desk.waiters.entry(waiter.ask.queue.clone()).or_default().push_back(waiter);
            }
        }
        Ok(())
    }

    fn serve_claim(&mut self, waiter: Waiter, answers: &mut Answers) -> rusqlite::Result<()> {
        let Waiter { ask, reply, .. } = waiter;
        let queue = self.state.queue(&ask.queue);
        // Who dropped the claim gets nothing that would only come back.
        let Some(queue) = queue.filter(|_| !reply.is_closed()) else { return Ok(()) };
        let leased = self.claim(queue, &ask);
        answers.add(leased, |leased| Answer::Claim(reply, leased))
    }

    /// Begins a transaction, unless one is under way.
    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        if !self.in_transaction {
            self.sql.begin.execute(())?;
            self.in_transaction = true;
        }
        Ok(())
    }

    /// Commits the transaction, and has its answers delivered when it is durable; false if it wrote nothing.
    fn commit(&mut self, room: Room) -> rusqlite::Result<bool> {
        let wrote = self.in_transaction;
        if wrote {
            #[cfg(feature = "crash-points")]
            crate::crash::point("before-commit");
            self.sql.commit.execute(())?;
            #[cfg(feature = "crash-points")]
            crate::crash::point("after-commit");
        }
        (self.in_transaction, self.writes) = (false, 0);
        self.publish();
        let mut answers = std::mem::take(&mut self.answers);
        answers.news = std::mem::take(&mut self.news);
        answers.cancelled = std::mem::take(&mut self.cancelled);
        self.gathering.committed(answers.len());
        let Some(flusher) = &self.flusher else {
            answers.announce(self.shared);
            answers.deliver(self.shared);
            return Ok(wrote);
        };
        match room {
            // What was only read was written before, and is durable.
            Room::Idle if !wrote => answers.deliver(self.shared),
            // Who comes alone is served soonest right here; where many come, the next ones are on the way.
            Room::Idle if answers.len() <= ALONE => flusher.flush_here(answers),
            _ => flusher.hand_over(answers),
        }
        Ok(wrote)
    }

    /// Undoes the transaction, and tells everyone who has a part in it.
    fn give_up(&mut self, error: StoreError, is_broken: bool) -> Result<bool, StoreError> {
        let is_undone = self.roll_back();
        // Nobody may have been told when the next delayed job runs.
        self.owes_tick = true;
        std::mem::take(&mut self.answers).refuse(&error);
        if is_broken || !is_undone { Err(error) } else { Ok(false) }
    }

    /// Undoes the transaction; false if that is not possible.
    fn roll_back(&mut self) -> bool {
        self.undo_to(Mark::START);
        self.writes = 0;
        self.news.clear();
        self.cancelled.clear();
        // After some errors SQLite has rolled back already.
        let is_open = std::mem::take(&mut self.in_transaction) && !self.conn.is_autocommit();
        let is_undone = !is_open || self.conn.execute_batch("ROLLBACK").is_ok();
        is_undone && self.rebuild_turns().is_ok()
    }

    /// Undoes in memory what was done since the mark.
    pub(super) fn undo_to(&mut self, mark: Mark) {
        self.state.undo_to(mark);
        self.pending.clear();
        self.events_left = (0, 0);
        if self.numbers.undo() {
            self.state.drop_numbers();
        }
    }

    /// Shows the world what is committed now.
    pub(super) fn publish(&mut self) {
        self.numbers.settle();
        self.publish_keys();
        if !self.state.touched().is_empty() {
            let mut queues = self.shared.queues.write().expect("no holder panics");
            self.state.settle(|name, status| {
                match status {
                    Some(status) => queues.insert(name, status),
                    None => queues.remove(&name),
                };
            });
        }
        let (moved, is_tick) = (self.state.moved_due(), std::mem::take(&mut self.owes_tick));
        if let Some(due) = moved.or_else(|| is_tick.then(|| self.state.next_due())) {
            let due: Option<Timestamp> = (due < NEVER).then_some(due);
            self.shared.next_due.send_if_modified(|known| {
                let changed = *known != due;
                *known = due;
                changed || is_tick
            });
        }
    }
}

/// Ends the waiting of a claim: it takes what there is now.
fn withdraw(
    queue: &QueueName,
    id: ClaimId,
    desk: &mut Desk,
    answers: &mut Answers,
) -> rusqlite::Result<()> {
    if let Some(waiter) = answers.claims.iter_mut().find(|waiter| waiter.id == id) {
        waiter.ask.wait = Duration::ZERO;
        return Ok(());
    }
    // A claim that is not there was answered; its answer is on the way.
    let Some(waiters) = desk.waiters.get_mut(queue) else { return Ok(()) };
    let Some(at) = waiters.iter().position(|waiter| waiter.id == id) else { return Ok(()) };
    let waiter = waiters.remove(at).expect("the position is inside");
    if waiters.is_empty() {
        desk.waiters.remove(queue);
    }
    answers.add(Ok(Vec::new()), |none| Answer::Claim(waiter.reply, none))
}
