//! Turns: the writer serves what is on the desk, and seals it as a group when the flusher can take it.
//!
//! When nobody waits for the disk, that is one group for each turn. While a sync is under way, the group stays open and
//! takes up what comes in the meantime: nothing is waited for that would not have to be waited for anyway.

use std::{
    collections::hash_map::Entry,
    time::{Duration, Instant},
};

use eventyard_core::{QueueName, StoreError};

use super::{
    Writer,
    answers::{Answer, Answers},
    desk::Desk,
    flush::{Flusher, Room},
};
use crate::{
    error::{breaks_connection, store_error},
    redo::Redo,
    request::{ClaimId, Request, Waiter},
};

/// When a group has this many writes, further requests wait for the next one.
const MAX_WRITES: usize = 4096;
/// After this long without a request, SQLite commits what it has.
const REST: Duration = Duration::from_millis(10);

/// While others are on their way or on the disk, the writer is not woken for less work than this.
const WORTH_WAKING: usize = 8;

impl Writer<'_> {
    /// How much work the writer waits for before its next turn, and how long.
    pub(super) fn patience(&mut self, desk: &Desk) -> (usize, Option<Instant>) {
        let may_serve = self.writes < MAX_WRITES;
        match self.room() {
            Err(_) => (0, None),
            Ok(_) if may_serve && !desk.requests.is_empty() => (0, None),
            Ok(Room::Idle) if self.is_done() => {
                let rests = || Instant::now() + REST;
                (1, self.is_restless().then(|| *self.rests_at.get_or_insert_with(rests)))
            }
            Ok(Room::Idle) if may_serve => {
                let callers = self.answers.len();
                let sync = self.flusher.as_ref().map_or(Duration::ZERO, Flusher::pace);
                let limit = self.gathering.limit(callers, sync);
                let missing = self.gathering.enough().saturating_sub(callers);
                // What is there can be applied while the others come.
                (missing.min(WORTH_WAKING), Some(limit))
            }
            Ok(Room::Idle) => (0, None),
            Ok(_) if may_serve => (WORTH_WAKING, None),
            // Nothing can be done before the flusher nudges.
            Ok(_) => (usize::MAX, None),
        }
    }

    /// Whether everything that was served is on its way to those who asked.
    pub(super) fn is_done(&self) -> bool {
        self.is_between_groups() && self.answers.is_empty() && self.shows.is_empty()
    }

    fn room(&self) -> Result<Room, StoreError> {
        self.redo.as_ref().map_or(Ok(()), Redo::check)?;
        self.flusher.as_ref().map_or(Ok(Room::Idle), Flusher::room)
    }

    /// Serves what is on the desk, seals it as a group and has SQLite commit if it is time for that; true if SQLite
    /// committed. An error says that the connection broke; everyone was told.
    pub(super) fn turn(&mut self, desk: &mut Desk) -> Result<bool, StoreError> {
        self.now = self.shared.clock().now();
        self.is_heard = self.shared.feed.is_recording();
        let has_nothing_to_do = desk.requests.is_empty() && self.is_done();
        let rests_at = self.rests_at.take().filter(|_| has_nothing_to_do);
        let answered = self.answers.len();
        if let Err(error) = self.serve(desk) {
            let is_broken = breaks_connection(&error);
            let error = store_error(self.shared.path(), error);
            if self.answers.len() == answered && self.answers.claims.is_empty() {
                // Nobody's request failed but the work that comes before all; none can be served.
                desk.refuse_requests(&error);
            }
            return self.give_up(error, is_broken).map(|()| false);
        }
        match self.room() {
            Ok(room) if self.is_time(room) => {
                if self.seal(room)? {
                    return Ok(true);
                }
            }
            Ok(_) => {}
            Err(error) => return self.give_up(error, true).map(|()| false),
        }
        let rests = rests_at.is_some_and(|at| at <= Instant::now()) && self.is_restless();
        if self.is_between_groups() && (rests || self.must_commit()) {
            return self.commit_or_give_up();
        }
        self.rests_at = rests_at;
        Ok(false)
    }

    /// Whether to seal the group now.
    fn is_time(&self, room: Room) -> bool {
        let is_urgent = self.writes >= MAX_WRITES || !self.shows.is_empty();
        is_urgent && room != Room::None || self.gathering.is_time(room, self.answers.len())
    }

    fn answer(
        &mut self,
        request: Request,
        desk: &mut Desk,
        answers: &mut Answers,
    ) -> rusqlite::Result<()> {
        match request {
            Request::Commit(commits, reply) => {
                self.done += commits.len();
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
            Request::Show(reply) => self.shows.push(reply),
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
        self.serve_waiting(desk, answers)?;
        self.serve_claims(desk, answers)?;
        self.write_pending()
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
        self.done += leased.as_ref().map_or(0, Vec::len);
        answers.add(leased, |leased| Answer::Claim(reply, leased))
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
