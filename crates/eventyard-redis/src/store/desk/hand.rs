//! From the answers of scripts to those who asked.

use eventyard_core::{Claim, Commit, Renewal, StoreError, StoreErrorKind, Timestamp};
use redis::Value;

use super::{
    Claimed, Desk, Receipts,
    call::{Committing, Part, Then, check},
};
use crate::store::{
    answer::{self, Maintained, PartAnswer, Verdict, Verdicts, Worked},
    leased, scheduler,
};

impl Desk {
    /// Tells those who asked what came of it.
    pub(super) fn hand_out(
        &mut self,
        then: Then,
        answer: Result<Value, StoreError>,
        now: Timestamp,
    ) {
        match then {
            Then::Work(parts) => self.hand_out_work(parts, answer, now),
            Then::Renew(until, count, to) => {
                let renewed = answer.and_then(answer::bytes);
                let renewed = renewed.and_then(|answer| answer::read::<Vec<u8>>(&answer));
                let renewed = renewed.map(|answers| {
                    let renewal =
                        |held| if held == 1 { Renewal::Until(until) } else { Renewal::Lost };
                    answers.into_iter().take(count).map(renewal).collect()
                });
                let _ = to.send(renewed);
            }
            Then::NextJob(argument) => self.note_next_job(argument, answer.err()),
            Then::Maintain(limit, to) => {
                let done = answer.and_then(answer::bytes).and_then(|answer| {
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
        answer: Result<Value, StoreError>,
        now: Timestamp,
    ) {
        let answers = answer.and_then(|answer| {
            let (told, answers) = answer::parts(answer)?;
            let (told, cancelled) = answer::read::<Worked<'_>>(&told)?;
            self.tell(&told, now);
            for token in cancelled.iter().filter_map(|token| token.text().parse().ok()) {
                // Nobody needs to listen.
                let _ = self.cancelled.send(token);
            }
            if answers.len() != parts.len() {
                return Err(StoreError::new(StoreErrorKind::Corrupt, "a script answered too few"));
            }
            Ok(answers)
        });
        let (answers, error) = match answers {
            Ok(answers) => (answers, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let failed = error.iter().cycle().map(|error| Err(error.share()));
        for (part, answer) in parts.into_iter().zip(answers.into_iter().chain(failed)) {
            match part {
                Part::Commits(requests) => self.hand_out_commits(requests, answer),
                Part::Claim(ask, _, to) => {
                    let claimed = answer.and_then(|answer| self.read_claim(&ask, answer, now));
                    // What nobody waits for any more goes back by itself.
                    drop(to.send(claimed));
                }
            }
        }
    }

    fn hand_out_commits(&self, requests: Vec<Committing>, answer: PartAnswer) {
        let answer = answer.and_then(answer::bytes);
        let verdicts = answer.as_ref().map_err(StoreError::share);
        let verdicts = verdicts.and_then(|answer| answer::read::<Verdicts<'_>>(answer));
        let (mut verdicts, error) = match verdicts {
            Ok(verdicts) => (verdicts.into_iter(), None),
            Err(error) => (Vec::new().into_iter(), Some(error)),
        };
        for (commits, to) in requests {
            let receipts = match &error {
                None => self.receipts(&commits, &mut verdicts),
                Some(error) => Err(error.share()),
            };
            match to {
                Some(to) => drop(to.send(receipts)),
                None => note_given_back(receipts),
            }
        }
    }

    /// What became of the commits of one request, out of the verdicts on those of all.
    fn receipts<'a>(
        &self,
        commits: &[Commit],
        verdicts: &mut impl Iterator<Item = Verdict<'a>>,
    ) -> Result<Receipts, StoreError> {
        let mut fault = None;
        let mut receipts = Vec::with_capacity(commits.len());
        for commit in commits {
            receipts.push(match check(commit) {
                Err(malformed) => Err(malformed),
                Ok(()) => match verdicts.next() {
                    Some(Verdict::Fault(why)) => {
                        fault = Some(format!("redis: {}", why.text()));
                        continue;
                    }
                    Some(verdict) => answer::receipt(commit, verdict, &self.prefix),
                    None => {
                        fault = Some("a script answered too few commits".to_owned());
                        break;
                    }
                },
            });
        }
        match fault {
            None => Ok(receipts),
            Some(why) => Err(StoreError::new(StoreErrorKind::Corrupt, why)),
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
        answer: Value,
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let (opens, leased) = answer::claimed(answer)?;
        let until = now + ask.lease_for;
        let mut jobs = Vec::new();
        for (id, token, fields) in leased {
            let read = leased::read(&ask.queue, &id, &token, fields, until, &self.prefix);
            let Some((leased, row)) = read else { continue };
            let (caller, id) = ((&*self.prefix, &*self.node), leased.job.id.as_str());
            if let Some(next) = scheduler::argument(&row, caller, &ask.queue, id, now) {
                self.next_jobs.push(next);
            }
            jobs.push(leased);
        }
        Ok(Claimed::new(jobs, opens, self.unwanted.0.clone()))
    }
}

/// Says so when jobs that nobody wanted could not be given back.
fn note_given_back(receipts: Result<Receipts, StoreError>) {
    if let Err(error) = receipts {
        tracing::warn!(%error, "jobs that nobody wanted come back when their leases end");
    }
}
