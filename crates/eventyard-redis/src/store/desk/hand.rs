//! From the answers of scripts to those who asked.

use bytes::Bytes;
use eventyard_core::{Claim, Commit, Renewal, StoreError, StoreErrorKind, Timestamp};

use super::{
    Claimed, Desk, Receipts,
    call::{Part, Then, check},
};
use crate::store::{
    answer::{self, Maintained, Verdicts, Worked},
    leased, scheduler,
};

impl Desk {
    /// Tells those who asked what came of it.
    pub(super) fn hand_out(
        &mut self,
        then: Then,
        answer: Result<Bytes, StoreError>,
        now: Timestamp,
    ) {
        match then {
            Then::Work(parts) => self.hand_out_work(parts, answer, now),
            Then::Renew(until, count, to) => {
                let renewed = answer.and_then(|answer| answer::read::<Vec<u8>>(&answer));
                let renewed = renewed.map(|answers| {
                    let renewal =
                        |held| if held == 1 { Renewal::Until(until) } else { Renewal::Lost };
                    answers.into_iter().take(count).map(renewal).collect()
                });
                let _ = to.send(renewed);
            }
            Then::NextJob(argument) => self.note_next_job(argument, answer.err()),
            Then::Maintain(limit, to) => {
                let done = answer.and_then(|answer| {
                    let (work, told) = answer::read::<Maintained<'_>>(&answer)?;
                    self.tell(&told, now);
                    Ok(work.maintenance(limit))
                });
                let _ = to.send(done);
            }
        }
    }

    fn hand_out_work(
        &mut self,
        parts: Vec<Part>,
        answer: Result<Bytes, StoreError>,
        now: Timestamp,
    ) {
        let answers = answer.and_then(|answer| {
            let (answers, told, cancelled) = answer::read::<Worked<'_>>(&answer)?;
            self.tell(&told, now);
            for token in cancelled.iter().filter_map(|token| token.text().parse().ok()) {
                // Nobody needs to listen.
                let _ = self.cancelled.send(token);
            }
            if answers.len() != parts.len() {
                return Err(StoreError::new(StoreErrorKind::Corrupt, "a script answered too few"));
            }
            Ok(answers.into_iter().map(|part| part.of(&answer)).collect::<Vec<_>>())
        });
        let (answers, error) = match answers {
            Ok(answers) => (answers, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let failed = error.iter().cycle().map(|error| Err(error.share()));
        for (part, answer) in parts.into_iter().zip(answers.into_iter().chain(failed)) {
            match part {
                Part::Commits(commits, to) => {
                    let receipts = answer.and_then(|answer| self.receipts(&commits, &answer));
                    match to {
                        Some(to) => drop(to.send(receipts)),
                        None => note_given_back(receipts),
                    }
                }
                Part::Claim(ask, to) => {
                    // What nobody waits for any more goes back by itself.
                    drop(to.send(answer.and_then(|answer| self.read_claim(&ask, &answer, now))));
                }
            }
        }
    }

    fn receipts(&self, commits: &[Commit], answer: &Bytes) -> Result<Receipts, StoreError> {
        let mut verdicts = answer::read::<Verdicts<'_>>(answer)?.into_iter();
        let receipt = |commit| match check(commit) {
            Err(malformed) => Some(Err(malformed)),
            Ok(()) => {
                let (_, verdict) = verdicts.next()?;
                Some(answer::receipt(commit, verdict, &self.prefix))
            }
        };
        let receipts: Option<Vec<_>> = commits.iter().map(receipt).collect();
        receipts.ok_or_else(|| {
            StoreError::new(StoreErrorKind::Corrupt, "a script answered too few commits")
        })
    }

    /// Keeps what adds the next job of a scheduler until it is added: without it, the scheduler stops.
    fn note_next_job(&mut self, argument: Vec<u8>, error: Option<StoreError>) {
        let Some(error) = error else { return };
        tracing::warn!(%error, "the next job of a scheduler was not added");
        if error.is_retryable() {
            self.late_jobs.push(argument);
        }
    }

    fn read_claim(
        &mut self,
        ask: &Claim,
        answer: &Bytes,
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let (leased, opens) = answer::read::<answer::Claimed<'_>>(answer)?;
        let until = now + ask.lease_for;
        let mut jobs = Vec::with_capacity(leased.len());
        for (id, token, fields) in &leased {
            let read = leased::read(&ask.queue, id, token, fields, answer, until, &self.prefix);
            let Some((leased, row)) = read else { continue };
            let caller = (&*self.prefix, &*self.node);
            if let Some(next) = scheduler::argument(&row, caller, &ask.queue, id.text(), now) {
                self.next_jobs.push(next);
            }
            jobs.push(leased);
        }
        Ok(Claimed::new(jobs, opens.instant(), self.unwanted.0.clone()))
    }
}

/// Says so when jobs that nobody wanted could not be given back.
fn note_given_back(receipts: Result<Receipts, StoreError>) {
    if let Err(error) = receipts {
        tracing::warn!(%error, "jobs that nobody wanted come back when their leases end");
    }
}
