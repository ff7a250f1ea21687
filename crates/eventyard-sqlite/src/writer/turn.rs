//! One turn of the writer: what is on the desk, in one transaction, answered when it is durable.

use std::collections::hash_map::Entry;

use eventyard_core::{QueueName, StoreError, Timestamp};

use super::{
    Writer,
    answers::{Answer, Answers},
    desk::Desk,
    flush::Flusher,
    state::{Mark, NEVER},
};
use crate::{
    error::{breaks_connection, store_error},
    request::{ClaimId, Request, Waiter},
};

/// When a transaction has this many writes, further requests wait for the next one.
const MAX_WRITES: usize = 4096;

impl Writer<'_> {
    /// Serves what is on the desk. An error says that the connection broke; everyone was told.
    pub(super) fn turn(&mut self, desk: &mut Desk) -> Result<(), StoreError> {
        self.now = self.shared.clock().now();
        let mut answers = Answers::default();
        match self.serve(desk, &mut answers).and_then(|()| self.commit()) {
            Ok(wrote) => {
                self.publish();
                // Who comes alone is served soonest right here; where many come, the next ones are on the way.
                let is_idle =
                    answers.len() <= 1 && desk.requests.is_empty() && self.shared.inbox.is_empty();
                match &self.flusher {
                    Some(flusher) => flusher.deliver(answers, !wrote, is_idle),
                    None => answers.deliver(self.shared),
                }
                Ok(())
            }
            Err(error) => {
                let is_broken = breaks_connection(&error) | !self.roll_back();
                let error = store_error(self.shared.path(), error);
                // Nobody may have been told when the next delayed job runs.
                self.owes_tick = true;
                if answers.is_empty() {
                    // Nobody's request failed but the work that comes before all; none can be served.
                    desk.refuse_requests(&error);
                }
                answers.refuse(&error);
                if is_broken { Err(error) } else { Ok(()) }
            }
        }
    }

    fn serve(&mut self, desk: &mut Desk, answers: &mut Answers) -> rusqlite::Result<()> {
        self.promote_due()?;
        let mut writes = 0;
        while writes < MAX_WRITES
            && let Some(request) = desk.requests.pop_front()
        {
            writes = self.answer(request, desk, answers)?.saturating_add(writes);
        }
        self.write_pending()?;
        self.serve_waiting(desk, answers)?;
        self.serve_claims(desk, answers)
    }

    /// Serves one request; returns how many writes it was.
    fn answer(
        &mut self,
        request: Request,
        desk: &mut Desk,
        answers: &mut Answers,
    ) -> rusqlite::Result<usize> {
        match request {
            Request::Commit(commits, reply) => {
                let writes = commits.iter().map(|commit| commit.writes.len()).sum();
                let receipts = commits.into_iter().map(|commit| self.apply(commit)).collect();
                answers.add(receipts, |receipts| Answer::Commit(reply, receipts))?;
                return Ok(writes);
            }
            Request::Claim(waiter) => answers.claims.push(waiter),
            Request::Withdraw(queue, id) => withdraw(&queue, id, desk, answers)?,
            Request::Renew(leases, lease_for, reply) => {
                let renewals = self.renew(&leases, self.now + lease_for);
                answers.add(renewals, |renewals| Answer::Renew(reply, renewals))?;
                return Ok(leases.len());
            }
            Request::Maintain(upkeep, reply) => {
                let done = self.maintain(&upkeep);
                answers.add(done, |done| Answer::Maintain(reply, done))?;
                return Ok(upkeep.limit);
            }
            Request::Release(tokens) => {
                self.release(&tokens)?;
                return Ok(tokens.len());
            }
            Request::Promote => self.owes_tick = true,
            Request::Close(reply) => desk.closing.push(reply),
        }
        Ok(0)
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

    /// Commits the transaction; false if there was none.
    fn commit(&mut self) -> rusqlite::Result<bool> {
        if self.in_transaction {
            #[cfg(feature = "crash-points")]
            crate::crash::point("before-commit");
            self.sql.commit.execute(())?;
            #[cfg(feature = "crash-points")]
            crate::crash::point("after-commit");
        }
        Ok(std::mem::take(&mut self.in_transaction))
    }

    /// Waits until the next transaction may begin; an error says that the last ones may not be durable.
    pub(super) fn await_flush(&self) -> Result<(), StoreError> {
        self.flusher.as_ref().map_or(Ok(()), Flusher::ready)
    }

    /// Undoes the transaction; false if that is not possible.
    fn roll_back(&mut self) -> bool {
        self.undo_to(Mark::START);
        // After some errors SQLite has rolled back already.
        let is_open = std::mem::take(&mut self.in_transaction) && !self.conn.is_autocommit();
        !is_open || self.conn.execute_batch("ROLLBACK").is_ok()
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
        waiter.ask.wait = std::time::Duration::ZERO;
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
