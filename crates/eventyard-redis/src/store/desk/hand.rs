//! From the answers of scripts to those who asked.

use bytes::Bytes;
use eventyard_core::{Claim, Commit, Renewal, StoreError, StoreErrorKind, Timestamp};

use super::{
    Answer, Claimed, Desk, Receipts,
    call::{Then, check},
};
use crate::store::{
    answer::{self, Committed, Maintained},
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
            Then::Commits(requests) => self.hand_out_commits(requests, answer, now),
            Then::Claim(ask, now, to) => {
                let claimed = answer.and_then(|answer| self.read_claim(&ask, &answer, now));
                // A claim that nobody waits for any more is given back by whoever made it.
                let _ = to.send(claimed);
            }
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

    fn hand_out_commits(
        &self,
        requests: Vec<(Vec<Commit>, Answer<Receipts>)>,
        answer: Result<Bytes, StoreError>,
        now: Timestamp,
    ) {
        let verdicts = answer.and_then(|answer| {
            let (verdicts, told, cancelled) = answer::read::<Committed<'_>>(&answer)?;
            self.tell(&told, now);
            for token in cancelled.iter().filter_map(|token| token.text().parse().ok()) {
                // Nobody needs to listen.
                let _ = self.cancelled.send(token);
            }
            let mut verdicts = verdicts.into_iter();
            let mut receipts = Vec::with_capacity(requests.len());
            for (commits, _) in &requests {
                let own: Option<Vec<_>> = commits
                    .iter()
                    .map(|commit| match check(commit) {
                        Err(malformed) => Some(Err(malformed)),
                        Ok(()) => {
                            let (_, verdict) = verdicts.next()?;
                            Some(answer::receipt(commit, verdict, &self.prefix))
                        }
                    })
                    .collect();
                receipts.push(own.ok_or_else(|| {
                    StoreError::new(StoreErrorKind::Corrupt, "a script answered too few commits")
                }));
            }
            Ok(receipts)
        });
        match verdicts {
            Ok(receipts) => {
                for ((_, to), receipts) in requests.into_iter().zip(receipts) {
                    let _ = to.send(receipts);
                }
            }
            Err(error) => {
                for (_, to) in requests {
                    let _ = to.send(Err(error.share()));
                }
            }
        }
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
        let (jobs, opens, told) = answer::read::<answer::Claimed<'_>>(answer)?;
        self.tell(&told, now);
        let until = now + ask.lease_for;
        let mut claimed = Claimed { jobs: Vec::with_capacity(jobs.len()), opens: opens.instant() };
        for (id, token, fields) in &jobs {
            let read = leased::read(&ask.queue, id, token, fields, answer, until, &self.prefix);
            let Some((leased, row)) = read else { continue };
            let caller = (&*self.prefix, &*self.node);
            if let Some(next) = scheduler::argument(&row, caller, &ask.queue, id.text(), now) {
                self.next_jobs.push(next);
            }
            claimed.jobs.push(leased);
        }
        Ok(claimed)
    }
}
